"""All lists in one memory-mapped index: which of them cover a name.

``names.marisa`` is a marisa trie of all distinct keys (``entry.py``); its number for a key is the place in
``sets.bin`` of the number of the set of (list, cover) that the key has; ``members.bin`` holds the sets. Nothing is
read into memory of the process: all workers map the same pages, and opening costs one checksum over the files.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final, NamedTuple

import marisa_trie

from blocklists import manifest as manifests
from blocklists.manifest import IndexDamaged, Manifest
from blocklists.merge import cover_of, list_id_of
from dnswire.name import suffix

__all__ = ["Index", "IndexDamaged", "Match", "matched_name"]

_SELF: Final = 0b0101  # Cover.SELF | Cover.ALLOW_SELF
_BELOW: Final = 0b1010
_BLOCK: Final = 0b0011
_ALLOW: Final = 0b1100
_MAX_REMEMBERED: Final = 65_536


class Match(NamedTuple):
    """One list's entry that covers a name. ``labels``: so many labels of the name, from the root, are the entry's
    name.
    """

    labels: int
    list_id: int
    allow: bool


_NONE: Final[tuple[Match, ...]] = ()


def matched_name(name: bytes, labels: int) -> bytes:
    """The entry's name, as wire name, of a match of ``name`` with so many labels."""
    return suffix(name, labels)


class Index:
    """A compiled index, open. Not to be used after ``close``; safe to share between threads."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.path = directory
        self.manifest = manifest
        self.names = manifest.names
        self._trie = marisa_trie.BinaryTrie()
        self._sets = _Mapped(directory / manifests.SETS, manifests.WIDTHS[manifest.set_width])
        self._members = _Mapped(directory / manifests.MEMBERS, "I")
        self._remembered: dict[int, tuple[Match, ...]] = {}  # by set, labels (at most 127), and whether itself
        if manifest.names:
            self._trie.mmap(str(directory / manifests.NAMES))
        self._prefixes = self._trie.prefixes
        self._key_id = self._trie.key_id
        self._numbers = self._sets.items

    @staticmethod
    def open(path: Path, verify: bool = True) -> Index:
        """Opens ``<directory>/<digest>``. Raises ``IndexDamaged``; ``verify`` False skips the files' checksums."""
        manifest = manifests.read(path)
        if verify:
            manifests.verify(path, manifest)
        try:
            index = Index(path, manifest)
        except (OSError, RuntimeError, ValueError) as error:
            raise IndexDamaged(f"{path} cannot be mapped: {error}") from error
        if len(index._trie) != manifest.names or len(index._sets.items) != manifest.names:
            index.close()
            raise IndexDamaged(f"{path}: names and manifest do not fit together")
        return index

    @property
    def size_bytes(self) -> int:
        """Size of the mapping."""
        return sum(self.manifest.sizes_bytes)

    def match(self, name: bytes) -> tuple[Match, ...]:
        """Every entry that covers ``name``, a wire name in lower case; the longest matched names first."""
        keys = self._prefixes(name[-2::-1])
        if not keys:
            return _NONE
        return self._matches(name, keys)

    def _matches(self, name: bytes, keys: list[bytes]) -> tuple[Match, ...]:
        end = len(name) - 1
        found = _NONE
        for key in keys:
            start = end - len(key)
            labels = _labels_from(name, start)
            if labels:
                entries = self._entries(self._key_id(key), labels, start == 0)
                found = entries + found if found else entries
        return found

    def _entries(self, key_id: int, labels: int, itself: bool) -> tuple[Match, ...]:
        number = self._numbers[key_id]
        place = number << 8 | labels << 1 | itself
        known = self._remembered.get(place)
        if known is None:
            known = self._decoded(number, labels, itself)
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[place] = known
        return known

    def _decoded(self, number: int, labels: int, itself: bool) -> tuple[Match, ...]:
        members = self._members.items
        relevant = _SELF if itself else _BELOW
        found: list[Match] = []
        for place in range(members[number], members[number + 1]):
            cover = cover_of(members[place]) & relevant
            if cover & _BLOCK:
                found.append(Match(labels, list_id_of(members[place]), False))
            if cover & _ALLOW:
                found.append(Match(labels, list_id_of(members[place]), True))
        return tuple(found)

    def close(self) -> None:
        """Gives the mapping back."""
        self._trie = marisa_trie.BinaryTrie()
        self._prefixes = self._trie.prefixes
        self._key_id = self._trie.key_id
        self._sets.close()
        self._members.close()


def _labels_from(name: bytes, start: int) -> int:
    """How many labels begin at ``start`` or behind it; 0 where none begins at ``start`` itself.

    A prefix of the key that ends inside a label is octets that happen to look like labels, not a parent.
    """
    offset = 0
    while offset < start:
        offset += name[offset] + 1
    if offset != start:
        return 0
    labels = 0
    length = name[offset]
    while length:
        labels += 1
        offset += length + 1
        length = name[offset]
    return labels


class _Mapped:
    """A file of numbers, mapped for reading."""

    def __init__(self, path: Path, item: str) -> None:
        self._map: mmap.mmap | None = None
        if path.stat().st_size:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.items: memoryview[int] = memoryview(self._map or b"").cast(item)  # type: ignore[call-overload]  # one of WIDTHS

    def close(self) -> None:
        self.items.release()
        if self._map is not None:
            self._map.close()
