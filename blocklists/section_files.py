"""An entries file in the making: its sections, each in a file of its own until all are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from blocklists.entries import join_sections
from blocklists.rule import AddressEntry, ListRule

_COPY_SIZE: Final = 1 << 20


class SectionFiles:
    """Sections below ``directory``, written in ascending order of their keys and joined at the end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[int, BinaryIO] = {}
        self.counts: dict[int, int] = {}

    @property
    def names(self) -> int:
        """Keys written so far."""
        return sum(self.counts.values())

    def write(self, cover: int, keys: Sequence[bytes]) -> None:
        """Appends keys, ascending and greater than all before, to a section."""
        if keys:
            self._file(cover).write(b"\0".join(keys) + b"\0")
            self.counts[cover] = self.counts.get(cover, 0) + len(keys)

    def copy(self, cover: int, source: memoryview) -> None:
        """Appends octets of another entries file's section; their keys are counted by ``count``."""
        file = self._file(cover)
        for start in range(0, len(source), _COPY_SIZE):
            file.write(source[start : start + _COPY_SIZE])

    def count(self, cover: int, keys: int) -> None:
        """Counts keys that ``copy`` wrote (or fewer, where ``keys`` is negative)."""
        self.counts[cover] = self.counts.get(cover, 0) + keys

    def join(self, entries: Path, rules: Sequence[ListRule] = (), addresses: Iterable[AddressEntry] = ()) -> int:
        """Makes the entries file of all sections, and of what is no name; returns how many entries it has. The
        sections' files are removed.
        """
        self.close()
        parts = [(cover, self.counts[cover], self._path(cover)) for cover in sorted(self._files) if self.counts[cover]]
        count = join_sections(entries, parts, rules, addresses)
        for cover in self._files:
            self._path(cover).unlink()
        return count

    def close(self) -> None:
        """Closes the sections' files."""
        for file in self._files.values():
            file.close()

    def _file(self, cover: int) -> BinaryIO:
        found = self._files.get(cover)
        if found is None:
            found = self._files[cover] = self._path(cover).open("wb")
        return found

    def _path(self, cover: int) -> Path:
        return self._directory / f"section-{cover}"
