"""Insight against a plain count over sets and dicts; and what is kept of it."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

import pytest

from blocklists import entries
from blocklists.entry import Cover
from blocklists.insight import InsightInput, ListShare, Overlap, Shadowed, Shares, compare_lists
from blocklists.insight_file import INSIGHT, NO_INSIGHT, Insight, ListHits, read_insight, write_insight
from blocklists.progress import Silent
from dnswire.name import from_text, parents, to_text
from tests.support.lists import Recorder, write_covers

Lists = dict[str, dict[bytes, int]]

BLOCKED = int(Cover.SELF | Cover.BELOW)


def inputs_of(directory: Path, lists: Lists) -> list[InsightInput]:
    return [
        InsightInput(10 * (place + 1), code, 1, write_covers(directory / code, covers))
        for place, (code, covers) in enumerate(lists.items())
    ]


def names(*texts: str, cover: int = BLOCKED) -> dict[bytes, int]:
    return {from_text(text): cover for text in texts}


def shares_of(directory: Path, **lists: dict[bytes, int]) -> dict[str, ListShare]:
    return {one.code: one for one in compare_lists(inputs_of(directory, lists), Silent()).lists}


def blocking_lists_above(lists: Lists, name: bytes) -> set[str]:
    """Lists that block all below some parent of the name, nearer allowances considered."""
    found: set[str] = set()
    above = list(parents(name))[1:-1]
    for parent in reversed(above):
        for code, covers in lists.items():
            cover = covers.get(parent, 0)
            if cover & Cover.BELOW:
                found.add(code)
            if cover & Cover.ALLOW_BELOW:
                found.discard(code)
    return found


def counted_plainly(lists: Lists) -> dict[str, tuple[int, int, int, int]]:
    found = {}
    for code, covers in lists.items():
        others = [other for name, other in lists.items() if name != code]
        unique = {name for name in covers if not any(name in other for other in others)}
        only_blocks = {name for name, cover in covers.items() if not cover & 12}
        elsewhere = {name for name in unique & only_blocks if blocking_lists_above(lists, name) - {code}}
        shadowed = {name for name in only_blocks if code in blocking_lists_above(lists, name)}
        found[code] = (len(covers), len(unique), len(unique) - len(elsewhere), len(shadowed))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_counts_are_those_of_a_plain_count(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Chunks of a few names, so that what belongs together lies in several of them.
    monkeypatch.setattr(entries, "_CHUNK_SIZE", 64)
    monkeypatch.setattr(entries.read_keys, "__defaults__", (64,))
    chance = random.Random(seed)
    # "-" is 45 and "0" 48: labels of those sizes end in an octet that another label may hold.
    labels = [b"a", b"b", b"aa", b"x" * 45, b"-" + b"x" * 45, b"0" + b"y" * 48, b"y" * 48]
    lists: Lists = {}
    for code in ("satu", "dua", "tiga"):
        covers: dict[bytes, int] = {}
        for _ in range(chance.randrange(1, 60)):
            parts = [chance.choice(labels) for _ in range(chance.randrange(1, 5))]
            name = b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
            covers[name] = chance.choice((BLOCKED, BLOCKED, 1, 2, 4, 8, 12, 7))
        lists[code] = covers
    shares = compare_lists(inputs_of(tmp_path, lists), Silent())
    told = {one.code: (one.names, one.unique, one.contribution, one.shadowed) for one in shares.lists}
    assert told == counted_plainly(lists)
    assert shares.names == len(set().union(*lists.values()))
    common = {
        Overlap(a, b, len(lists[a].keys() & lists[b].keys()))
        for a, b in combinations(lists, 2)
        if lists[a].keys() & lists[b].keys()
    }
    assert set(shares.overlaps) == common
    for one in shares.lists:
        assert len(one.examples) == min(one.shadowed, 20)
        for example in one.examples:
            assert from_text(example.by) in parents(from_text(example.name))
            assert lists[one.code][from_text(example.by)] & Cover.BELOW


def test_a_wider_entry_of_the_same_list_makes_one_vain_and_one_of_another_list_makes_it_no_contribution(
    tmp_path: Path,
) -> None:
    found = shares_of(
        tmp_path,
        satu=names("judi.example", "www.judi.example", "slot.example"),
        dua=names("m.slot.example", "togel.example"),
    )
    assert (found["satu"].unique, found["satu"].contribution, found["satu"].shadowed) == (3, 3, 1)
    assert found["satu"].examples == (Shadowed("www.judi.example", "judi.example"),)
    assert (found["dua"].unique, found["dua"].contribution, found["dua"].shadowed) == (2, 1, 0)


def test_an_allowance_between_makes_the_name_below_count_again(tmp_path: Path) -> None:
    covers = names("example.test", "deep.ok.example.test") | names("ok.example.test", cover=12)
    assert shares_of(tmp_path, satu=covers)["satu"].shadowed == 0


def test_progress_counts_every_name_and_ends(tmp_path: Path) -> None:
    watched = Recorder()
    compare_lists(inputs_of(tmp_path, {"satu": names("a.example"), "dua": names("b.example")}), watched)
    assert watched.calls[0] == ("start", ("compare lists", 2))
    assert (watched.units(), watched.calls[-1]) == (2, ("done", None))


def test_without_lists_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert compare_lists([], Silent()) == Shares(0, (), ())


def test_what_is_kept_is_what_is_read(tmp_path: Path) -> None:
    shares = compare_lists(inputs_of(tmp_path, {"satu": names("a.example"), "dua": names("a.example")}), Silent())
    kept = Insight(5.0, shares, 1.0, 5.0, True, (ListHits("satu", 7, 1, 0),))
    write_insight(tmp_path, kept)
    found = read_insight(tmp_path)
    assert found == kept
    assert (found.common("dua", "satu"), found.common("satu", "satu"), found.common("satu", "x")) == (1, 1, 0)
    assert found.hits_of("satu") == ListHits("satu", 7, 1, 0)
    assert found.share("dua") == shares.lists[1]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 2, "insight": {}}'])
def test_what_cannot_be_read_counts_as_not_there(content: bytes, tmp_path: Path) -> None:
    assert read_insight(tmp_path) == NO_INSIGHT
    (tmp_path / INSIGHT).write_bytes(content)
    assert read_insight(tmp_path) == NO_INSIGHT


def test_an_insight_is_of_exactly_its_versions(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, {"satu": names("a.example")})
    insight = Insight(0.0, compare_lists(inputs, Silent()))
    assert insight.is_of(tuple(inputs))
    assert not insight.is_of((InsightInput(10, "satu", 2, inputs[0].entries),))
    assert not insight.is_of(())


def test_names_are_told_as_people_write_them(tmp_path: Path) -> None:
    found = shares_of(tmp_path, satu=names("xn--bcher-kva.example", "a.xn--bcher-kva.example"))
    assert found["satu"].examples[0].by == to_text(from_text("xn--bcher-kva.example"))
