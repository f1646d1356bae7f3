"""What each list adds to the others: its names, those that only it has, those that it has in vain, and who shares them.

One pass over the lists' entries files, merged: memory stays at a chunk a list, whatever their size. What is counted
by set (``merge.SetTable``) costs nothing a name; only names below another name that is listed are looked at singly.
10 M names in two lists take a few seconds. Lists' rules (``rule.py``) are not names, and not counted here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from blocklists.entries import read_sections
from blocklists.entry import Cover, name_of
from blocklists.members import cover_of, list_id_of, member
from blocklists.merge import SetTable, Stretch, merge
from blocklists.progress import Progress
from dnswire.name import to_text

MAX_EXAMPLES: Final = 20
_BLOCK: Final = int(Cover.SELF | Cover.BELOW)
_ALLOW: Final = int(Cover.ALLOW_SELF | Cover.ALLOW_BELOW)


@dataclass(frozen=True, slots=True)
class InsightInput:
    """One list that is in force. ``version`` as people see it, ``entries`` its entries file."""

    list_id: int
    code: str
    version: int
    entries: Path


@dataclass(frozen=True, slots=True)
class Shadowed:
    """An entry that a wider one of its own list covers."""

    name: str
    by: str


@dataclass(frozen=True, slots=True)
class ListShare:
    """One list beside the others.

    ``unique``: names that no other list has. ``contribution``: those of them that no wider entry of another list
    covers either, which is what would be lost without this list. ``shadowed``: names in vain, since a wider entry of
    the same list covers them; ``examples`` are the first of these.
    """

    list_id: int
    code: str
    version: int
    names: int
    unique: int
    contribution: int
    shadowed: int
    examples: tuple[Shadowed, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many names two lists have in common; pairs without any are left out."""

    a: str
    b: str
    names: int


@dataclass(frozen=True, slots=True)
class Shares:
    """All lists beside each other. ``names``: distinct ones in all of them."""

    names: int
    lists: tuple[ListShare, ...]
    overlaps: tuple[Overlap, ...]


def compare_lists(inputs: Sequence[InsightInput], progress: Progress) -> Shares:
    """Counts names, shares and overlaps. Raises ``EntriesDamaged`` or ``OSError``."""
    table = SetTable()
    # Places instead of ids: bit sets over ids would be as long as the highest id.
    sections = [
        (section, table.number((member(place, section.cover),)))
        for place, one in enumerate(inputs)
        for section in read_sections(one.entries)
    ]
    tally = _Tally(table, len(inputs))
    progress.start("compare lists", sum(section.count for section, _ in sections))
    try:
        for stretch in merge(sections, table):
            tally.add(stretch)
            progress.advance(len(stretch.keys))
    finally:
        progress.done()
    return tally.shares(inputs)


@dataclass(frozen=True, slots=True)
class _SetFacts:
    """Bit sets of lists (by place) that a set of members stands for."""

    lists: int
    blocks: int  # have a block and nothing else
    opens: int  # block all below
    closes: int  # allow something below


def _facts(members: Iterable[int]) -> _SetFacts:
    lists = blocks = opens = closes = 0
    for number in members:
        bit = 1 << list_id_of(number)
        cover = cover_of(number)
        lists |= bit
        blocks |= bit if cover & _BLOCK and not cover & _ALLOW else 0
        opens |= bit if cover & Cover.BELOW else 0
        closes |= bit if cover & Cover.ALLOW_BELOW else 0
    return _SetFacts(lists, blocks, opens, closes)


@dataclass(frozen=True, slots=True)
class _Open:
    """A key on the way to the one at hand. ``outer``: the lists that block everything below it."""

    key: bytes
    facts: _SetFacts
    outer: int


class _Tally:
    """Counts names by set, and names below listed names by set and by the lists that cover them from above."""

    def __init__(self, table: SetTable, lists: int) -> None:
        self._table = table
        self._facts: list[_SetFacts] = []
        self._counts: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._covered: Counter[tuple[int, int]] = Counter()
        self._path: list[_Open] = []
        self._examples: list[list[Shadowed]] = [[] for _ in range(lists)]
        self._full = 0  # bit set of lists with enough examples

    def add(self, stretch: Stretch) -> None:
        """The next stretch of the merged stream."""
        self._facts.extend(_facts(members) for members in self._table.sets[len(self._facts) :])
        counted = np.bincount(stretch.sets, minlength=max(len(self._facts), len(self._counts)))
        counted[: len(self._counts)] += self._counts
        self._counts = counted
        self._add_covered(stretch.keys, stretch.sets)

    def _add_covered(self, keys: Sequence[bytes], numbers: npt.NDArray[np.uint32]) -> None:
        # A key below another one comes behind it, with only others of the same kind between: the first of them begins
        # with its neighbour, so that all places where something is to be looked at come out of one pass in C.
        behind = self._walk(keys, numbers, 0) if self._path else 0
        for place in compress(range(1, len(keys)), map(bytes.startswith, islice(keys, 1, None), keys)):
            if place > behind:
                self._path.append(self._opened(keys[place - 1], int(numbers[place - 1]), 0))
                behind = self._walk(keys, numbers, place)
        if behind < len(keys):
            self._path = [self._opened(keys[-1], int(numbers[-1]), 0)]

    def _walk(self, keys: Sequence[bytes], numbers: npt.NDArray[np.uint32], start: int) -> int:
        """Follows keys from ``start`` while they are below the path's first; the place of the one that is not."""
        path = self._path
        for place in range(start, len(keys)):
            key = keys[place]
            while path and not key.startswith(path[-1].key):
                path.pop()
            if not path:
                return place
            number = int(numbers[place])
            outer = next((opened.outer for opened in reversed(path) if _is_below(key, opened.key)), 0)
            if outer:
                self._covered[number, outer] += 1
                self._keep_examples(key, self._facts[number].blocks & outer & ~self._full)
            path.append(self._opened(key, number, outer))
        return len(keys)

    def _opened(self, key: bytes, number: int, outer: int) -> _Open:
        facts = self._facts[number]
        return _Open(key, facts, (outer | facts.opens) & ~facts.closes)

    def _keep_examples(self, key: bytes, lists: int) -> None:
        while lists:
            bit = lists & -lists
            lists ^= bit
            found = self._examples[bit.bit_length() - 1]
            above = next(one.key for one in reversed(self._path) if one.facts.opens & bit and _is_below(key, one.key))
            found.append(Shadowed(to_text(name_of(key)), to_text(name_of(above))))
            if len(found) == MAX_EXAMPLES:
                self._full |= bit

    def shares(self, inputs: Sequence[InsightInput]) -> Shares:
        """The result, all stretches counted."""
        by_lists: Counter[int] = Counter()
        for facts, count in zip(self._facts, self._counts.tolist(), strict=True):
            by_lists[facts.lists] += count
        lists = tuple(self._share(place, one, by_lists) for place, one in enumerate(inputs))
        return Shares(sum(by_lists.values()), lists, _overlaps(inputs, by_lists))

    def _share(self, place: int, one: InsightInput, by_lists: Counter[int]) -> ListShare:
        bit = 1 << place
        shadowed = elsewhere = 0
        for (number, outer), count in self._covered.items():
            facts = self._facts[number]
            if facts.blocks & bit:
                shadowed += count if outer & bit else 0
                elsewhere += count if facts.lists == bit and outer & ~bit else 0
        unique = by_lists[bit]
        return ListShare(
            list_id=one.list_id,
            code=one.code,
            version=one.version,
            names=sum(count for lists, count in by_lists.items() if lists & bit),
            unique=unique,
            contribution=unique - elsewhere,
            shadowed=shadowed,
            examples=tuple(self._examples[place]),
        )


def _overlaps(inputs: Sequence[InsightInput], by_lists: Counter[int]) -> tuple[Overlap, ...]:
    found = []
    for place, one in enumerate(inputs):
        for further, other in enumerate(inputs[place + 1 :], start=place + 1):
            both = 1 << place | 1 << further
            names = sum(count for lists, count in by_lists.items() if lists & both == both)
            if names:
                found.append(Overlap(one.code, other.code, names))
    return tuple(found)


def _is_below(key: bytes, above: bytes) -> bool:
    """Whether a key that begins with another is that of a name below it: the other must end where a label does."""
    end = len(key) - len(above)
    offset = 0
    while offset < end:
        offset += key[-1 - offset] + 1
    return offset == end
