"""What a compiled index says of itself, and how it is found damaged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
NAMES: Final = "names.marisa"
SETS: Final = "sets.bin"
MEMBERS: Final = "members.bin"
FILES: Final = (NAMES, SETS, MEMBERS)
WIDTHS: Final = {1: "B", 2: "H", 4: "I"}  # octets of a set number -> its memoryview format

_BLOCK_SIZE: Final = 1 << 20
_MAX_MANIFEST: Final = 1 << 24


class IndexDamaged(ValueError):  # noqa: N818 -- the name that all packages agreed on
    """A compiled index is not what was written: a file is missing, cut or changed."""


@dataclass(frozen=True, slots=True)
class IndexedList:
    """A list in the index, and the checksum of the entries it came from."""

    list_id: int
    code: str
    entries_sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``digest`` is that of the inputs and names the directory; ``checksums`` are the files'."""

    digest: str
    names: int
    set_count: int
    set_width: int  # octets
    lists: tuple[IndexedList, ...]
    sizes_bytes: tuple[int, ...]  # in the order of FILES
    checksums: tuple[str, ...]


def inputs_digest(lists: tuple[IndexedList, ...]) -> str:
    """The digest under which an index of these lists is kept; the order of the lists does not matter."""
    rows = sorted((row.list_id, row.code, row.entries_sha256) for row in lists)
    return hashlib.sha256(json.dumps([FORMAT, rows], separators=(",", ":")).encode()).hexdigest()


def checksum(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file. With hardware SHA, as all servers have it, 7 MB (a million names) take 5 ms."""
    digest = hashlib.sha256()
    size_bytes = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_SIZE):
            digest.update(block)
            size_bytes += len(block)
    return size_bytes, digest.hexdigest()


def encode(manifest: Manifest) -> bytes:
    """The manifest as a JSON line, and its own checksum on the next."""
    facts = {
        "format": FORMAT,
        "digest": manifest.digest,
        "names": manifest.names,
        "set_count": manifest.set_count,
        "set_width": manifest.set_width,
        "lists": [[row.list_id, row.code, row.entries_sha256] for row in manifest.lists],
        "sizes_bytes": manifest.sizes_bytes,
        "checksums": manifest.checksums,
    }
    line = json.dumps(facts, separators=(",", ":"), sort_keys=True).encode()
    return line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n"


def read(directory: Path) -> Manifest:
    """The manifest of a compiled index. Raises ``IndexDamaged``."""
    path = directory / MANIFEST
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_MANIFEST)
    except OSError as error:
        raise IndexDamaged(f"{path} cannot be read: {error.strerror}") from error
    line, _, rest = content.partition(b"\n")
    if rest != hashlib.sha256(line).hexdigest().encode() + b"\n":
        raise IndexDamaged(f"{path} is damaged: its checksum does not fit")
    try:
        return _decoded(json.loads(line))
    except (KeyError, TypeError, ValueError) as error:
        raise IndexDamaged(f"{path} is of another format: {error}") from error


def _decoded(facts: dict[str, object]) -> Manifest:
    if facts["format"] != FORMAT:
        raise ValueError(f"format {facts['format']}, this program reads {FORMAT}")
    numbers = [facts[key] for key in ("names", "set_count", "set_width")]
    rows, sizes, checksums = facts["lists"], facts["sizes_bytes"], facts["checksums"]
    if not (isinstance(rows, list) and isinstance(sizes, list) and isinstance(checksums, list)):
        raise ValueError("lists, sizes_bytes and checksums are not arrays")
    names, set_count, set_width = (int(str(number)) for number in numbers)
    if set_width not in WIDTHS or len(sizes) != len(FILES) or len(checksums) != len(FILES):
        raise ValueError("set_width, sizes_bytes or checksums do not fit")
    lists = tuple(IndexedList(int(list_id), str(code), str(sha256)) for list_id, code, sha256 in rows)
    return Manifest(str(facts["digest"]), names, set_count, set_width, lists, tuple(sizes), tuple(checksums))


def verify(directory: Path, manifest: Manifest) -> None:
    """Compares every file with its checksum. Raises ``IndexDamaged``.

    The trie must be whole before it is mapped: the library that reads it trusts what it finds.
    """
    for name, size_bytes, expected in zip(FILES, manifest.sizes_bytes, manifest.checksums, strict=True):
        path = directory / name
        try:
            found = checksum(path)
        except OSError as error:
            raise IndexDamaged(f"{path} cannot be read: {error.strerror}") from error
        if found != (size_bytes, expected):
            raise IndexDamaged(f"{path} is damaged: {found[0]} bytes, {size_bytes} expected, or its content changed")
