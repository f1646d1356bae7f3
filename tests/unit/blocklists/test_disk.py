"""The library's disk space stays in its quota, and what is in force stays whatever the quota is."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists.admission import Gate
from blocklists.disk import FORGET_AFTER_S, forget, shrink
from blocklists.fetch import Fetcher
from blocklists.library import Library
from blocklists.progress import Silent
from blocklists.source import Source
from blocklists.sync import sync
from tests.support.lists import plain


@pytest.fixture
async def library(tmp_path: Path) -> Library:
    """Two lists with three versions each; those of ``lama`` are older."""
    library = Library(tmp_path / "lists")
    for offset, code in enumerate(("lama", "baru")):
        for night in range(3):
            file = tmp_path / "list.txt"
            file.unlink(missing_ok=True)
            file.write_bytes(plain([f"situs{number}.example" for number in range(200 + night)]))
            now_s = 100.0 * offset + night
            await sync(Source(code, str(file)), library, Fetcher(), Gate(), Silent(), now_s)
    return library


def kept(library: Library) -> dict[str, list[int]]:
    return {code: [version.number for version in library.state(code).versions] for code in library.codes()}


def total(library: Library) -> int:
    return sum(library.size_bytes(code) for code in library.codes())


async def test_within_the_quota_nothing_goes(library: Library) -> None:
    assert shrink(library, total(library)) == ()


async def test_the_oldest_goes_first_and_the_way_back_last(library: Library) -> None:
    before = total(library)
    (freed,) = shrink(library, before - 1)
    assert (freed.code, freed.version) == ("lama", 1)
    # The state files got shorter, too.
    assert 0 < freed.size_bytes <= before - total(library)
    assert [(one.code, one.version) for one in shrink(library, 1)] == [("baru", 1), ("lama", 2), ("baru", 2)]
    assert kept(library) == {"baru": [3], "lama": [3]}
    assert library.sound("lama", 9.0) is not None
    assert shrink(library, 1) == ()


async def test_what_was_rolled_back_to_stays(library: Library) -> None:
    library.rollback("lama", 1, 9.0)
    shrink(library, 1)
    assert kept(library)["lama"] == [1]


async def test_a_list_that_nobody_enters_any_more_goes_after_a_week(library: Library) -> None:
    at_s = 102.0 + FORGET_AFTER_S
    assert forget(library, ["lama", "baru"], at_s + 1) == ()
    assert [(one.code, one.version) for one in forget(library, ["baru"], at_s)] == [("lama", 0)]
    assert forget(library, [], at_s) == ()
    assert library.codes() == ["baru"]
    assert forget(library, [], at_s + 1)[0].code == "baru"


def test_dropping_what_is_in_force_or_not_there_does_nothing(tmp_path: Path) -> None:
    assert Library(tmp_path).drop("contoh", 1) == 0
