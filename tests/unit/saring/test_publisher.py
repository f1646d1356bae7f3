"""Publishing from a real SQLite database and library: when there is work, when there is none, who wins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update

from admin_api.database import editing
from admin_api.journal import advance_revision
from admin_api.migrations import upgrade
from admin_api.models import AgencyRow, Blocklist, NetworkRow
from blocklists.admission import Gate
from blocklists.progress import Silent, SilentBoard
from dnswire.name import from_text
from policy.explain import ByTenant, explain
from policy.model import Verdict
from saring.bootstrap import import_document
from saring.config import load
from saring.config_schema import Config
from saring.control import Control, open_control
from saring.labels import GenerationLabels
from saring.list_sync import sync_lists
from saring.people import local_actor
from saring.process_prepare import prepare
from saring.publisher import Publisher, PublishError, current_policy, needs_compiling, newest_policy
from saring.state_dir import StateDir
from saring.status import current_generation, newest_revision
from saring.sync_job import run_sync
from snapshots.generation import open_current
from snapshots.layout import current_target, number_of
from snapshots.publish import rollback

NOW_S = 1_800_000_000.0

DOCUMENT = """
[regency]
name = "Kabupaten Contoh"

[[agency]]
code = "dinkes"
name = "Dinas Kesehatan"
networks = ["10.20.0.0/24"]

[[category]]
code = "perjudian"
title = "Perjudian"
negative = true

[[list]]
code = "judi"
title = "Judi"
location = "judi.txt"
categories = ["perjudian"]

[[list]]
code = "jauh"
title = "Dari jauh"
location = "http://127.0.0.1:9/jauh.txt"
categories = ["perjudian"]
"""


def clock() -> float:
    return NOW_S


class Meanwhile(Silent):
    """Does something when the compiler, which runs in a thread, begins; waits for its end."""

    def __init__(self, work: Callable[[], Coroutine[None, None, int]]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.results: list[int] = []

    def start(self, label: str, total: int) -> None:
        self.results.append(asyncio.run_coroutine_threadsafe(self._work(), self._loop).result(timeout=20))


@dataclass
class World:
    config: Config
    state: StateDir
    control: Control
    publisher: Publisher
    directory: Path

    async def compile(self) -> int:
        return (await self.publisher.compile_and_publish(self.control.library, Silent())).generation

    async def publish(self) -> int:
        return (await self.publisher.publish()).generation

    async def sync(self, *codes: str) -> list[str]:
        done = await run_sync(self.config, self.state, codes or None, SilentBoard(), clock)
        return [result.kind for result in done.results]

    async def rename_agency(self, name: str) -> None:
        async with editing(self.control.sessions) as session:
            await session.execute(update(AgencyRow).values(name=name))
            await advance_revision(session)

    async def switch(self, enabled: bool) -> None:
        async with editing(self.control.sessions) as session:
            await session.execute(update(Blocklist).where(Blocklist.code == "judi").values(enabled=enabled))
            await advance_revision(session)

    def is_blocked(self, name: str) -> bool:
        generation = open_current(self.state.snapshots)
        try:
            wire = from_text(name)
            explanation = explain(generation.policy, generation.index, ByTenant(0), wire, 1, NOW_S)
            return explanation.decision.verdict is Verdict.BLOCKED
        finally:
            generation.close()

    async def to_compile(self) -> bool:
        return needs_compiling(self.state.snapshots, await self.control.sources(), self.control.library)

    def list_names(self, *names: str) -> None:
        (self.directory / "judi.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")

    def is_listed(self, name: str) -> bool:
        generation = open_current(self.state.snapshots)
        try:
            return bool(generation.index.match(from_text(name)))
        finally:
            generation.close()

    @property
    def current(self) -> int:
        return number_of(current_target(self.state.snapshots))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    state = StateDir(tmp_path / "var")
    state.create()
    (tmp_path / "regency.toml").write_text(DOCUMENT, encoding="utf-8")
    config = load(None, {"SARING_CONFIG": "/dev/null"}).config
    async with open_control(config, state) as control:
        await upgrade(control.engine)
        await import_document(control.sessions, tmp_path / "regency.toml", local_actor(), NOW_S)
        publisher = Publisher(state, control.sessions, clock)
        made = World(config, state, control, publisher, tmp_path)
        made.list_names("judi.example", "slot.example", "togel.example")
        yield made


async def test_a_sync_fetches_compiles_and_publishes(world: World) -> None:
    assert await world.sync("judi") == ["admitted"]
    assert world.is_listed("www.judi.example")
    assert not world.is_listed("example.org")
    _, policy = current_policy(world.state.snapshots)
    assert policy is not None
    assert [bool(info.version) for info in policy.lists] == [True, False]
    assert policy.lists[0].version.startswith("1.")


async def test_nothing_new_is_no_work_and_no_generation(world: World) -> None:
    await world.sync("judi")
    first = world.current
    assert await world.compile() == first
    assert await world.publish() == first
    assert await world.sync("judi") == ["unchanged"]
    assert world.current == first


async def test_an_edit_keeps_the_index_in_force(world: World) -> None:
    await world.sync("judi")
    before = open_current(world.state.snapshots)
    await world.rename_agency("Dinas Baru")
    number = await world.publish()
    after = open_current(world.state.snapshots)
    assert after.number == number == before.number + 1
    assert after.manifest.index_digest == before.manifest.index_digest
    assert after.policy.agencies[0].name == "Dinas Baru"
    assert after.policy.lists == before.policy.lists
    before.close()
    after.close()


async def test_an_edit_does_not_wait_for_the_compiler(world: World) -> None:
    await world.sync("judi")
    world.list_names("judi.example", "poker.example", "slot.example")
    source = next(row for row in await world.control.sources() if row.code == "judi")
    await sync_lists([source], world.control.library, Gate(), world.config.lists, SilentBoard(), clock)
    await world.rename_agency("Dinas Baru")
    meanwhile = Meanwhile(world.publish)
    published = await world.publisher.compile_and_publish(world.control.library, meanwhile)
    assert (meanwhile.results, published.generation) == ([2], 3)
    assert world.is_listed("poker.example")


async def test_a_list_that_changed_is_compiled_anew(world: World) -> None:
    await world.sync("judi")
    world.list_names("judi.example", "slot.example", "togel.example", "poker.example")
    assert await world.sync("judi") == ["admitted"]
    assert world.is_listed("poker.example")


async def test_a_list_that_fails_harms_no_other(world: World) -> None:
    assert await world.sync() == ["admitted", "failed"]
    assert world.is_listed("judi.example")
    assert await world.control.never_fetched() == ["jauh"]


async def test_an_unknown_list_is_named(world: World) -> None:
    with pytest.raises(PublishError, match="there is no list x; known are jauh, judi"):
        await world.sync("x")


async def test_the_first_publication_needs_no_list(world: World) -> None:
    assert await world.publish() == 1
    assert not world.is_listed("judi.example")


async def test_a_rollback_holds_until_the_next_edit(world: World) -> None:
    await world.sync("judi")
    await world.rename_agency("Salah")
    await world.publish()
    rollback(world.state.snapshots, None)
    assert world.current == 1
    # What a restart and the repair loop do:
    assert await world.compile() == 1
    assert await world.publish() == 1
    assert newest_revision(world.state.snapshots) == await world.control.revision()
    assert (current_policy(world.state.snapshots)[0], newest_policy(world.state.snapshots)[0]) == (1, 2)
    await world.rename_agency("Benar")
    assert await world.publish() == 3


async def test_a_list_is_off_at_once_and_on_again_at_once(world: World) -> None:
    await world.sync("judi")
    assert world.is_blocked("judi.example")
    await world.switch(False)
    await world.publish()
    assert not world.is_blocked("judi.example")
    await world.compile()
    assert not world.is_blocked("judi.example")
    assert not await world.to_compile()
    await world.switch(True)
    await world.publish()
    assert await world.to_compile()
    await world.compile()
    assert world.is_blocked("judi.example")
    assert not await world.to_compile()


async def test_a_damaged_generation_is_published_anew_at_the_next_start(world: World) -> None:
    await world.sync("judi")
    (world.state.snapshots / "current" / "policy.json").write_bytes(b"{}")
    assert await world.compile() == 2
    assert world.is_listed("judi.example")


async def test_a_damaged_index_is_compiled_anew_at_the_next_start(world: World) -> None:
    await world.sync("judi")
    (index,) = [path for path in world.state.index.iterdir() if path.is_dir()]
    for path in index.iterdir():
        path.write_bytes(b"")
    await world.compile()
    assert world.is_listed("judi.example")


async def test_an_unsound_policy_is_not_published(world: World) -> None:
    await world.publish()
    async with editing(world.control.sessions) as session:
        await session.execute(update(NetworkRow).values(cidr="10.20.0.0/99"))
        await advance_revision(session)
    with pytest.raises(PublishError, match=r"is not sound: .*10\.20\.0\.0/99.*Correct it there"):
        await world.publish()
    assert world.current == 1


async def test_publishing_at_once_from_all_sides_ends_with_the_newest_revision(world: World) -> None:
    await world.publish()

    async def edit_and_publish(number: int) -> None:
        await world.rename_agency(f"Dinas {number}")
        await world.publish()

    await asyncio.gather(*(edit_and_publish(number) for number in range(5)))
    _, _, revision = current_generation(world.state.snapshots)
    assert revision == await world.control.revision()


async def test_preparing_twice_does_the_work_once(world: World) -> None:
    first = await prepare(world.config, world.state)
    assert first["generation"] == 1
    assert first["blocked_example"] in {"judi.example", "slot.example", "togel.example"}
    second = await prepare(world.config, world.state)
    assert second["generation"] == 1
    # A code is shown for as long as there is no administrator, and only the last one counts.
    assert first["setup_code"]
    assert second["setup_code"] not in ("", first["setup_code"])


async def test_labels_of_a_generation(world: World) -> None:
    await world.sync("judi")
    labels = GenerationLabels(world.state.snapshots, kept=1)
    assert (labels(1).agency(1), labels(1).list(1), labels(1).category(1)) == ("dinkes", "judi", "perjudian")
    with pytest.raises(LookupError):
        labels(1).agency(99)
    with pytest.raises(LookupError, match="generation 7 cannot be read"):
        labels(7)
    await world.rename_agency("Dinas Baru")
    await world.publish()
    assert labels(2).agency(1) == "dinkes"
    assert labels(1).agency(1) == "dinkes"
