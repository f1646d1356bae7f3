"""From the admitted lists' entries to a compiled index.

All lists are merged into one ascending stream of names, each with the set of those who list it (``merge.py``); the
names are gathered and written in blocks (``name_blocks.py``), and what leads to them is placed by their hashes
(``name_table_writer.py``). The format is told in ``name_table.py``, and why it is so in ADR 0009.

The hash depends on a secret of this directory and on the digest: nobody outside can choose names that fall into one
place, and the same lists give the same files, so that an index that was damaged and compiled again is the one that
generations name.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from blocklists import manifest as manifests
from blocklists.beside_writer import write_beside
from blocklists.durable import fsync_directory, fsync_file, locked, sha256_of, write_atomic
from blocklists.entries import read_sections
from blocklists.manifest import FileSum, IndexDamaged, IndexedList, Manifest
from blocklists.members import member
from blocklists.merge import SetTable, merge
from blocklists.name_blocks import NameBlocks
from blocklists.name_hash import HashKey, seed_of
from blocklists.name_table_writer import Crowded, place
from blocklists.progress import Progress

_MAX_LIST_ID: Final = (1 << 28) - 1  # with the cover it fits in 32 bits
_BUILDING: Final = ".building"
_SECRET: Final = ".secret"
_SECRET_SIZE: Final = 32
_SEEDS: Final = 8  # chance alone does not crowd one table in a lifetime

Sets = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class ListInput:
    """One list to compile. ``list_id`` is the control database's, and comes back in ``Match.list_id``."""

    list_id: int
    code: str
    path_to_entries: Path


@dataclass(frozen=True, slots=True)
class CompiledIndex:
    """An index on disk, whole and synced. ``reused``: it was there already."""

    path: Path
    digest: str
    names: int
    size_bytes: int
    reused: bool = False


def compile_index(inputs: Sequence[ListInput], directory: Path, progress: Progress) -> CompiledIndex:
    """Compiles all lists into ``<directory>/<digest>/``; the same inputs give the same digest, and no work if it is
    there.

    Takes one core, about 12 s for 10 M names in two lists. Raises ``EntriesDamaged``, ``OSError``, and ``ValueError``
    for inputs that are no inputs (an id twice, or out of range).
    """
    _check(inputs)
    lists = tuple(IndexedList(row.list_id, row.code, sha256_of(row.path_to_entries)) for row in inputs)
    digest = manifests.inputs_digest(lists)
    final = directory / digest
    with locked(directory):
        present = _sound(final)
        if present is not None:
            os.utime(final)  # whoever prunes lets what was used a moment ago wait for its generation
            return CompiledIndex(final, digest, present.names, sum(present.sizes_bytes), reused=True)
        building = directory / _BUILDING  # whoever left one behind is dead: the lock is ours
        shutil.rmtree(building, ignore_errors=True)
        shutil.rmtree(final, ignore_errors=True)
        building.mkdir()
        try:
            manifest = _built(inputs, lists, digest, building, progress)
            building.rename(final)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        fsync_directory(directory)
    return CompiledIndex(final, digest, manifest.names, sum(manifest.sizes_bytes))


def _check(inputs: Sequence[ListInput]) -> None:
    ids = [row.list_id for row in inputs]
    if len(set(ids)) != len(ids):
        raise ValueError(f"a list id occurs twice among {sorted(ids)}")
    if any(not 0 < list_id <= _MAX_LIST_ID for list_id in ids):
        raise ValueError(f"list ids are from 1 to {_MAX_LIST_ID}: {sorted(ids)}")


def _sound(path: Path) -> Manifest | None:
    try:
        manifest = manifests.read(path)
        manifests.verify(path, manifest)
    except IndexDamaged:
        return None
    return manifest


def _built(
    inputs: Sequence[ListInput], lists: tuple[IndexedList, ...], digest: str, building: Path, progress: Progress
) -> Manifest:
    secret = _secret(building.parent)
    for attempt in range(_SEEDS):
        seed = seed_of(secret, f"{digest}/{attempt}")
        try:
            names, buckets = _write_names(inputs, building, seed, progress)
        except Crowded:
            continue
        return _described(inputs, lists, digest, building, _Table(names, seed, buckets))
    raise ValueError(f"{_SEEDS} seeds crowd the table: these lists were made against it")


@dataclass(frozen=True, slots=True)
class _Table:
    """What the manifest must say of the table of names."""

    names: int
    seed: bytes
    buckets: int


def _described(
    inputs: Sequence[ListInput], lists: tuple[IndexedList, ...], digest: str, building: Path, table: _Table
) -> Manifest:
    """Completes an index of which the names are written: what stands beside them, checksums, the manifest; synced."""
    beside = write_beside([(row.list_id, row.path_to_entries) for row in inputs], building)
    checks = [manifests.checksum(building / name) for name in manifests.FILES]
    for name in (*manifests.FILES, *beside):
        fsync_file(building / name)
    manifest = Manifest(
        digest=digest,
        names=table.names,
        seed=table.seed.hex(),
        buckets=table.buckets,
        lists=lists,
        sizes_bytes=tuple(size_bytes for size_bytes, _ in checks),
        checksums=tuple(checksum for _, checksum in checks),
        beside=tuple(FileSum(name, *manifests.checksum(building / name)) for name in beside),
    )
    write_atomic(building / manifests.MANIFEST, manifests.encode(manifest))
    return manifest


def _secret(directory: Path) -> bytes:
    """The secret of this directory; made where there is none or half of one. The lock is ours."""
    path = directory / _SECRET
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = b""
    if len(found) != _SECRET_SIZE:
        found = secrets.token_bytes(_SECRET_SIZE)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(found)
            os.fsync(file.fileno())
    return found


def _write_names(inputs: Sequence[ListInput], building: Path, seed: bytes, progress: Progress) -> tuple[int, int]:
    """Writes all files of names; returns the number of names, and of buckets in their table. Raises ``Crowded``."""
    table = SetTable()
    sections = [
        (section, table.number((member(row.list_id, section.cover),)))
        for row in inputs
        for section in read_sections(row.path_to_entries)
    ]
    names = NameBlocks(HashKey.of(seed))
    found: list[Sets] = [np.zeros(0, dtype=np.uint32)]
    progress.start("compile", 2 * sum(section.count for section, _ in sections))
    try:
        for stretch in merge(sections, table):
            names.add(b"\0".join(stretch.keys) + b"\0", len(stretch.keys))
            found.append(stretch.sets)
            progress.advance(len(stretch.keys))
        placed = place(names.hashes())
        placed.filter.tofile(building / manifests.FILTER)
        placed.slots.tofile(building / manifests.SLOTS)
        numbers, members = _by_frequency(np.concatenate(found), table)
        found.clear()
        members.tofile(building / manifests.MEMBERS)
        written = names.write(building / manifests.NAMES, numbers, progress.advance)
    finally:
        progress.done()
    written.starts.astype("<u4").tofile(building / manifests.STARTS)
    written.codes.astype("<u4").tofile(building / manifests.CODES)
    return names.names, placed.buckets


def _by_frequency(sets: Sets, table: SetTable) -> tuple[Sets, Sets]:
    """The sets of all names, numbered anew: the most frequent is 0, those that no name has are left out. With them
    ``members.bin``: where each set begins (and the last one ends), then the sets, all in one array of 32-bit numbers.
    """
    counts = np.bincount(sets, minlength=len(table.sets))
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    ranks = np.zeros(len(table.sets), dtype=np.uint32)
    ranks[order] = np.arange(len(order))
    used = [table.sets[number] for number in order.tolist()]
    head = len(used) + 1
    sizes = np.fromiter(map(len, used), dtype=np.int64, count=len(used))
    begins = np.concatenate([[head], head + np.cumsum(sizes)])
    flat = np.fromiter(chain.from_iterable(used), dtype=np.int64, count=int(sizes.sum()))
    return ranks[sets], np.concatenate([begins, flat]).astype("<u4")
