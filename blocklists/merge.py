"""Many sorted files of keys into one sorted stream of distinct keys, each with the set of those who list it.

Memory stays at one chunk a file, whatever their size: round by round, everything up to the smallest of the chunks' last
keys is complete in memory and can be united there, in bulk.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import numpy.typing as npt

from blocklists.entries import Section, read_keys


class SetTable:
    """Distinct sets of members, numbered in the order in which they were met."""

    def __init__(self) -> None:
        self.sets: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._unions: dict[tuple[int, int], int] = {}

    def number(self, members: tuple[int, ...]) -> int:
        """The number of a set, ascending members."""
        found = self._numbers.get(members)
        if found is None:
            found = self._numbers[members] = len(self.sets)
            self.sets.append(members)
        return found

    def union(self, a: int, b: int) -> int:
        """The number of the union of two numbered sets."""
        pair = (a, b)
        found = self._unions.get(pair)
        if found is None:
            found = self._unions[pair] = self.number(tuple(sorted({*self.sets[a], *self.sets[b]})))
        return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the merged stream: ascending keys, and the number of each one's set."""

    keys: Sequence[bytes]
    sets: npt.NDArray[np.uint32]


class _Stream:
    """One section on its way: the chunk at hand and where in it the merge stands."""

    def __init__(self, section: Section, number: int) -> None:
        self._chunks = read_keys(section)
        self.number = number
        self.keys: Sequence[bytes] = ()
        self.at = 0

    def fill(self) -> bool:
        """Makes sure that there is a key at hand; False at the end."""
        while self.at >= len(self.keys):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self.keys = chunk
            self.at = 0
        return True

    def take(self, last: bytes) -> Sequence[bytes]:
        """The keys at hand up to and including ``last``."""
        start = self.at
        self.at = bisect_right(self.keys, last, start)
        return self.keys if start == 0 and self.at == len(self.keys) else self.keys[start : self.at]


def merge(sections: Sequence[tuple[Section, int]], table: SetTable) -> Iterator[Stretch]:
    """Merges sections, each with the number of its set in ``table``; keys that several have get the union of their
    sets.

    Raises ``EntriesDamaged``.
    """
    streams = [_Stream(section, number) for section, number in sections]
    while streams := [stream for stream in streams if stream.fill()]:
        last = min(stream.keys[-1] for stream in streams)
        parts = [(stream.number, stream.take(last)) for stream in streams]
        yield _united([part for part in parts if part[1]], table)


def _united(parts: list[tuple[int, Sequence[bytes]]], table: SetTable) -> Stretch:
    base, keys = max(parts, key=lambda part: len(part[1]))
    if len(parts) == 1:
        return Stretch(keys, np.full(len(keys), base, dtype=np.uint32))
    # The biggest part is never looped over in Python: the others are few beside it, as lists are in practice.
    others: dict[bytes, int] = {}
    for number, part in parts:
        if part is keys:
            continue
        for key in part:
            known = others.get(key)
            others[key] = number if known is None else table.union(known, number)
    shared = others.keys() & keys
    for key in shared:
        others[key] = table.union(others[key], base)
    merged = list(keys)
    merged.extend(sorted(key for key in others if key not in shared))
    merged.sort()  # two ascending runs: one pass
    sets = np.fromiter(map(others.get, merged, repeat(base)), dtype=np.uint32, count=len(merged))
    return Stretch(merged, sets)
