"""Transfers from NSD, Knot DNS and BIND as Debian has them: whole zones, differences, keys, NOTIFY."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from blocklists.outcome import Admitted, Failed, Refused, Unchanged
from blocklists.transfer.apart import Job, Progress, Received, visit_apart, visit_here
from blocklists.transfer.job import How
from tests.support.lists import Recorder
from tests.support.primaries import KEY_NAME, SECRET, Primary, bind, knot, nsd, until, zone_text
from tests.support.zones import CODE, ZoneWorld, source_of

Server = Callable[..., AbstractContextManager[Primary]]
SERVERS = pytest.mark.parametrize("server", [nsd, knot, bind])
KEY: dict[str, object] = {"tsig_name": KEY_NAME, "tsig_secret": SECRET}
NAMES = [f"situs{number}.example" for number in range(300)]
MORE = """
tv CNAME *.
lewat CNAME rpz-passthru.
24.0.0.2.192.rpz-ip CNAME .
ns1.jahat.rpz-nsdname CNAME .
lokal A 10.0.0.1
lokal AAAA fd00::1
lokal TXT "a text"
"""


class Visits:
    """Visits in this process; remembers how each zone came."""

    def __init__(self) -> None:
        self.how: list[How] = []

    async def __call__(self, job: Job, progress: Progress) -> Received:
        received = await visit_here(job, progress)
        self.how.append(received.how)
        return received


def serial_of(primary: Primary) -> Callable[[int], bool]:
    """Whether the server has loaded a serial by now (dig, as an administrator would look)."""
    import subprocess

    from tests.support.needs import need_program

    command = [
        need_program("dig"),
        f"@{primary.address}",
        "-p",
        str(primary.port),
        "+short",
        "+time=1",
        "rpz.test",
        "SOA",
    ]

    def has(serial: int) -> bool:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
        return said.split()[2:3] == [str(serial)]

    return has


@SERVERS
@pytest.mark.parametrize("tsig", [False, True])
async def test_a_zone_is_kept_up_to_date(tmp_path: Path, server: Server, tsig: bool) -> None:
    (tmp_path / "primary").mkdir()
    visits = Visits()
    with server(tmp_path / "primary", zone_text(1, NAMES, more=MORE), tsig=tsig) as primary:
        zone = ZoneWorld(tmp_path, primary.location, **(KEY if tsig else {}))
        first = await zone.night(visit=visits)
        assert isinstance(first, Admitted), first
        assert await zone.night(visit=visits) == Unchanged(CODE)
        primary.publish(zone_text(2, [*NAMES[10:], "baru.example"], more=MORE.replace("10.0.0.1", "10.0.0.2")))
        has = serial_of(primary)
        until(lambda: has(2), "serial 2 is served")
        second = await zone.night(visit=visits)
    assert isinstance(second, Admitted), second
    # NSD 4.6 has differences only of zones that it got by transfer itself, and answers with the whole zone.
    expected = [How.WHOLE, How.UNCHANGED, How.WHOLE if server is nsd else How.CHANGES]
    assert visits.how == expected
    assert zone.serial == 2
    names = zone.names()
    assert names == dict.fromkeys([*NAMES[10:], "baru.example"], "subtree") | {"lewat": "allow exact"}


async def test_all_primaries_give_the_same_content(tmp_path: Path) -> None:
    contents = set()
    for number, server in enumerate((nsd, knot, bind)):
        directory = tmp_path / str(number)
        (directory / "primary").mkdir(parents=True)
        with server(directory / "primary", zone_text(1, NAMES, more=MORE)) as primary:
            zone = ZoneWorld(directory, primary.location)
            outcome = await zone.night()
        assert isinstance(outcome, Admitted)
        contents.add(outcome.version.sha256)
    assert len(contents) == 1


@pytest.mark.parametrize("server", [knot, bind])
async def test_several_differences_come_in_one_answer(tmp_path: Path, server: Server) -> None:
    (tmp_path / "primary").mkdir()
    visits = Visits()
    with server(tmp_path / "primary", zone_text(1, NAMES)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
        has = serial_of(primary)
        # A name that goes, comes back and goes, beside one that comes and goes.
        for serial, names in ((2, [*NAMES[1:], "sekejap.example"]), (3, NAMES), (4, NAMES[1:])):
            primary.publish(zone_text(serial, names))
            until(lambda serial=serial: has(serial), f"serial {serial} is served")
        assert isinstance(await zone.night(visit=visits), Admitted)
    assert visits.how == [How.CHANGES]
    assert (zone.serial, zone.names()) == (4, dict.fromkeys(NAMES[1:], "subtree"))


async def test_a_new_serial_without_a_change_is_no_new_version(tmp_path: Path) -> None:
    (tmp_path / "primary").mkdir()
    with knot(tmp_path / "primary", zone_text(1, NAMES)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
        primary.publish(zone_text(2, NAMES))
        has = serial_of(primary)
        until(lambda: has(2), "serial 2 is served")
        assert await zone.night() == Unchanged(CODE)
        # The version stands for serial 2 from now on, and the next difference is applied to it.
        primary.publish(zone_text(3, NAMES[1:]))
        until(lambda: has(3), "serial 3 is served")
        visits = Visits()
        assert isinstance(await zone.night(visit=visits), Admitted)
    assert visits.how == [How.CHANGES]
    assert [version.zone.serial for version in zone.library.state(CODE).versions if version.zone] == [2, 3]


async def test_a_rollback_holds_until_the_primary_has_something_new(tmp_path: Path) -> None:
    (tmp_path / "primary").mkdir()
    with bind(tmp_path / "primary", zone_text(1, NAMES)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
        has = serial_of(primary)
        primary.publish(zone_text(2, NAMES[1:]))
        until(lambda: has(2), "serial 2 is served")
        await zone.night()
        zone.library.rollback(CODE, 1, zone.now_s)
        assert await zone.night() == Unchanged(CODE)
        assert len(zone.names()) == 300
        primary.publish(zone_text(3, NAMES[2:]))
        until(lambda: has(3), "serial 3 is served")
        visits = Visits()
        assert isinstance(await zone.night(visit=visits), Admitted)
    assert visits.how == [How.CHANGES]  # from serial 1, which is in force again
    assert (zone.serial, zone.names()) == (3, dict.fromkeys(NAMES[2:], "subtree"))


async def test_the_gate_judges_a_zone_as_any_list(tmp_path: Path) -> None:
    (tmp_path / "primary").mkdir()
    with knot(tmp_path / "primary", zone_text(1, NAMES)) as primary:
        zone = ZoneWorld(tmp_path, primary.location, shrink_limit=0.3)
        await zone.night()
        primary.publish(zone_text(2, NAMES[:100]))
        has = serial_of(primary)
        until(lambda: has(2), "serial 2 is served")
        refused = await zone.night()
        assert isinstance(refused, Refused)
        assert "shrank by 66.6%" in refused.refused.sentence
        assert (zone.serial, zone.library.state(CODE).refused_serial) == (1, 2)
        again = await zone.night()
        assert again == refused
        admitted = await zone.night(accept=refused.refused.sha256)
    assert isinstance(admitted, Admitted)
    assert (zone.serial, len(zone.names())) == (2, 100)


async def test_a_version_damaged_on_disk_is_fetched_anew(tmp_path: Path) -> None:
    (tmp_path / "primary").mkdir()
    with knot(tmp_path / "primary", zone_text(1, NAMES)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
        path = zone.library.entries_path(CODE, 1)
        path.write_bytes(path.read_bytes()[:-20])
        assert isinstance(await zone.night(), Admitted)
    assert zone.names() == dict.fromkeys(NAMES, "subtree")


async def test_where_an_older_version_took_over_the_changes_come_again(tmp_path: Path) -> None:
    (tmp_path / "primary").mkdir()
    visits = Visits()
    with knot(tmp_path / "primary", zone_text(1, NAMES)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
        primary.publish(zone_text(2, NAMES[1:]))
        has = serial_of(primary)
        until(lambda: has(2), "serial 2 is served")
        await zone.night()
        path = zone.library.entries_path(CODE, 2)
        path.write_bytes(path.read_bytes()[:-20])
        assert zone.library.sound(CODE, zone.now_s) is not None  # as whoever compiles finds out
        assert zone.serial == 1
        assert isinstance(await zone.night(visit=visits), Admitted)
    assert visits.how == [How.CHANGES]
    assert (zone.serial, zone.names()) == (2, dict.fromkeys(NAMES[1:], "subtree"))


async def test_a_lost_state_is_rebuilt_and_the_zone_fetched_anew(tmp_path: Path) -> None:
    (tmp_path / "primary").mkdir()
    visits = Visits()
    with knot(tmp_path / "primary", zone_text(1, NAMES)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
        (zone.library.root / CODE / "state.json").unlink()
        assert isinstance(await zone.night(visit=visits), Admitted)
        assert await zone.night() == Unchanged(CODE)
    assert visits.how == [How.WHOLE]


async def test_a_lost_file_of_records_means_the_whole_zone(tmp_path: Path) -> None:
    (tmp_path / "primary").mkdir()
    visits = Visits()
    with knot(tmp_path / "primary", zone_text(1, NAMES)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
        zone.library.records_path(CODE, 1).unlink()
        primary.publish(zone_text(2, NAMES[1:]))
        has = serial_of(primary)
        until(lambda: has(2), "serial 2 is served")
        assert isinstance(await zone.night(visit=visits), Admitted)
    assert visits.how == [How.WHOLE]


@SERVERS
async def test_a_wrong_key_or_address_is_told_in_words(tmp_path: Path, server: Server) -> None:
    (tmp_path / "primary").mkdir()
    with server(tmp_path / "primary", zone_text(1, NAMES), tsig=True) as primary:
        for options, words in (
            ({}, "REFUSED|NOTAUTH"),
            ({"tsig_name": KEY_NAME, "tsig_secret": "A" * 24}, "BADSIG"),
            ({"tsig_name": "lain.test", "tsig_secret": SECRET}, "BADKEY"),
        ):
            zone = ZoneWorld(tmp_path / "world", primary.location, **options)
            outcome = await zone.night()
            assert isinstance(outcome, Failed)
            assert any(word in outcome.sentence for word in words.split("|")), outcome.sentence


@SERVERS
async def test_a_zone_of_some_hundred_signed_messages(tmp_path: Path, server: Server) -> None:
    (tmp_path / "primary").mkdir()
    names = [f"{number:05d}{'-panjang' * 6}.example" for number in range(30_000)]
    with server(tmp_path / "primary", zone_text(1, names), tsig=True) as primary:
        zone = ZoneWorld(tmp_path, primary.location, **KEY)
        outcome = await zone.night()
    assert isinstance(outcome, Admitted), outcome
    assert outcome.version.names == 30_000


async def test_the_visit_runs_in_a_process_of_its_own_and_tells_its_progress(tmp_path: Path) -> None:
    (tmp_path / "primary").mkdir()
    progress = Recorder()
    with knot(tmp_path / "primary", zone_text(1, NAMES), tsig=True) as primary:
        zone = ZoneWorld(tmp_path, primary.location, **KEY)

        async def watched(job: Job, _progress: Progress) -> Received:
            return await visit_apart(job, progress)

        assert isinstance(await zone.night(visit=watched), Admitted)
        zone.source = source_of(primary.location, tsig_name=KEY_NAME, tsig_secret="A" * 24)
        failed = await zone.night(visit=watched)
    assert progress.calls[0] == ("start", ("transfer nasional", 0))
    assert progress.units() == 603 + 300  # RRs, SOA twice and NS; then keys sorted
    assert isinstance(failed, Failed)
    assert "BADSIG" in failed.sentence
