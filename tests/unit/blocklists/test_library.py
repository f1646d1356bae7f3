"""Versions, rollback, differences, and what the disk can do to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists.admission import Refusal, Refused
from blocklists.fetch import Fetched, Validators
from blocklists.library import Library, LibraryError
from blocklists.source import Source
from blocklists.state import MAX_HISTORY, Version
from tests.support.lists import entries_in, parsed_from, plain

SOURCE = Source("contoh", "https://daftar.example/contoh.txt")


def put(library: Library, content: bytes, now_s: float, source: Source = SOURCE) -> Version:
    """Takes content in as an admitted update."""
    with library.workspace(source.code) as directory:
        parsed = parsed_from(directory, content, source)
        fetched = Fetched(directory / "content", f"{now_s}", len(content), Validators("tag"), source.location)
        return library.store(source, fetched, parsed, now_s)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "lists", keep=3)


def test_a_list_never_seen_has_an_empty_state(library: Library) -> None:
    state = library.state("contoh")
    assert (state.version, state.entries, state.versions, library.codes()) == (0, 0, (), [])
    assert library.sound("contoh", 1.0) is None


def test_a_stored_version_is_in_force(library: Library) -> None:
    version = put(library, plain(["a.example", "b.example"]), 100.0)
    state = library.state("contoh")
    assert state.current == version
    assert (version.number, version.names, state.entries) == (1, 2, 2)
    assert (state.changed_s, state.fetched_s, state.checked_s, state.etag) == (100.0, 100.0, 100.0, "tag")
    sound = library.sound("contoh", 101.0)
    assert sound is not None
    assert entries_in(sound.entries) == [("a.example", "subtree"), ("b.example", "subtree")]
    assert library.codes() == ["contoh"]
    assert not list((library.root / "contoh").glob("incoming-*"))


def test_old_versions_give_way(library: Library) -> None:
    for number in range(1, 7):
        put(library, plain([f"a{number}.example"]), float(number))
    kept = sorted(path.name for path in (library.root / "contoh" / "versions").iterdir())
    assert kept == ["000004", "000005", "000006"]
    assert [version.number for version in library.state("contoh").versions] == [4, 5, 6]


def test_a_rollback_puts_a_kept_version_in_force_and_says_so(library: Library) -> None:
    put(library, plain(["a.example"]), 1.0)
    put(library, plain(["a.example", "b.example"]), 2.0)
    state = library.rollback("contoh", 1, 3.0)
    assert (state.version, state.entries, state.changed_s) == (1, 1, 3.0)
    assert library.state("contoh") == state
    assert (state.history[-1].kind, state.history[-1].text) == ("rolled_back", "from version 2 to 1")
    # What was seen last stays seen, so that the next sync does not bring version 2 back by itself.
    assert state.seen_sha256 == "2.0"


def test_the_version_in_force_is_kept_even_if_it_is_the_oldest(library: Library) -> None:
    for number in range(1, 4):
        put(library, plain([f"a{number}.example"]), float(number))
    library.rollback("contoh", 1, 9.0)
    put(library, plain(["new.example"]), 10.0)
    assert library.state("contoh").version == 4


def test_a_rollback_to_a_version_not_kept_names_those_that_are(library: Library) -> None:
    put(library, plain(["a.example"]), 1.0)
    with pytest.raises(LibraryError, match="no version 7; kept are: 1"):
        library.rollback("contoh", 7, 2.0)


def test_a_damaged_version_gives_way_to_the_one_before(library: Library) -> None:
    put(library, plain(["a.example"]), 1.0)
    put(library, plain(["a.example", "b.example"]), 2.0)
    entries = library.entries_path("contoh", 2)
    entries.write_bytes(entries.read_bytes()[:-3])
    sound = library.sound("contoh", 5.0)
    assert sound is not None
    assert sound.version.number == 1
    state = library.state("contoh")
    assert (state.version, state.history[-1].kind) == (1, "damaged")
    # Its content is fetched and admitted anew: nothing of it counts as seen.
    assert (state.etag, state.seen_sha256) == ("", "")
    with pytest.raises(LibraryError, match="damaged"):
        library.rollback("contoh", 2, 6.0)


def test_no_sound_version_is_none(library: Library) -> None:
    put(library, plain(["a.example"]), 1.0)
    library.entries_path("contoh", 1).unlink()
    assert library.sound("contoh", 2.0) is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"code": 7}', b"\xff"])
def test_a_lost_state_is_rebuilt_from_the_versions(content: bytes, library: Library) -> None:
    put(library, plain(["a.example"]), 1.0)
    put(library, plain(["a.example", "b.example"]), 2.0)
    (library.root / "contoh" / "state.json").write_bytes(content)
    state = library.state("contoh")
    assert (state.version, state.entries, state.changed_s) == (2, 2, 2.0)
    assert [version.number for version in state.versions] == [1, 2]
    assert state.history[-1].kind == "damaged"


def test_a_half_written_version_is_written_over(library: Library) -> None:
    left = library.entries_path("contoh", 1)
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert put(library, plain(["a.example"]), 1.0).number == 1
    assert library.sound("contoh", 2.0) is not None


def test_differences_count_all_and_show_the_first(library: Library) -> None:
    put(library, plain([f"old{number}.example" for number in range(100)] + ["both.example"]), 1.0)
    put(library, plain([f"new{number}.example" for number in range(70)] + ["both.example"]), 2.0)
    diff = library.diff("contoh", 1, 2)
    assert (diff.added, diff.removed) == (70, 100)
    assert (len(diff.first_added), len(diff.first_removed)) == (50, 50)
    assert all(change.name.startswith("new") and change.kind == "subtree" for change in diff.first_added)
    back = library.diff("contoh", 2, 1)
    assert (back.added, back.removed) == (100, 70)
    assert library.diff("contoh", 2, 2).added == 0
    with pytest.raises(LibraryError, match="no version 5"):
        library.diff("contoh", 1, 5)


def test_an_entry_that_changes_its_kind_went_and_came(library: Library) -> None:
    put(library, plain(["a.example"]), 1.0)
    put(library, plain(["a.example"]), 2.0, Source("contoh", "x", subdomains=False))
    diff = library.diff("contoh", 1, 2)
    assert [(change.name, change.kind) for change in diff.first_added] == [("a.example", "exact")]
    assert [(change.name, change.kind) for change in diff.first_removed] == [("a.example", "subtree")]


def test_refusals_and_failures_are_remembered_once_and_cleared_by_success(library: Library) -> None:
    put(library, plain(["a.example"]), 1.0)
    refused = Refused(Refusal.SHRUNK, "it shrank.", "it shrank. look.", "ab" * 32, 0, final=False)
    for now_s in (2.0, 3.0):
        library.record_refusal("contoh", refused, now_s)
        library.record_failure("contoh", "no route to host", now_s)
    state = library.state("contoh")
    assert state.refusal is not None
    assert (state.refusal.code, state.refusal.at_s, state.last_error) == ("shrunk", 3.0, "no route to host")
    assert (state.version, state.checked_s) == (1, 3.0)
    assert [event.kind for event in state.history].count("refused") == 1
    library.record_unchanged(SOURCE, "1.0", Validators(), 4.0)
    state = library.state("contoh")
    assert (state.refusal, state.last_error, state.fetched_s) == (None, "", 4.0)


def test_history_is_bounded(library: Library) -> None:
    for number in range(MAX_HISTORY + 20):
        library.record_failure("contoh", f"failure {number}", float(number))
    history = library.state("contoh").history
    assert (len(history), history[-1].text) == (MAX_HISTORY, f"failure {MAX_HISTORY + 19}")


def test_a_workspace_of_a_dead_process_is_removed_and_of_a_living_one_is_not(library: Library) -> None:
    base = library.root / "contoh"
    (base / "incoming-4194999-dead").mkdir(parents=True)  # above the kernel's highest process id
    (base / "incoming-1-living").mkdir()
    with library.workspace("contoh"):
        names = {path.name for path in base.iterdir()}
    assert "incoming-4194999-dead" not in names
    assert "incoming-1-living" in names


@pytest.mark.parametrize("code", ["", "..", "a/b", "a\0b", ".hidden"])
def test_a_code_that_would_leave_the_library_is_refused(code: str, library: Library) -> None:
    with pytest.raises(LibraryError):
        library.state(code)


def test_a_removed_list_is_forgotten(library: Library) -> None:
    put(library, plain(["a.example"]), 1.0)
    library.remove("contoh")
    assert library.codes() == []


def test_one_version_alone_leaves_nothing_to_go_back_to(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        Library(tmp_path, keep=1)
