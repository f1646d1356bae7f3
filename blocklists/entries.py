"""A list's entries as a file: what a version in the library is, and what the compiler reads.

A header line of 1,024 octets, ``saring-entries 1`` and JSON of the sections ``[cover, count, size_bytes]``, then
the sections: keys (``entry.py``) in ascending order of their octets, each followed by NUL, none twice in the whole
file. Written for the compiler: 10 M names are read back in a second, already sorted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from operator import ne
from pathlib import Path
from typing import BinaryIO, Final

from blocklists.entry import MAX_COVER

_MAGIC: Final = b"saring-entries 1 "
_HEADER_SIZE: Final = 1024  # 15 covers, each with two numbers of up to 20 digits, fit
_CHUNK_SIZE: Final = 1 << 20
_SLICE: Final = 20_000


class EntriesDamaged(ValueError):  # noqa: N818 -- names the fact, as IndexDamaged does
    """The file is not what was written: cut, changed, or of another kind."""


@dataclass(frozen=True, slots=True)
class Section:
    """The entries of one ``Cover``: where they are in the file."""

    path: Path
    cover: int
    count: int
    offset: int
    size_bytes: int


def write_entries(path: Path, groups: dict[int, list[str]]) -> int:
    """Writes groups of sorted keys (as Latin-1 text) by cover, each key once, and waits for the disk.

    A key may occur several times in its group, but in one group only. Returns the number of distinct keys.
    """
    sections: list[tuple[int, int, int]] = []
    with path.open("wb") as file:
        file.write(_header([]))
        for cover in sorted(groups):
            count, size_bytes = _write_keys(file, groups[cover])
            if count:
                sections.append((cover, count, size_bytes))
        file.seek(0)
        file.write(_header(sections))
        file.flush()
        os.fsync(file.fileno())
    return sum(count for _, count, _ in sections)


def _header(sections: list[tuple[int, int, int]]) -> bytes:
    text = _MAGIC + json.dumps(sections, separators=(",", ":")).encode()
    return text.ljust(_HEADER_SIZE - 1) + b"\n"


def _write_keys(file: BinaryIO, keys: list[str]) -> tuple[int, int]:
    """Number and octets of the distinct keys. Comparing and joining slice by slice finds each key in the CPU's
    cache once.
    """
    count = size_bytes = 0
    for start in range(0, len(keys), _SLICE):
        part = keys[start : start + _SLICE + 1]  # one more: the last is written if the next slice begins otherwise
        distinct = list(compress(part, map(ne, part, islice(part, 1, None))))
        if len(part) <= _SLICE:
            distinct.append(part[-1])
        if distinct:
            count += len(distinct)
            size_bytes += file.write("\0".join(distinct).encode("latin-1") + b"\0")
    return count, size_bytes


def read_sections(path: Path) -> list[Section]:
    """The sections of an entries file. Raises ``EntriesDamaged``; also where the size is not what the header says."""
    with path.open("rb") as file:
        header = file.read(_HEADER_SIZE)
    if not header.startswith(_MAGIC) or not header.endswith(b"\n"):
        raise EntriesDamaged(f"{path}: not an entries file of this version")
    sections = _sections(path, header)
    expected = len(header) + sum(section.size_bytes for section in sections)
    actual = path.stat().st_size
    if actual != expected:
        raise EntriesDamaged(f"{path}: {actual} bytes, its header says {expected}")
    return sections


def _sections(path: Path, header: bytes) -> list[Section]:
    try:
        rows = json.loads(header[len(_MAGIC) :])
        found: list[Section] = []
        offset = len(header)
        for cover, count, size_bytes in rows:
            if not (0 < int(cover) <= MAX_COVER and 0 < int(count) <= int(size_bytes)):
                raise ValueError(f"section {cover}, {count}, {size_bytes}")
            found.append(Section(path, int(cover), int(count), offset, int(size_bytes)))
            offset += int(size_bytes)
    except (ValueError, TypeError) as error:
        raise EntriesDamaged(f"{path}: its header is damaged: {error}") from error
    return found


def read_keys(section: Section, chunk_size: int = _CHUNK_SIZE) -> Iterator[Sequence[bytes]]:
    """The keys of a section in order, some ten thousand at a time. Raises ``EntriesDamaged`` where they are cut."""
    left = section.size_bytes
    count = 0
    rest = b""
    with section.path.open("rb") as file:
        file.seek(section.offset)
        while left:
            block = file.read(min(chunk_size, left))
            if not block:
                raise EntriesDamaged(f"{section.path}: it ends before its entries do")
            left -= len(block)
            keys = (rest + block).split(b"\0")
            rest = keys.pop()
            count += len(keys)
            if keys:
                yield keys
    if rest or count != section.count:
        raise EntriesDamaged(f"{section.path}: {count} entries, its header says {section.count}")
