"""Address ranges of all lists in one mapped file: which of them hold an address.

Ranges of one kind of address are nested or apart, never half over each other. So they stand in order of their first
address, each with the place of the range around it (``parents``), and a look-up is one bisection for the last range
that begins at or before the address, and then a walk outwards. 25 octets a range: 58,575 of them take 1.5 MB, and an
address that is in none 4 us, interpreted.

The file, written by ``address_table_writer.py``: four 64-bit numbers (ranges, sets, members, 0), then arrays of fixed
width, little-endian: first address as two halves of 64 bits, then of 32 bits the parents, the set of each range, where
each set begins, and the members (list and ``AddressKind``), then of 8 bits the lengths of the prefixes. Addresses are
those of IPv6, IPv4 mapped.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import Final, NamedTuple

from blocklists.members import cover_of, list_id_of
from blocklists.rule import MAPPED, AddressKind

NO_PARENT: Final = 0xFFFFFFFF
WIDTH: Final = 128  # bits of an address

_HEADER_SIZE: Final = 32
_V4_BITS: Final = 96
_HALF: Final = 64


class Range(NamedTuple):
    """A range that holds an address: of which list, with which meaning, and the length of its prefix (IPv4: of 32)."""

    list_id: int
    kind: AddressKind
    length: int


class AddressTable:
    """The file, mapped. Not to be used after ``close``."""

    def __init__(self, path: Path) -> None:
        """Raises ``ValueError`` where the file is none such, and ``OSError``."""
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._views: list[memoryview[int]] = []
        self._end = _HEADER_SIZE
        try:
            self.count, set_count, member_count = self._header()
            self._highs = self._array("Q", self.count)
            self._lows = self._array("Q", self.count)
            self._parents = self._array("I", self.count)
            self._sets = self._array("I", self.count)
            self._begins = self._array("I", set_count + 1)
            self._members = self._array("I", member_count)
            self._lengths = self._array("B", self.count)
            if self._end != len(self._map):
                raise ValueError(f"{path}: {len(self._map)} bytes, its header says {self._end}")
        except (ValueError, TypeError) as error:
            self.close()
            raise ValueError(f"{path}: {error}") from error
        self.kinds = frozenset(AddressKind(cover_of(number)) for number in self._members)

    def _header(self) -> tuple[int, int, int]:
        head = memoryview(self._map)[:_HEADER_SIZE]
        numbers = head.cast("Q")
        counts = numbers[0], numbers[1], numbers[2]
        numbers.release()
        head.release()
        return counts

    def _array(self, item: str, count: int) -> memoryview[int]:
        size = count * {"Q": 8, "I": 4, "B": 1}[item]
        whole = memoryview(self._map)[self._end : self._end + size]
        self._views.insert(0, whole)
        if len(whole) != size:
            raise ValueError("it is cut")
        view: memoryview[int] = whole.cast(item)  # type: ignore[call-overload]  # one of the three above
        self._views.insert(0, view)  # released before what it was made of
        self._end += size
        return view

    def find(self, address: bytes) -> list[Range]:
        """The ranges that hold an address of 4 or 16 octets, the longest prefix first."""
        mapped = MAPPED + address if len(address) == 4 else address
        shift = _V4_BITS if mapped.startswith(MAPPED) else 0
        value = int.from_bytes(mapped, "big")
        high = value >> _HALF
        start = bisect_left(self._highs, high)
        end = bisect_right(self._highs, high, start)
        place = bisect_right(self._lows, value & 0xFFFFFFFFFFFFFFFF, start, end) - 1
        found: list[Range] = []
        while place not in (-1, NO_PARENT):
            length = self._lengths[place]
            first = self._highs[place] << _HALF | self._lows[place]
            if value >> (WIDTH - length) == first >> (WIDTH - length):
                number = self._sets[place]
                for at in range(self._begins[number], self._begins[number + 1]):
                    entry = self._members[at]
                    found.append(Range(list_id_of(entry), AddressKind(cover_of(entry)), max(length - shift, 0)))
            place = self._parents[place]
        return found

    def close(self) -> None:
        """Gives the mapping back."""
        for view in self._views:
            view.release()
        self._views.clear()
        self._map.close()
