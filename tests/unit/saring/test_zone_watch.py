"""When primaries are asked, and what follows: a clock and answers of the test's own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from admin_api.to_policy import SourceRow
from blocklists.library import Library
from blocklists.source import Source
from blocklists.state import ZoneStamp
from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.soa import Soa
from dnswire.constants import RRType
from saring.config_schema import ListsSection
from saring.zone_watch import MIN_GAP_S, ZoneWatch
from tests.support.zone_wire import header, question

NOTIFY = header(9, 0, flags=0x2400) + question(RRType.SOA)
START_S = 1_800_000_000.0


def row(location: str = "rpz://192.0.2.1/rpz.test", *, enabled: bool = True) -> SourceRow:
    return SourceRow(
        list_id=1,
        code="nasional",
        title="Nasional",
        location=location,
        format="auto",
        subdomains=None,
        national=True,
        enabled=enabled,
        max_size_bytes=1 << 20,
        shrink_limit=0.3,
        min_entries=1,
        allow_private=True,
        categories=("perjudian",),
    )


class Rig:
    """A zone of serial 5 in the library, and a primary that says what the test wants."""

    def __init__(self, directory: Path, *, fetched: bool = True) -> None:
        self.now_s = START_S
        self.library = Library(directory)
        self.answer: int | TransferError = 5
        self.asked = 0
        self.syncing = False
        config = ListsSection(notify_allow_from=("10.0.0.0/8",))
        self.watch = ZoneWatch(self.library, config, lambda: self.now_s, ask=self._ask, resolve=self._resolve)
        self.watch.lists_are([row()])
        if fetched:
            stamp = ZoneStamp("rpz.test", 5, refresh_s=3600, retry_s=600, expire_s=86_400)
            self.library.record_zone(Source("nasional", row().location), "0" * 64, stamp, self.now_s)

    async def _ask(self, _source: Source, addresses: tuple[str, ...]) -> Soa:
        assert addresses == ("192.0.2.1",)
        self.asked += 1
        if isinstance(self.answer, TransferError):
            raise self.answer
        return Soa(self.answer, 3600, 600, 86_400)

    async def _resolve(self, _host: str, _port: int) -> list[str]:
        return ["192.0.2.1"]

    async def tick(self, later_s: float = 0.0) -> set[str]:
        """Looks ``later_s`` later, and waits for the answers."""
        self.now_s += later_s
        self.watch.tick(self.now_s, self.syncing)
        await asyncio.gather(*self.watch._tasks.values())
        self.watch.tick(self.now_s, syncing=True)  # only collects
        return self.watch.take_wanted()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_a_zone_is_asked_for_at_the_start_and_then_at_each_refresh(rig: Rig) -> None:
    assert await rig.tick() == set()
    assert rig.asked == 1
    await rig.tick(3599)
    assert rig.asked == 1
    await rig.tick(1)
    assert rig.asked == 2
    assert rig.library.state("nasional").fetched_s == rig.now_s


async def test_a_newer_serial_is_worth_a_sync(rig: Rig) -> None:
    rig.answer = 6
    assert await rig.tick() == {"nasional"}
    assert rig.watch.take_wanted() == set()


async def test_a_primary_that_does_not_answer_is_asked_at_each_retry(rig: Rig) -> None:
    await rig.tick()
    rig.answer = TransferError(TransferFailure.TIMEOUT, "The primary is silent.")
    await rig.tick(3600)
    assert rig.library.state("nasional").last_error == "The primary is silent."
    await rig.tick(599)
    assert rig.asked == 2
    await rig.tick(1)
    assert rig.asked == 3
    rig.answer = 5
    await rig.tick(600)
    assert rig.library.state("nasional").last_error == ""
    await rig.tick(600)
    assert rig.asked == 4


async def test_after_expiry_the_trouble_says_so(rig: Rig) -> None:
    rig.answer = TransferError(TransferFailure.TIMEOUT, "The primary is silent.")
    await rig.tick(86_401)
    assert rig.library.state("nasional").last_error.startswith("The zone has EXPIRED; serial 5 is still served")


async def test_a_serial_that_was_refused_is_not_fetched_again(rig: Rig) -> None:
    state = replace(rig.library.state("nasional"), refused_serial=6, checked_s=START_S)
    rig.library._save(state)
    rig.answer = 6
    assert await rig.tick() == set()
    rig.answer = 7
    assert await rig.tick(3600) == {"nasional"}


async def test_content_that_was_lost_is_worth_a_sync_under_the_same_serial(rig: Rig) -> None:
    rig.library._save(replace(rig.library.state("nasional"), seen_sha256=""))
    assert await rig.tick() == {"nasional"}


async def test_a_notify_makes_the_primary_be_asked_at_once(rig: Rig) -> None:
    await rig.tick()
    rig.answer = 6
    response = rig.watch.notify(NOTIFY, "192.0.2.1")
    assert response is not None
    assert response[3] & 0xF == 0
    assert await rig.tick(MIN_GAP_S - 0.5) == set()
    assert await rig.tick(0.5) == {"nasional"}
    await rig.tick(60)
    assert rig.asked == 2


async def test_a_notify_during_a_sync_waits_for_its_end(rig: Rig) -> None:
    await rig.tick()
    rig.watch.notify(NOTIFY, "10.9.9.9")
    rig.syncing = True
    await rig.tick(60)
    assert rig.asked == 1
    rig.syncing = False
    await rig.tick(1)
    assert rig.asked == 2


async def test_a_strangers_notify_is_refused(rig: Rig) -> None:
    await rig.tick()
    response = rig.watch.notify(NOTIFY, "203.0.113.9")
    assert response is not None
    assert response[3] & 0xF == 5
    await rig.tick(60)
    assert rig.asked == 1


async def test_a_zone_never_fetched_is_left_to_the_scheduler_until_it_is_notified(tmp_path: Path) -> None:
    rig = Rig(tmp_path, fetched=False)
    await rig.tick(100_000)
    assert rig.asked == 0
    rig.watch.notify(NOTIFY, "192.0.2.1")
    assert await rig.tick() == {"nasional"}


@pytest.mark.parametrize("other", [row("https://lists.example/x.txt"), row(enabled=False)])
async def test_other_lists_and_disabled_ones_are_left_alone(rig: Rig, other: SourceRow) -> None:
    rig.watch.lists_are([other])
    await rig.tick(100_000)
    assert rig.asked == 0
    response = rig.watch.notify(NOTIFY, "192.0.2.1")
    assert response is not None
    assert response[3] & 0xF == 9
    await rig.watch.close()


async def test_the_address_of_a_host_name_is_known_once_it_was_asked(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.watch.lists_are([row("rpz://primary.example/rpz.test")])
    before = rig.watch.notify(NOTIFY, "192.0.2.1")
    await rig.tick()
    after = rig.watch.notify(NOTIFY, "192.0.2.1")
    assert before is not None
    assert after is not None
    assert (before[3] & 0xF, after[3] & 0xF) == (5, 0)


async def test_a_zone_that_changes_all_the_time_is_synced_now_and_then(tmp_path: Path) -> None:
    """Each sync compiles all lists anew, which takes ten seconds of a core for ten million names."""
    rig = Rig(tmp_path)
    rig.answer = 6
    taken = []
    for _ in range(65):
        rig.watch.notify(NOTIFY, "192.0.2.1")
        taken.append(bool(await rig.tick()))
        rig.now_s += 2
    assert [second * 2 for second, found in enumerate(taken) if found] == [0, 60, 120]
    rig.watch.lists_are([])
    rig.now_s += 60
    assert rig.watch.take_wanted() == set()  # it is gone, and cannot be synced
