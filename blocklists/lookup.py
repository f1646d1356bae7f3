"""Single names in an entries file, by bisection in a mapping: some twenty pages are read, whatever its size."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from blocklists.entries import EntriesDamaged, Section, read_sections
from blocklists.entry import Cover, key_of
from dnswire.name import parents

_ITSELF: Final = int(Cover.SELF | Cover.ALLOW_SELF)
_BELOW: Final = int(Cover.BELOW | Cover.ALLOW_BELOW)
_ROOT_SIZE: Final = 1
_MAX_KEY: Final = 256


class Lookup:
    """An entries file, mapped; see ``looking_up``. ``sections`` are those of its names."""

    def __init__(self, sections: list[Section], mapped: mmap.mmap) -> None:
        self.sections = sections
        self.mapped = mapped

    def cover(self, key: bytes) -> int:
        """The cover that a key has; 0 where it is not in the file."""
        for section in self.sections:
            start = self.lower_bound(section, key)
            end = section.offset + section.size_bytes
            if start < end and self.mapped[start : start + len(key) + 1] == key + b"\0":
                return section.cover
        return 0

    def beginning_with(self, prefix: bytes, limit: int) -> list[bytes]:
        """Up to so many keys that begin with ``prefix``."""
        found: list[bytes] = []
        for section in self.sections:
            at = self.lower_bound(section, prefix)
            end = section.offset + section.size_bytes
            while len(found) < limit and at < end and self.mapped[at : at + len(prefix)] == prefix:
                stop = self.mapped.find(b"\0", at, end)
                found.append(self.mapped[at:stop])
                at = stop + 1
        return found

    def covering(self, name: bytes) -> dict[bytes, int]:
        """The entries that cover a wire name in lower case, with their cover; the longest first."""
        found: dict[bytes, int] = {}
        for parent in parents(name):
            if len(parent) == _ROOT_SIZE:
                continue
            cover = self.cover(key_of(parent))
            if cover & (_ITSELF if parent == name else _BELOW):
                found[parent] = cover
        return found

    def lower_bound(self, section: Section, key: bytes) -> int:
        """Where the first key stands that is not smaller: keys in ascending order, each followed by NUL."""
        low = section.offset
        high = section.offset + section.size_bytes
        while low < high:
            middle = (low + high) // 2
            start = self.mapped.rfind(b"\0", max(low, middle - _MAX_KEY), middle) + 1 or low
            end = self.mapped.find(b"\0", start, high)
            if end < 0:
                raise EntriesDamaged(f"{section.path}: an entry at {start} has no end")
            if self.mapped[start:end] < key:
                low = end + 1
            else:
                high = start
        return low


@contextmanager
def looking_up(path: Path) -> Iterator[Lookup]:
    """The file at ``path`` for the length of a ``with`` block. Raises ``EntriesDamaged`` or ``OSError``."""
    sections = read_sections(path)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        yield Lookup(sections, mapped)
    finally:
        # An error on its way may hold views of the file; it must not be hidden by another, and they end with it.
        with suppress(BufferError):
            mapped.close()
