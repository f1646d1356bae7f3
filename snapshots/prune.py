"""Keeping the disk bounded: old generations go, and indexes that no generation refers to."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.durable import fsync_directory, locked
from snapshots import history
from snapshots import manifest as manifests
from snapshots.layout import GENERATIONS, INDEX, current_target, generation_path, is_digest, number_of, numbers
from snapshots.manifest import GenerationDamaged, Manifest

INDEX_GRACE_S: Final = 3600  # a compiled index waits for its generation at most so long
MAX_KEPT: Final = 2000  # however young: an edit a second must not fill the disk


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed: generations by number, indexes by digest."""

    generations: tuple[int, ...]
    indexes: tuple[str, ...]


def prune(
    root: Path, keep: int = 20, min_age_s: float = 7 * 86_400, *, now_s: float, max_kept: int = MAX_KEPT
) -> Pruned:
    """Removes generations that are neither among the newest ``keep`` nor younger than ``min_age_s``.

    Beyond ``max_kept`` even younger ones go. Never removed are the current generation, the one before it, and the
    newest, whose number must not be given again. Then indexes that no remaining generation refers to, after an hour.
    What people may want to compare or restore of them is kept (``history.py``).
    """
    with locked(root):
        present = numbers(root)
        known = {number: _manifest(root, number) for number in present}
        removed = _expendable(present, known, _needed(root, present, known), keep, min_age_s, now_s, max_kept)
        for number in removed:
            history.keep(root, number)
            _remove(generation_path(root, number), number)
        if removed:
            history.trim(root)
            fsync_directory(root / GENERATIONS)
        kept = {manifest.index_digest for number, manifest in known.items() if manifest and number not in removed}
        return Pruned(tuple(removed), tuple(_prune_indexes(root / INDEX, kept, now_s)))


def _manifest(root: Path, number: int) -> Manifest | None:
    try:
        return manifests.read(generation_path(root, number))
    except GenerationDamaged:
        return None


def _needed(root: Path, present: list[int], known: dict[int, Manifest | None]) -> set[int]:
    current = number_of(current_target(root))
    manifest = known.get(current)
    # Where the manifest cannot tell what came before, a worker would fall back to the next lower number.
    below = max((number for number in present if number < current and known[number]), default=0)
    return {current, below, manifest.previous if manifest else 0, present[-1] if present else 0}


def _expendable(
    present: list[int],
    known: dict[int, Manifest | None],
    needed: set[int],
    keep: int,
    min_age_s: float,
    now_s: float,
    max_kept: int,
) -> list[int]:
    found: list[int] = []
    for position, number in enumerate(reversed(present)):
        manifest = known[number]
        old = manifest is None or now_s - manifest.created_s > min_age_s
        if number not in needed and position >= keep and (old or position >= max_kept):
            found.append(number)
    return sorted(found)


def _remove(directory: Path, number: int) -> None:
    # Renamed first: a removal that is interrupted must not leave half a generation under a generation's name.
    beside = directory.with_name(f".old-{number:010}")
    directory.rename(beside)
    shutil.rmtree(beside)


def _prune_indexes(directory: Path, kept: set[str], now_s: float) -> list[str]:
    removed: list[str] = []
    if not directory.is_dir():
        return removed
    for path in sorted(directory.iterdir()):
        if not is_digest(path.name) or path.name in kept or now_s - path.stat().st_mtime < INDEX_GRACE_S:
            continue
        shutil.rmtree(path)  # workers that have it mapped keep their mapping
        removed.append(path.name)
    return removed
