"""How many questions may wait for one zone: a flood of random names below it (water torture) must not take all places.

Where a zone is cut we do not know, so a name counts for two suffixes: its parent, of two or three labels, and its last
two labels, with four times the room, for floods that vary more than the first label. A name of two labels stands for
itself: nobody may close a whole top-level domain by asking for names in it that do not answer. Nor ``go.id`` and the
like, under which everybody has a zone of his own: they count for one label. Questions that are answered from the cache,
or join one under way, do not count; so neither do the names that an office works with.
"""

from __future__ import annotations

from typing import Final

_FAR_FACTOR: Final = 4

# What registries of countries put before their two letters. Not all there is, a list of ten thousand that changes each
# week, but what the names of offices end in.
_SHARED: Final = frozenset(b"ac biz co com desa edu go gob gov mil my ne net or org ponpes sch web".split())


class ZonePressure:
    """Questions under way by suffix. ``limit``: for a parent; 0: no limit. ``refused`` counts since the start."""

    __slots__ = ("_counts", "_limit", "refused")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[bytes, int] = {}
        self.refused = 0

    def admits(self, name: bytes) -> tuple[bytes, bytes] | None:
        """What a question for the lower-case wire name counts for; None where it may not be put to upstreams."""
        near, far = pair = suffixes(name)
        counts, limit = self._counts, self._limit
        if limit and (counts.get(near, 0) >= limit or counts.get(far, 0) >= limit * _FAR_FACTOR):
            self.refused += 1
            return None
        return pair

    def enter(self, pair: tuple[bytes, bytes]) -> None:
        """One question more is under way that counts for these."""
        near, far = pair
        counts = self._counts
        counts[near] = counts.get(near, 0) + 1
        if far:
            counts[far] = counts.get(far, 0) + 1

    def leave(self, pair: tuple[bytes, bytes]) -> None:
        """It has ended, in whatever way."""
        near, far = pair
        self._count_down(near)
        if far:
            self._count_down(far)

    def _count_down(self, suffix: bytes) -> None:
        left = self._counts.get(suffix, 0) - 1
        if left > 0:
            self._counts[suffix] = left
        else:
            self._counts.pop(suffix, None)

    def load(self, name: bytes) -> float:
        """How many wait for the zone of the lower-case wire name, by whichever suffix it is nearer to its limit."""
        near, far = suffixes(name)
        counts = self._counts
        return max(counts.get(near, 0), counts.get(far, 0) / _FAR_FACTOR)

    def __len__(self) -> int:
        return len(self._counts)


def suffixes(name: bytes) -> tuple[bytes, bytes]:
    """The two suffixes that the wire name counts for; the second ``b""``, for none, where it would be the first."""
    labels = offset = 0
    fourth = third = second = last = 0  # where the last four labels begin
    while name[offset]:
        fourth, third, second, last = third, second, last, offset
        offset += 1 + name[offset]
        labels += 1
    if labels > 2 and name[last] == 2 and name[second + 1 : last] in _SHARED:
        labels, third, second = labels - 1, fourth, third
    if labels > 3:
        return name[third:], name[second:]
    return name[second:] if labels == 3 else name, b""
