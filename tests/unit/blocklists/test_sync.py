"""A source's whole way: what each outcome leaves in the library, night after night."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from blocklists.admission import Gate, Refusal
from blocklists.fetch import Fetcher
from blocklists.library import Library
from blocklists.parsing import Job, ParseError, parse, work
from blocklists.progress import Silent
from blocklists.source import Source
from blocklists.sync import Admitted, Failed, Outcome, Refused, Unchanged, sync, sync_all
from tests.support.lists import Recorder, plain

NAMES = [f"situs{number}.example" for number in range(100)]


class World:
    """One list's file, a library, and nights on which they are synced."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "list.txt"
        self.library = Library(directory / "lists")
        self.now_s = 0.0
        self.source = Source("contoh", str(self.file))
        self.gate = Gate()

    def publish(self, content: bytes) -> None:
        self.now_s += 1
        self.file.unlink(missing_ok=True)
        self.file.write_bytes(content)

    async def night(self, accept: str | None = None) -> Outcome:
        self.now_s += 1
        return await sync(self.source, self.library, Fetcher(), self.gate, Silent(), self.now_s, accept)

    @property
    def names(self) -> int:
        return self.library.state("contoh").entries


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_list_is_admitted_once_and_unchanged_afterwards(world: World) -> None:
    world.publish(plain(NAMES))
    first = await world.night()
    assert isinstance(first, Admitted)
    assert (first.version.number, first.version.names) == (1, 100)
    assert await world.night() == Unchanged("contoh")
    world.publish(plain(NAMES))  # the file is new, its content is not
    assert await world.night() == Unchanged("contoh")
    assert len(world.library.state("contoh").versions) == 1


async def test_accidents_leave_the_last_good_version_in_force(world: World) -> None:
    world.publish(plain(NAMES))
    await world.night()
    for content, code in (
        (b"<html><title>404</title></html>", Refusal.HTML),
        (b"", Refusal.EMPTY),
        (plain(NAMES[:50]), Refusal.SHRUNK),
        (plain(NAMES) + b"situs", Refusal.TRUNCATED),
    ):
        world.publish(content)
        outcome = await world.night()
        assert isinstance(outcome, Refused)
        assert outcome.refused.code is code
        state = world.library.state("contoh")
        assert state.refusal is not None
        assert (state.refusal.code, state.version, world.names) == (code, 1, 100)
    world.publish(plain([*NAMES, "baru.example"]))
    assert isinstance(await world.night(), Admitted)
    assert world.library.state("contoh").refusal is None


async def test_a_refused_content_is_judged_again_each_night(world: World) -> None:
    world.publish(plain(NAMES))
    await world.night()
    world.publish(plain(NAMES[:50]))
    first, second = await world.night(), await world.night()
    assert first == second
    assert isinstance(first, Refused)


async def test_an_operators_override_is_recorded(world: World) -> None:
    world.publish(plain(NAMES))
    await world.night()
    world.publish(plain(NAMES[:50]))
    refused = await world.night()
    assert isinstance(refused, Refused)
    admitted = await world.night(accept=refused.refused.sha256)
    assert isinstance(admitted, Admitted)
    assert admitted.overridden == refused.refused
    assert admitted.version.overridden == refused.refused.cause
    assert "in spite of" in world.library.state("contoh").history[-1].text


async def test_a_source_that_cannot_be_fetched_is_a_failure_on_record(world: World) -> None:
    world.publish(plain(NAMES))
    await world.night()
    world.file.unlink()
    outcome = await world.night()
    assert isinstance(outcome, Failed)
    assert world.library.state("contoh").last_error == outcome.sentence
    assert world.names == 100


async def test_a_rollback_holds_until_the_source_has_something_new(world: World) -> None:
    world.publish(plain(NAMES))
    await world.night()
    world.publish(plain([*NAMES, "baru.example"]))
    await world.night()
    world.library.rollback("contoh", 1, world.now_s)
    assert isinstance(await world.night(), Unchanged)
    world.publish(plain([*NAMES, "baru.example"]))
    assert isinstance(await world.night(), Unchanged)
    assert world.names == 100
    world.publish(plain([*NAMES, "baru.example", "lagi.example"]))
    assert isinstance(await world.night(), Admitted)
    assert world.names == 102


async def test_another_meaning_of_the_same_content_is_parsed_anew(world: World) -> None:
    world.publish(plain(NAMES))
    await world.night()
    world.source = Source("contoh", str(world.file), subdomains=False)
    assert isinstance(await world.night(), Admitted)
    assert isinstance(await world.night(), Unchanged)


async def test_a_damaged_version_is_fetched_again(world: World) -> None:
    world.publish(plain(NAMES[:99]))
    await world.night()
    world.publish(plain(NAMES))
    await world.night()
    world.library.entries_path("contoh", 2).write_bytes(b"")
    world.library.sound("contoh", world.now_s)
    assert world.names == 99
    assert isinstance(await world.night(), Admitted)
    assert world.names == 100


async def test_a_parser_that_dies_is_a_failure_on_record(world: World) -> None:
    world.publish(plain(NAMES))

    async def killed(job: Job) -> object:
        raise ParseError("parsing contoh ended with signal 9")

    outcome = await sync(world.source, world.library, Fetcher(), world.gate, Silent(), 1.0, parser=killed)  # type: ignore[arg-type]  # never returns
    assert isinstance(outcome, Failed)
    assert "signal 9" in outcome.sentence


async def test_a_full_disk_is_a_failure_on_record(world: World) -> None:
    world.publish(plain(NAMES))

    async def full(job: Job) -> object:
        raise OSError(28, "No space left on device", "/lists/entries")

    outcome = await sync(world.source, world.library, Fetcher(), world.gate, Silent(), 1.0, parser=full)  # type: ignore[arg-type]  # never returns
    assert isinstance(outcome, Failed)
    assert "No space left on device (/lists/entries)" in outcome.sentence


def job(directory: Path, content: bytes) -> Job:
    path = directory / "content"
    path.write_bytes(content)
    return Job(path, Source("contoh", "x"), ("bank.example",), directory / "entries")


async def test_a_process_of_its_own_gives_what_this_one_does(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "apart").mkdir()
    content = plain([*NAMES, "bank.example", "cut"])
    here = work(job(tmp_path / "here", content))
    apart = await parse(job(tmp_path / "apart", content), small_bytes=0)
    assert apart.entries is not None
    assert here.entries is not None
    assert apart.entries.read_bytes() == here.entries.read_bytes()
    assert (apart.complaints, apart.protected, apart.ending) == (here.complaints, here.protected, here.ending)


async def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    made = job(tmp_path, b"a.example\n")
    unwritable = Job(made.path, made.source, (), tmp_path / "none" / "entries")
    with pytest.raises(ParseError, match="status 1: FileNotFoundError"):
        await parse(unwritable, small_bytes=0)


async def test_a_process_is_ended_when_nobody_waits_for_it(tmp_path: Path) -> None:
    task = asyncio.create_task(parse(job(tmp_path, plain(NAMES)), small_bytes=0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_all_sources_are_synced_and_one_failure_leaves_the_others_alone(tmp_path: Path) -> None:
    library = Library(tmp_path / "lists")
    sources = [Source(f"list-{number}", str(tmp_path / f"{number}.txt")) for number in range(5)]
    for number in (0, 1, 3, 4):
        (tmp_path / f"{number}.txt").write_bytes(plain(NAMES))
    recorder = Recorder()
    outcomes = await sync_all(sources, library, Fetcher(), Gate(), recorder, lambda: 7.0, concurrency=2)
    assert [type(outcome) for outcome in outcomes] == [Admitted, Admitted, Failed, Admitted, Admitted]
    assert [outcome.code for outcome in outcomes] == [source.code for source in sources]
    assert recorder.units() == 5
    assert library.codes() == [source.code for source in sources]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"code": "../x"}, "code"),
        ({"code": ""}, "code"),
        ({"location": ""}, "location"),
        ({"format": "xml"}, "format"),
        ({"shrink_limit": 1.5}, "shrink_limit"),
        ({"max_size_bytes": 0}, "max_size_bytes"),
        ({"max_entries": -1}, "max_entries"),
        ({"timeout_s": 0.0}, "timeout_s"),
    ],
)
def test_a_source_that_makes_no_sense_says_what_does_not(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Source(**{"code": "contoh", "location": "x", **changes})  # type: ignore[arg-type]  # wrong on purpose
