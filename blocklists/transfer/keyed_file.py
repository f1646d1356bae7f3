"""Finding keys in an entries file without reading it: a binary search in the mapped file."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blocklists.entries import Section, read_sections


class KeyedFile:
    """An entries file, mapped. ``sections`` are those of ``entries.read_sections``."""

    def __init__(self, sections: list[Section], octets: mmap.mmap) -> None:
        self.sections = sections
        self.octets = octets

    def place(self, section: Section, key: bytes) -> int:
        """Where in the file ``key`` is in a section, or would have to be."""
        octets = self.octets
        low = section.offset
        high = end = section.offset + section.size_bytes
        while low < high:
            middle = (low + high) // 2
            before = octets.rfind(b"\0", low, middle)
            begin = low if before < 0 else before + 1
            stop = octets.find(b"\0", middle, end)
            if octets[begin:stop] < key:
                low = stop + 1
            else:
                high = begin
        return low

    def holds(self, section: Section, place: int, key: bytes) -> bool:
        """Whether the key at a place that ``place`` returned is ``key``."""
        end = section.offset + section.size_bytes
        return place < end and self.octets[place : min(end, place + len(key) + 1)] == key + b"\0"

    def cover(self, key: bytes) -> int:
        """The cover of a key; 0 where the file does not have it."""
        for section in self.sections:
            if self.holds(section, self.place(section, key), key):
                return section.cover
        return 0


@contextmanager
def open_keyed(path: Path) -> Iterator[KeyedFile]:
    """The entries file at ``path``. Raises ``EntriesDamaged`` and ``OSError``."""
    sections = read_sections(path)
    with path.open("rb") as file:
        octets = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        yield KeyedFile(sections, octets)
    finally:
        # An error on its way holds views of the file; it must not be hidden by another, and they end with it.
        with suppress(BufferError):
            octets.close()
