"""What a compiled index says of itself, and how it is found damaged.

Files are checked with XXH3 of 128 bits: it reads as fast as memory does, so that every start and every swap can check
all that it maps (10 M names, 116 MB: 25 ms, where SHA-256 takes 90). It finds accidents, of disk, memory or a copy.
It is no proof against people; nor would a better one be, since who can change the files can change this manifest too.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xxhash

FORMAT: Final = 2
MANIFEST: Final = "manifest.json"
FILTER: Final = "filter.bin"
SLOTS: Final = "slots.bin"
STARTS: Final = "starts.bin"
NAMES: Final = "names.bin"
CODES: Final = "codes.bin"
MEMBERS: Final = "members.bin"
FILES: Final = (FILTER, SLOTS, STARTS, NAMES, CODES, MEMBERS)
RULES: Final = "rules.json"
ADDRESSES: Final = "addresses.bin"
BESIDE: Final = (RULES, ADDRESSES)

_BLOCK_SIZE: Final = 1 << 21
# A worker opens an index beside its event loop, often on the same core, and the scheduler would let the loop wait for
# several milliseconds. So this rests after each block: 10 M names take 5 ms longer, and no query waits for 1.
_REST_S: Final = 1e-6
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
class FileSum:
    """A file of the index and its checksum."""

    name: str
    size_bytes: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``digest`` is that of the inputs and names the directory; ``checksums`` are the files'. ``seed`` (hexadecimal)
    and ``buckets`` are the table's (``name_table.py``).

    ``beside``: the files that only some indexes have (``beside.py``).
    """

    digest: str
    names: int
    seed: str
    buckets: int
    lists: tuple[IndexedList, ...]
    sizes_bytes: tuple[int, ...]  # in the order of FILES
    checksums: tuple[str, ...]
    beside: tuple[FileSum, ...] = ()


def inputs_digest(lists: tuple[IndexedList, ...]) -> str:
    """The digest under which an index of these lists is kept; the order of the lists does not matter."""
    rows = sorted((row.list_id, row.code, row.entries_sha256) for row in lists)
    return hashlib.sha256(json.dumps([FORMAT, rows], separators=(",", ":")).encode()).hexdigest()


def checksum(path: Path) -> tuple[int, str]:
    """Size and checksum of a file. Read, not mapped: a bad sector is an ``OSError`` then, not a killed process."""
    digest = xxhash.xxh3_128()
    block = memoryview(bytearray(_BLOCK_SIZE))
    size_bytes = 0
    with path.open("rb", buffering=0) as file:
        while read := file.readinto(block):
            digest.update(block[:read])
            size_bytes += read
            time.sleep(_REST_S)
    return size_bytes, digest.hexdigest()


def encode(manifest: Manifest) -> bytes:
    """The manifest as a JSON line, and its own checksum on the next."""
    facts: dict[str, object] = {
        "format": FORMAT,
        "digest": manifest.digest,
        "names": manifest.names,
        "seed": manifest.seed,
        "buckets": manifest.buckets,
        "lists": [[row.list_id, row.code, row.entries_sha256] for row in manifest.lists],
        "sizes_bytes": manifest.sizes_bytes,
        "checksums": manifest.checksums,
    }
    if manifest.beside:
        facts["beside"] = [[row.name, row.size_bytes, row.checksum] for row in manifest.beside]
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
    rows, sizes, checksums = facts["lists"], facts["sizes_bytes"], facts["checksums"]
    if not (isinstance(rows, list) and isinstance(sizes, list) and isinstance(checksums, list)):
        raise ValueError("lists, sizes_bytes and checksums are not arrays")
    names, buckets = (int(str(facts[key])) for key in ("names", "buckets"))
    if len(sizes) != len(FILES) or len(checksums) != len(FILES):
        raise ValueError(f"it does not speak of {len(FILES)} files")
    lists = tuple(IndexedList(int(list_id), str(code), str(sha256)) for list_id, code, sha256 in rows)
    seed = bytes.fromhex(str(facts["seed"])).hex()
    return Manifest(str(facts["digest"]), names, seed, buckets, lists, tuple(sizes), tuple(checksums), _beside(facts))


def _beside(facts: dict[str, object]) -> tuple[FileSum, ...]:
    rows = facts.get("beside", [])
    if not isinstance(rows, list):
        raise TypeError("beside is no array")
    found = tuple(FileSum(str(name), int(size_bytes), str(found)) for name, size_bytes, found in rows)
    if any(row.name not in BESIDE for row in found):
        raise ValueError("beside names a file that this program does not know")
    return found


def verify(directory: Path, manifest: Manifest) -> None:
    """Compares every file with its checksum. Raises ``IndexDamaged``."""
    for row in (*map(FileSum, FILES, manifest.sizes_bytes, manifest.checksums), *manifest.beside):
        path = directory / row.name
        try:
            size_bytes, found = checksum(path)
        except OSError as error:
            raise IndexDamaged(f"{path} cannot be read: {error.strerror}") from error
        if (size_bytes, found) != (row.size_bytes, row.checksum):
            raise IndexDamaged(
                f"{path} is damaged: {size_bytes} bytes, {row.size_bytes} expected, or its content changed"
            )
