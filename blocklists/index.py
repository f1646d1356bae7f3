"""All lists in one memory-mapped index: which of them cover a name.

The look-up itself is ``name_table.py``; this is its life: opened, checked, mapped, closed. Nothing is read into
memory of the process: all workers map the same pages.

What lists say beyond names stands beside it (``rules``, ``rules_index.py``), and is None for most indexes.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final

from blocklists import manifest as manifests
from blocklists.asker import ANYBODY, Asker, Client
from blocklists.beside import open_beside
from blocklists.manifest import IndexDamaged, Manifest
from blocklists.match import Match
from blocklists.name_hash import HashKey
from blocklists.name_table import SYMBOLS_AT, Arrays, NameTable, blocks_of
from dnswire.name import suffix

__all__ = ["Index", "IndexDamaged", "Match", "matched_name"]

# Of each file, the format of its numbers for ``memoryview.cast``; little-endian, as all machines are that we run on.
_NUMBERS: Final = {
    manifests.FILTER: "Q",
    manifests.SLOTS: "I",
    manifests.STARTS: "I",
    manifests.NAMES: "B",
    manifests.CODES: "I",
    manifests.MEMBERS: "I",
}


def matched_name(name: bytes, labels: int) -> bytes:
    """The entry's name, as wire name, of a match of ``name`` with so many labels."""
    return suffix(name, labels)


class Index:
    """A compiled index, open. Not to be used after ``close``; safe to share between threads.

    ``match(name)``: every entry that covers ``name``, a wire name in lower case; the longest matched names first. It is
    the table's own method, so that the hot path makes one call and not two.
    """

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.path = directory
        self.manifest = manifest
        self.names = manifest.names
        self._mapped = {name: _Mapped(directory / name, numbers) for name, numbers in _NUMBERS.items()}
        arrays = Arrays(*(mapped.items for mapped in self._mapped.values()))
        _check(arrays, manifest)
        self._table = NameTable(arrays, HashKey.of(bytes.fromhex(manifest.seed)), manifest.names, manifest.buckets)
        self.match = self._table.match
        self.rules = open_beside(directory, [row.name for row in manifest.beside])

    @staticmethod
    def open(path: Path, verify: bool = True) -> Index:
        """Opens ``<directory>/<digest>``. Raises ``IndexDamaged``; ``verify`` False skips the files' checksums."""
        manifest = manifests.read(path)
        if verify:
            manifests.verify(path, manifest)
        try:
            return Index(path, manifest)
        except (OSError, ValueError, TypeError) as error:
            raise IndexDamaged(f"{path} cannot be mapped: {error}") from error

    @property
    def size_bytes(self) -> int:
        """Size of the mapping."""
        return sum(self.manifest.sizes_bytes) + sum(row.size_bytes for row in self.manifest.beside)

    def asker(self, client: Client, over_tcp: bool = False) -> Asker:
        """What lists make of a client; ``ANYBODY`` where no list cares."""
        return ANYBODY if self.rules is None else self.rules.asker(client, over_tcp)

    def ask(self, name: bytes, rrtype: int, asker: Asker = ANYBODY) -> tuple[Match, ...]:
        """The same with the rules of lists about a query: its type, and who asks."""
        rules = self.rules
        return self.match(name) if rules is None else rules.match(name, rrtype, asker, self.match(name))

    def close(self) -> None:
        """Gives the mapping back; from now on nothing matches."""
        self._table.close()
        if self.rules is not None:
            self.rules.close()
        for mapped in self._mapped.values():
            mapped.close()


def _check(arrays: Arrays, manifest: Manifest) -> None:
    """What every look-up relies on, where checksums were skipped. Raises ``ValueError``."""
    if len(arrays.starts) != blocks_of(manifest.names) or not len(arrays.filter) or not len(arrays.slots):
        raise ValueError("names and manifest do not fit together")
    if len(arrays.codes) <= SYMBOLS_AT:
        raise ValueError("codes are missing")


class _Mapped:
    """A file of numbers, mapped for reading."""

    def __init__(self, path: Path, item: str) -> None:
        self._map: mmap.mmap | None = None
        if path.stat().st_size:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        octets = memoryview(self._map or b"")
        self.items: memoryview[int] = octets.cast(item)  # type: ignore[call-overload]  # one of _NUMBERS

    def close(self) -> None:
        self.items.release()
        if self._map is not None:
            self._map.close()
