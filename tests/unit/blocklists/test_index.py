"""The compiled index: what it matches, that it is shared and immutable, and how damage is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists import compiler
from blocklists.compiler import ListInput, compile_index
from blocklists.entries import EntriesDamaged, read_keys, read_sections
from blocklists.entry import BELOW, EXACT, SUBTREE, Cover
from blocklists.index import Index, IndexDamaged, Match, matched_name
from blocklists.manifest import FILES, FILTER, MANIFEST
from blocklists.progress import Silent
from dnswire.name import from_text, to_text
from tests.support.lists import Recorder, compiled, opened, write_covers


def wire(text: str) -> bytes:
    return from_text(text)


ALLOW = int(Cover.ALLOW_SELF | Cover.ALLOW_BELOW)
LISTS = {
    7: {wire("a.example"): SUBTREE, wire("b.example"): EXACT, wire("c.example"): BELOW},
    9: {wire("a.example"): EXACT, wire("www.a.example"): SUBTREE, wire("x.a.example"): ALLOW},
}


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return opened(tmp_path, LISTS)


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("a.example", [(2, 7, False), (2, 9, False)]),
        ("www.a.example", [(3, 9, False), (2, 7, False)]),
        ("deep.www.a.example", [(3, 9, False), (2, 7, False)]),
        ("x.a.example", [(3, 9, True), (2, 7, False)]),
        ("b.example", [(2, 7, False)]),
        ("www.b.example", []),
        ("c.example", []),
        ("www.c.example", [(2, 7, False)]),
        ("nota.example", []),
        ("example", []),
        (".", []),
    ],
)
def test_a_name_matches_every_entry_that_covers_it_the_longest_first(
    name: str, matches: list[tuple[int, int, bool]], index: Index
) -> None:
    assert index.match(wire(name)) == tuple(Match(*match) for match in matches)
    assert index.match(wire(name)) == tuple(Match(*match) for match in matches), "the second time from memory"


def test_the_matched_name_is_so_many_labels_of_the_name(index: Index) -> None:
    name = wire("deep.www.a.example")
    assert [to_text(matched_name(name, match.labels)) for match in index.match(name)] == ["www.a.example", "a.example"]


def test_octets_that_look_like_a_listed_name_inside_a_label_are_no_match(tmp_path: Path) -> None:
    # 48 is "0": read backwards, a label of 50 octets ending in "0" and 48 others holds the key of the listed one.
    tail = b"y" * 48
    listed = b"\x30" + tail + b"\x07example\x00"
    index = opened(tmp_path, {1: {listed: SUBTREE}})
    assert index.match(listed) == (Match(2, 1, False),)
    assert index.match(b"\x32a0" + tail + b"\x07example\x00") == ()
    assert index.match(b"\x01a" + listed) == (Match(2, 1, False),)


def test_any_octet_may_stand_in_a_query(index: Index) -> None:
    assert index.match(b"\x05a.b\x00\xff" + wire("a.example")) == index.match(wire("zz.a.example"))


def test_an_index_of_nothing_matches_nothing(tmp_path: Path) -> None:
    empty = compile_index([], tmp_path, Silent())
    index = Index.open(empty.path)
    assert (index.names, index.match(wire("a.example"))) == (0, ())
    index.close()


def test_the_same_lists_give_the_same_index_without_work(tmp_path: Path) -> None:
    first = compiled(tmp_path, LISTS)
    assert not first.reused
    before = (first.path / MANIFEST).stat().st_mtime_ns
    again = compiled(tmp_path, dict(reversed(LISTS.items())))
    assert (again.digest, again.path, again.reused) == (first.digest, first.path, True)
    assert (first.path / MANIFEST).stat().st_mtime_ns == before
    assert compiled(tmp_path, {7: LISTS[7]}).digest != first.digest
    assert compiled(tmp_path, {8: LISTS[7], 9: LISTS[9]}).digest != first.digest


def test_the_directory_holds_whole_indexes_only(tmp_path: Path) -> None:
    (tmp_path / "index" / ".building").mkdir(parents=True)
    (tmp_path / "index" / ".building" / "left").write_bytes(b"by a process that died")
    made = compiled(tmp_path, LISTS)
    assert {path.name for path in (tmp_path / "index").iterdir()} == {made.digest, ".lock", ".secret"}
    assert {path.name for path in made.path.iterdir()} == {*FILES, MANIFEST}


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
@pytest.mark.parametrize("how", ["cut", "changed", "missing"])
def test_damage_is_found_on_opening_and_mended_by_compiling(name: str, how: str, tmp_path: Path) -> None:
    made = compiled(tmp_path, LISTS)
    path = made.path / name
    content = bytearray(path.read_bytes())
    if how == "cut":
        path.write_bytes(content[:-1])
    elif how == "changed":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    else:
        path.unlink()
    with pytest.raises(IndexDamaged, match=str(path)):
        Index.open(made.path)
    mended = compiled(tmp_path, LISTS)
    assert not mended.reused
    Index.open(mended.path).close()


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiler, "fsync_file", full_disk)
    with pytest.raises(OSError, match="No space"):
        compiled(tmp_path, LISTS)
    assert {path.name for path in (tmp_path / "index").iterdir()} == {".lock", ".secret"}


def test_the_same_lists_give_the_same_files_again(tmp_path: Path) -> None:
    made = compiled(tmp_path, LISTS)
    before = {name: (made.path / name).read_bytes() for name in (*FILES, MANIFEST)}
    (made.path / FILES[0]).unlink()
    assert not compiled(tmp_path, LISTS).reused
    assert {name: (made.path / name).read_bytes() for name in (*FILES, MANIFEST)} == before


def test_another_machine_hashes_otherwise(tmp_path: Path) -> None:
    for one in ("here", "there"):
        (tmp_path / one).mkdir()
    here, there = (compiled(tmp_path / one, LISTS) for one in ("here", "there"))
    assert here.digest == there.digest
    assert (here.path / FILTER).read_bytes() != (there.path / FILTER).read_bytes()
    assert (tmp_path / "here" / "index" / ".secret").stat().st_mode & 0o777 == 0o600


def test_progress_adds_up(tmp_path: Path) -> None:
    recorder = Recorder()
    one = write_covers(tmp_path / "one", {wire("a.example"): SUBTREE, wire("b.example"): SUBTREE})
    two = write_covers(tmp_path / "two", {wire("a.example"): SUBTREE})
    compile_index([ListInput(1, "one", one), ListInput(2, "two", two)], tmp_path / "index", recorder)
    assert recorder.calls[0][0] == "start"
    assert recorder.calls[-1] == ("done", None)
    assert recorder.units() > 0


@pytest.mark.parametrize("ids", [(1, 1), (0, 1), (-1, 1), (1 << 28, 1)])
def test_ids_that_cannot_be_told_apart_are_refused(ids: tuple[int, int], tmp_path: Path) -> None:
    path = write_covers(tmp_path / "entries", {wire("a.example"): SUBTREE})
    with pytest.raises(ValueError, match="list id"):
        compile_index([ListInput(list_id, "x", path) for list_id in ids], tmp_path / "index", Silent())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"something else\n",
        b"saring-entries 1 [[1,1,5]]\nabc",
        b"saring-entries 1 [[1,1,5]".ljust(1023) + b"\n",
        b"saring-entries 1 [[99,1,5]]".ljust(1023) + b"\nabcd\0",
        b"saring-entries 1 [[1,2,5]]".ljust(1023) + b"\nabcd\0",
        b"saring-entries 1 [[1,1,5]]".ljust(1023) + b"\nabcd",
        b"saring-entries 1 [[1,1,5]]".ljust(1023) + b"\nabcde",
        b"saring-entries 1 7".ljust(1023) + b"\n",
        b'saring-entries 1 [["1"]]'.ljust(1023) + b"\n",
    ],
)
def test_a_damaged_entries_file_is_never_compiled(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "entries"
    path.write_bytes(content)

    def read_all() -> None:
        for section in read_sections(path):
            list(read_keys(section))

    with pytest.raises(EntriesDamaged):
        read_all()
