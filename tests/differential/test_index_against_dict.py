"""The compiled index against a dictionary of names, asked the same questions."""

from __future__ import annotations

import os
import random
import tempfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocklists import merge
from blocklists.entries import read_keys
from blocklists.entry import MAX_COVER, Cover
from blocklists.index import Match
from dnswire.name import from_labels, labels, parents
from tests.support.lists import opened

Lists = dict[int, dict[bytes, int]]

# Labels that share beginnings and ends, look like length octets, or hold any octet but NUL (which separates keys).
LABELS = st.one_of(
    st.sampled_from(
        [b"a", b"b", b"aa", b"www", b"com", b"0", b"1", b"-", b"_x", b"\x01a", b"\x02\x01a", b"a.b", b"\\"]
    ),
    st.sampled_from([b"x" * 48, b"0" + b"x" * 48, b"a0" + b"x" * 48, b"y" * 63]),
    st.binary(min_size=1, max_size=4).map(lambda label: label.lower().replace(b"\0", b"\xff")),
)
# Two labels of 63 and one more leave room for another in front: a name has 255 octets at most.
NAMES = st.lists(LABELS, min_size=1, max_size=3).filter(lambda labels: sum(map(len, labels)) < 180).map(from_labels)
COVERS = st.integers(1, MAX_COVER)
LISTS = st.dictionaries(st.integers(1, 300), st.dictionaries(NAMES, COVERS, min_size=1, max_size=12), max_size=5)


def expected(lists: Lists, name: bytes) -> list[Match]:
    """What the lists say of a name, worked out one by one."""
    found: list[Match] = []
    for parent in parents(name):
        relevant = (Cover.SELF, Cover.ALLOW_SELF) if parent == name else (Cover.BELOW, Cover.ALLOW_BELOW)
        for list_id in sorted(lists):
            cover = lists[list_id].get(parent, 0)
            for bit, allow in zip(relevant, (False, True), strict=True):
                if cover & bit:
                    found.append(Match(len(labels(parent)), list_id, allow))
    return found


@given(LISTS, st.lists(NAMES, max_size=10), LABELS)
@settings(deadline=None, max_examples=60)
def test_any_lists_match_as_a_dictionary_does(lists: Lists, others: list[bytes], label: bytes) -> None:
    listed = [name for covers in lists.values() for name in covers]
    below = [from_labels([label, *labels(name)]) for name in [*listed, *others]]
    above = [parent for name in listed for parent in parents(name)]
    with tempfile.TemporaryDirectory() as directory:
        index = opened(Path(directory), lists)
        for name in [*listed, *others, *below, *above]:
            assert list(index.match(name)) == expected(lists, name)
        assert index.names == len(set(listed))
        index.close()


def test_many_names_in_overlapping_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks of each list, so that the merge meets every way in which they can lie beside one another."""
    monkeypatch.setattr(merge, "read_keys", partial(read_keys, chunk_size=300))
    rng = random.Random(20261124)
    pool = [from_labels([b"n%x" % rng.getrandbits(14), rng.choice([b"com", b"id", b"example"])]) for _ in range(4_000)]
    pool += [from_labels([b"www", *labels(name)]) for name in pool[:2_000]]
    lists: Lists = {
        list_id: {name: rng.choice([1, 2, 3]) for name in rng.sample(pool, size)}
        for list_id, size in ((1, 6_000), (2, 3_000), (3, 3_000), (4, 100), (268_435_455, 1))
    }
    index = opened(tmp_path, lists)
    assert index.names == len(set().union(*lists.values()))
    for name in pool:
        assert list(index.match(name)) == expected(lists, name)
        child = from_labels([b"m", *labels(name)])
        assert list(index.match(child)) == expected(lists, child)
    index.close()


# SARING_LONG=1: ten million names, which takes minutes and a gigabyte.
MANY = 10_000_000 if os.environ.get("SARING_LONG") == "1" else 100_000


def test_a_hundred_thousand_names_and_as_many_that_are_none(tmp_path: Path) -> None:
    """Against a dictionary: no name is lost, none is invented, below, above or beside the listed ones."""
    rng = random.Random(3)
    odd = [b"_dmarc", b"xn--p1ai", b"a.b", b"\x01x", b"\xff\xfe", b"-", b"0" + b"x" * 48, b"y" * 63, b"*"]
    tops = [b"com", b"com", b"com", b"id", b"example", b"co.uk"]
    covers: dict[bytes, int] = {}
    while len(covers) < MANY:
        parts = [b"%x" % rng.getrandbits(24), rng.choice(tops)]
        kind = rng.random()
        if kind < 0.5:
            parts.insert(0, rng.choice([b"www", b"m", b"cdn%d" % rng.getrandbits(4)]))
        elif kind < 0.6:
            parts.insert(0, rng.choice(odd))
        covers[from_labels(parts)] = rng.choice([1, 1, 3, 3, 3, 2])
    second = {name: rng.choice([3, 12]) for name in rng.sample(list(covers), MANY // 10)}
    lists = {1: covers, 2: second}
    index = opened(tmp_path, lists)
    assert index.names == MANY

    def check(name: bytes) -> None:
        assert list(index.match(name)) == expected(lists, name), name

    for name in covers:
        check(name)
    for name in rng.sample(list(covers), MANY // 4):
        check(from_labels([b"q", *labels(name)]))
        check(name[: 1 + name[0] // 2] + b"~" + name[2 + name[0] // 2 :])
        check(from_labels(labels(name)[1:]))
        check(from_labels([b"%x" % rng.getrandbits(24), *labels(name)[1:]]))
    index.close()
