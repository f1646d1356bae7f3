"""The table of names at its edges: long names, many sets, crowded places, and what is no key."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from blocklists import compiler, name_table_writer
from blocklists.bulk_hash import PADDING, hashes
from blocklists.entry import EXACT, SUBTREE, key_of
from blocklists.index import Index, Match
from blocklists.name_blocks import NameBlocks
from blocklists.name_hash import HashKey, seed_of
from blocklists.name_table import BLOCK_NAMES, GROUP_NAMES
from blocklists.name_table_writer import Crowded
from dnswire.name import from_labels, from_text, labels
from tests.support.lists import compiled, opened


def block(name: bytes, list_id: int = 1) -> Match:
    return Match(len(labels(name)), list_id, False)


@pytest.mark.parametrize("count", [1, GROUP_NAMES, GROUP_NAMES + 1, BLOCK_NAMES - 1, BLOCK_NAMES, BLOCK_NAMES + 1, 200])
def test_the_last_group_and_block_may_be_short(count: int, tmp_path: Path) -> None:
    names = [from_text(f"n{number}.example") for number in range(count)]
    index = opened(tmp_path, {1: dict.fromkeys(names, EXACT)})
    assert [index.match(name) for name in names] == [(block(name),) for name in names]
    assert index.match(from_text(f"n{count}.example")) == ()
    index.close()


def test_names_of_all_depths_and_sizes(tmp_path: Path) -> None:
    """Up to 127 labels, which are read ten at a time, and to 255 octets: groups longer than one octet of a header."""
    chance = random.Random(1)
    deep = [from_labels([b"%x" % (number % 16)] * number) for number in range(1, 128)]
    octets = bytes(octet for octet in range(1, 256) if not 65 <= octet <= 90)
    wide = [
        from_labels([bytes(chance.choices(octets, k=size)) for size in (63, 63, 63, chance.randint(1, 61))])
        for _ in range(100)
    ]
    reverse = [
        from_text(".".join(f"{(number + place) % 16:x}" for place in range(32)) + ".ip6.arpa") for number in range(16)
    ]
    names = [*deep, *wide, *reverse]
    index = opened(tmp_path, {1: dict.fromkeys(names, EXACT)})
    for name in names:
        assert index.match(name) == (block(name),), name
        longer = b"\x01" + name[1:2] + name
        assert index.match(longer) == ((block(longer),) if longer in names else ()), name
    index.close()


def test_more_sets_than_a_symbol_tells(tmp_path: Path) -> None:
    names = [from_text(f"n{number}.example") for number in range(700)]
    lists = {number + 1: {names[number]: SUBTREE, names[0]: EXACT} for number in range(700)}
    index = opened(tmp_path, lists)
    assert index.match(names[0]) == tuple(block(names[0], list_id) for list_id in lists)
    for number, name in enumerate(names[1:], 2):
        assert index.match(name) == (block(name, number),)
    index.close()


def test_a_query_in_upper_case_matches_what_its_lower_labels_name(tmp_path: Path) -> None:
    """The contract is lower case; what breaks it must not find a name that is none."""
    index = opened(tmp_path, {1: {from_text("com.example"): SUBTREE, from_text("example.com"): EXACT}})
    for label in (b"A", b"B", b"ABBA"):
        assert index.match(from_labels([label, b"com", b"example"])) == (Match(2, 1, False),)
        assert index.match(from_labels([label, b"com"])) == ()
    index.close()


@pytest.mark.parametrize("name", [b"", b"\0", b"\0\0", b"\x00\x03com\x00"])
def test_what_is_no_name_matches_nothing(name: bytes, tmp_path: Path) -> None:
    index = opened(tmp_path, {1: {from_text("example.org"): SUBTREE}})
    assert index.match(name) == ()
    index.close()


def test_nothing_matches_after_closing(tmp_path: Path) -> None:
    name = from_text("a.example")
    index = opened(tmp_path, {1: {name: SUBTREE}})
    index.close()
    assert index.match(name) == ()


def test_what_is_no_key_is_refused() -> None:
    blocks = NameBlocks(HashKey.of(b"seed"))
    with pytest.raises(ValueError, match="lower case"):
        blocks.add(key_of(from_text("a.example")).upper() + b"\0", 1)
    with pytest.raises(ValueError, match="2 keys where 1"):
        blocks.add(b"a\x01\0b\x01\0", 1)


def test_a_key_goes_on_from_the_hash_of_its_parent_and_depends_on_the_seed() -> None:
    keys = [key_of(from_text("example")), key_of(from_text("www.example"))]
    octets = np.frombuffer(b"\0".join(keys) + bytes(PADDING + 1), dtype=np.uint8)
    starts, sizes = np.array([0, len(keys[0]) + 1]), np.array([len(key) for key in keys])
    one, other = (hashes(octets, starts, sizes, HashKey.of(seed_of(secret, "x"))) for secret in (b"a", b"b"))
    assert len({*one.tolist(), *other.tolist()}) == 4
    prefix = np.array([0]), np.array([len(keys[0])])
    assert hashes(octets[len(keys[0]) + 1 :], *prefix, HashKey.of(seed_of(b"a", "x")))[0] == one[0]


def test_a_crowded_table_is_built_anew_with_another_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, tries = compiler.place, []

    def crowded_once(hashed: np.ndarray) -> name_table_writer.Placed:
        tries.append(len(hashed))
        if len(tries) == 1:
            raise Crowded("by chance")
        return place(hashed)

    name = from_text("a.example")
    monkeypatch.setattr(compiler, "place", crowded_once)
    index = Index.open(compiled(tmp_path, {1: {name: SUBTREE}}).path)
    assert (tries, index.match(name)) == ([1, 1], (block(name),))
    index.close()


def test_names_that_crowd_the_table_under_any_seed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_table_writer, "MAX_DISTANCE", -1)
    with pytest.raises(ValueError, match="crowd the table"):
        compiled(tmp_path, {1: {from_text("a.example"): SUBTREE}})


def test_names_are_told_apart_by_themselves_where_all_hashes_are_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HashKey, "of", staticmethod(lambda _: HashKey(0, 0, 0)))
    listed = [from_text(f"n{number}.example") for number in range(300)]
    index = opened(tmp_path, {1: dict.fromkeys(listed, SUBTREE)})
    assert [index.match(name) for name in listed] == [(block(name),) for name in listed]
    for text in ("n300.example", "n.example", "example", "n1.example.org", "n00.example"):
        assert index.match(from_text(text)) == ()
    index.close()
