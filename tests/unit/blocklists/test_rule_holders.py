"""Which lists have rules and ranges about a name or an address, and since which version."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from blocklists.compiler import ListInput, compile_index
from blocklists.fetch import Fetched, Validators
from blocklists.holders import Holder
from blocklists.index import Index
from blocklists.library import Library
from blocklists.progress import Silent
from blocklists.rule_holders import address_holders, rule_holders
from blocklists.source import Source
from dnswire.name import from_text
from tests.support.lists import parsed_from

OLD = b"||slot.example^\n/^judi[0-9]+\\./\n"
NEW = b"! baru\n||slot.example^\n/^judi[0-9]+\\./\n||kasino.example^$important\n"
RANGES = b"9.9.9.0/24\n9.9.8.7\n"


def stored(library: Library, directory: Path, code: str, form: str, *contents: bytes) -> Path:
    """The last version's entries."""
    for number, content in enumerate(contents):
        place = directory / f"{code}-{number}"
        place.mkdir()
        source = Source(code, "x", format=form)
        parsed = parsed_from(place, content, source)
        fetched = Fetched(place / "content", f"{number}", len(content), Validators(), "x")
        library.store(source, fetched, parsed, 1_000.0 + number)
    return library.entries_path(code, library.state(code).version)


@pytest.fixture
def world(tmp_path: Path) -> tuple[Library, Index]:
    library = Library(tmp_path / "lists")
    entries = stored(library, tmp_path, "adguard", "adblock", OLD, NEW)
    ranges = stored(library, tmp_path, "alamat", "addresses", RANGES)
    inputs = [ListInput(1, "adguard", entries), ListInput(2, "alamat", ranges)]
    return library, Index.open(compile_index(inputs, tmp_path / "index", Silent()).path)


CODES = {1: "adguard", 2: "alamat"}


def short(found: tuple[Holder, ...]) -> list[tuple[str, str, str, int, int]]:
    return [(one.code, one.entry, one.kind, one.since_version, one.line) for one in found]


def test_rules_about_a_name(world: tuple[Library, Index]) -> None:
    library, index = world
    with closing(index):
        old = short(rule_holders(library, index, CODES, from_text("judi77.example")))
        new = short(rule_holders(library, index, CODES, from_text("www.kasino.example")))
        assert old == [("adguard", "/^judi[0-9]+\\./", "rule: block", 1, 3)]
        assert new == [("adguard", "||kasino.example^$important", "rule: block", 2, 4)]
        assert rule_holders(library, index, CODES, from_text("slot.example")) == ()  # an entry: holders.py tells


def test_ranges_about_an_address(world: tuple[Library, Index]) -> None:
    library, index = world
    with closing(index):
        found = address_holders(library, index, CODES, "9.9.9.9")
        assert short(found) == [("alamat", "9.9.9.0/24", "range", 1, 0)]
        assert address_holders(library, index, CODES, "192.0.2.1") == ()
        with pytest.raises(ValueError, match="nowhere"):
            address_holders(library, index, CODES, "nowhere")


def test_a_list_that_is_gone_is_left_out(world: tuple[Library, Index]) -> None:
    library, index = world
    with closing(index):
        assert rule_holders(library, index, {}, from_text("judi77.example")) == ()
