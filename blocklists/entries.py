"""A list's entries as a file: what a version in the library is, and what the compiler reads.

A header line of 1,024 octets, ``saring-entries 1`` and JSON of the sections ``[cover, count, size_bytes]``, then
the sections: keys (``entry.py``) in ascending order of their octets, each followed by NUL, none twice in the whole
file. Written for the compiler: 10 M names are read back in a second, already sorted.

Behind the sections of names, where the list has such: one with the number ``RULES`` in the place of a cover, rules as
JSON; and address ranges under ``ADDRESSES`` plus their ``AddressKind``, each 17 octets (``AddressEntry.packed``),
ascending, none twice in a section.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from operator import ne
from pathlib import Path
from typing import BinaryIO, Final

from blocklists.entry import MAX_COVER
from blocklists.rule import AddressEntry, AddressKind, ListRule, decode, encode

_MAGIC: Final = b"saring-entries 1 "
_HEADER_SIZE: Final = 1024  # 15 covers, each with two numbers of up to 20 digits, fit
_CHUNK_SIZE: Final = 1 << 20
_SLICE: Final = 20_000

RULES: Final = MAX_COVER + 1
ADDRESSES: Final = 2 * RULES  # with an ``AddressKind`` added
ADDRESS_SIZE: Final = 17
_NOT_NAMES: Final = (RULES, *(ADDRESSES + kind for kind in AddressKind))


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


def write_entries(
    path: Path,
    groups: dict[int, list[str]],
    rules: Sequence[ListRule] = (),
    addresses: Iterable[AddressEntry] = (),
) -> int:
    """Writes groups of sorted keys (as Latin-1 text) by cover, each key once, and waits for the disk.

    A key may occur several times in its group, but in one group only. Returns the number of distinct keys, and of
    distinct address ranges and of rules with them: of all that the file says.
    """
    sections: list[tuple[int, int, int]] = []
    with path.open("wb") as file:
        file.write(_header([]))
        for cover in sorted(groups):
            count, size_bytes = _write_keys(file, groups[cover])
            if count:
                sections.append((cover, count, size_bytes))
        for number, count, content in _others(rules, addresses):
            sections.append((number, count, file.write(content)))
        file.seek(0)
        file.write(_header(sections))
        file.flush()
        os.fsync(file.fileno())
    return sum(count for _, count, _ in sections)


def join_sections(
    path: Path,
    parts: Sequence[tuple[int, int, Path]],
    rules: Sequence[ListRule] = (),
    addresses: Iterable[AddressEntry] = (),
) -> int:
    """Writes an entries file of sections that are files already: cover (ascending), count, and the file of its keys,
    ascending, each followed by NUL; no key in two of them. Waits for the disk; returns what ``write_entries`` does.
    """
    others = _others(rules, addresses)
    sections = [(cover, count, part.stat().st_size) for cover, count, part in parts]
    sections += [(number, count, len(content)) for number, count, content in others]
    with path.open("wb") as file:
        file.write(_header(sections))
        for _, _, part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, file, _CHUNK_SIZE)
        for _, _, content in others:
            file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return sum(count for _, count, _ in sections)


def _others(rules: Sequence[ListRule], addresses: Iterable[AddressEntry]) -> list[tuple[int, int, bytes]]:
    """The sections of what is no name: number, count, content."""
    found = [(RULES, len(rules), encode(rules))] if rules else []
    packed: dict[AddressKind, set[bytes]] = {}
    for entry in addresses:
        packed.setdefault(entry.kind, set()).add(entry.packed)
    found += [(ADDRESSES + kind, len(packed[kind]), b"".join(sorted(packed[kind]))) for kind in sorted(packed)]
    return found


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
    """The sections of names. Raises ``EntriesDamaged``; also where the size is not what the header says."""
    return [section for section in _all_sections(path) if section.cover <= MAX_COVER]


def read_rules(path: Path) -> tuple[ListRule, ...]:
    """The rules of an entries file, in the order of the list. Raises ``EntriesDamaged``."""
    for section in _all_sections(path):
        if section.cover == RULES:
            try:
                return decode(_content(section))
            except ValueError as error:
                raise EntriesDamaged(f"{path}: its rules are damaged: {error}") from error
    return ()


def read_addresses(path: Path) -> dict[AddressKind, bytes]:
    """The address ranges of an entries file by kind, each 17 octets, ascending. Raises ``EntriesDamaged``."""
    found: dict[AddressKind, bytes] = {}
    for section in _all_sections(path):
        if section.cover > ADDRESSES:
            if section.size_bytes != section.count * ADDRESS_SIZE:
                raise EntriesDamaged(f"{path}: {section.count} address ranges in {section.size_bytes} octets")
            found[AddressKind(section.cover - ADDRESSES)] = _content(section)
    return found


def _content(section: Section) -> bytes:
    with section.path.open("rb") as file:
        file.seek(section.offset)
        return file.read(section.size_bytes)


def _all_sections(path: Path) -> list[Section]:
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
            known = 0 < int(cover) <= MAX_COVER or int(cover) in _NOT_NAMES
            if not (known and 0 < int(count) <= int(size_bytes)):
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
