"""From the names' hashes to the filter and the table of slots that lead to their blocks (see ``name_table.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blocklists.bulk_hash import Hashes
from blocklists.name_hash import MIX
from blocklists.name_table import BUCKET_SLOTS, EMPTY, GROUP_NAMES, SLOT_BITS, group_bits

# Octets a name: 0.9 for the filter, of whose questions 4 % are passed on in vain; 4.35 for the slots.
_NAMES_IN_WORD: Final = 9
_LOAD: Final = 0.92
# How far behind its bucket a name may be found. At this load chance needs about 150 slots for 10 M names.
MAX_DISTANCE: Final = 1024


_STEP: Final = 1 << 18  # names at a time: memory for ten million stays below 300 MB
_HALF: Final = np.uint64(32)


class Crowded(ValueError):  # noqa: N818 -- states what was found; the answer is another seed
    """Too many names fall into one place of the table."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The arrays as they are mapped, and the number of buckets, from which a look-up reckons places."""

    filter: npt.NDArray[np.uint64]
    slots: npt.NDArray[np.uint32]
    buckets: int


def place(hashed: Hashes) -> Placed:
    """Places names, given their hashes in the order in which they stand. Raises ``Crowded``."""
    count = len(hashed)
    order = np.argsort(hashed)
    groups = (order // GROUP_NAMES).astype(np.uint32)
    hashed = hashed[order]
    del order  # 8 octets a name
    words = np.zeros(max(1, -(-count // _NAMES_IN_WORD)), dtype="<u8")
    slots = _Slots(count)
    for start in range(0, count, _STEP):
        part = hashed[start : start + _STEP]
        high = part >> _HALF
        _mark(words, part, high)
        slots.put(part, high, groups[start : start + _STEP])
    return Placed(words, slots.closed(), slots.buckets)


def _mark(words: Hashes, hashed: Hashes, high: Hashes) -> None:
    one, low = np.uint64(1), np.uint64(63)
    bits = one << (hashed & low)
    for shift in (6, 12, 18):
        bits |= one << (hashed >> np.uint64(shift) & low)
    chosen = (high * np.uint64(len(words)) >> _HALF).astype(np.int64)  # ascending, as the hashes are
    first = np.flatnonzero(np.diff(chosen, prepend=-1))
    words[chosen[first]] |= np.bitwise_or.reduceat(bits, first)


class _Slots:
    """The table on its way. Names come in the order of their buckets: each takes the first free slot from its own on,
    which is the one behind the name before it, or the bucket's first.
    """

    def __init__(self, count: int) -> None:
        self.buckets = int(count / (_LOAD * BUCKET_SLOTS)) + 1
        self._group_bits = group_bits(count)
        self._slots = np.full(self.buckets * BUCKET_SLOTS + MAX_DISTANCE + BUCKET_SLOTS, EMPTY, dtype="<u4")
        self._free = 0  # all from here on are

    def put(self, hashed: Hashes, high: Hashes, groups: npt.NDArray[np.uint32]) -> None:
        """The next names, ascending by hash."""
        home = (high * np.uint64(self.buckets) >> _HALF).astype(np.int64) * BUCKET_SLOTS
        numbers = np.arange(len(home))
        places = np.maximum(np.maximum.accumulate(home - numbers), self._free) + numbers
        distance = int((places - home).max())
        if distance > MAX_DISTANCE:
            raise Crowded(f"a name is {distance} slots from its place")
        some = (hashed * np.uint64(MIX) >> np.uint64(SLOT_BITS + self._group_bits)).astype(np.uint32)
        self._slots[places] = some << np.uint32(self._group_bits) | groups
        self._free = int(places[-1]) + 1

    def closed(self) -> npt.NDArray[np.uint32]:
        """The slots, with an empty one behind the last, where every search ends."""
        return self._slots[: max(self.buckets * BUCKET_SLOTS, self._free) + 1]
