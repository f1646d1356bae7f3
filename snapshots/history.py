"""Generations that were pruned, as far as people may still want them: manifest, policy and record, not the index.

An index has hundreds of megabytes and can be compiled again, a policy compressed some kilobytes: so every published
policy is kept for years, to be compared and restored, while only the last generations can be put in force at once.

``history/0000000012.json.gz`` holds, a line each, the two lines of ``manifest.json``, ``policy.json`` and, where there
is one, ``record.json``.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.durable import write_atomic
from snapshots import manifest as manifests
from snapshots.layout import HISTORY, MANIFEST, POLICY, RECORD, generation_path, history_numbers, history_path
from snapshots.manifest import GenerationDamaged, Manifest

MAX_SIZE_BYTES: Final = 1 << 30  # of all that is kept; a regency's policy takes decades to fill it
_MAX_UNPACKED: Final = 1 << 28
_LINES: Final = 3  # at least: two of the manifest, one of the policy


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a generation without its index, compared with its checksums. ``record`` may be empty."""

    manifest: Manifest
    policy: bytes
    record: bytes


def read(root: Path, number: int) -> Kept:
    """A generation's documents, whether it is whole or pruned. Raises ``GenerationDamaged``."""
    directory = generation_path(root, number)
    if directory.is_dir():
        manifest = manifests.read(directory)
        policy = _read(directory / POLICY)
        record = _read(directory / RECORD) if manifest.record_sha256 else b""
        return _checked(directory, Kept(manifest, policy, record))
    path = history_path(root, number)
    try:
        with gzip.open(path) as file:
            content = file.read(_MAX_UNPACKED)
    except (OSError, EOFError, zlib.error) as fault:
        raise GenerationDamaged(f"there is no generation {number} in {root}: {fault}") from None
    lines = content.splitlines(keepends=True)
    if len(lines) < _LINES:
        raise GenerationDamaged(f"{path} is cut")
    manifest = manifests.decode(b"".join(lines[:2]), path, number)
    return _checked(path, Kept(manifest, lines[2], b"".join(lines[3:])))


def read_manifest(root: Path, number: int) -> Manifest:
    """A generation's manifest, whether it is whole or pruned. Raises ``GenerationDamaged``."""
    directory = generation_path(root, number)
    return manifests.read(directory) if directory.is_dir() else read(root, number).manifest


def keep(root: Path, number: int) -> None:
    """Keeps a generation that is about to be removed. One that is damaged is not worth it. Raises ``OSError``."""
    try:
        kept = read(root, number)
    except GenerationDamaged:
        return
    path = history_path(root, number)
    path.parent.mkdir(exist_ok=True)
    manifest = (generation_path(root, number) / MANIFEST).read_bytes()
    write_atomic(path, gzip.compress(manifest + kept.policy + kept.record, mtime=0))


def trim(root: Path, max_size_bytes: int = MAX_SIZE_BYTES) -> tuple[int, ...]:
    """Removes the oldest beyond that size, and what a killed publisher left half written; the numbers removed."""
    for path in (root / HISTORY).glob(".*"):
        path.unlink(missing_ok=True)
    sizes = {number: history_path(root, number).stat().st_size for number in history_numbers(root)}
    total, removed = sum(sizes.values()), []
    for number in sorted(sizes):
        if total <= max_size_bytes:
            break
        history_path(root, number).unlink()
        total -= sizes[number]
        removed.append(number)
    return tuple(removed)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise GenerationDamaged(f"{path} cannot be read: {fault.strerror}") from None


def _checked(path: Path, kept: Kept) -> Kept:
    manifest = kept.manifest
    if hashlib.sha256(kept.policy).hexdigest() != manifest.policy_sha256:
        sizes = f"{len(kept.policy)} bytes, {manifest.policy_size_bytes} expected"
        raise GenerationDamaged(f"{path}: its policy is cut or changed: {sizes}, or its content differs")
    if manifest.record_sha256 and hashlib.sha256(kept.record).hexdigest() != manifest.record_sha256:
        raise GenerationDamaged(f"{path}: its record is cut or changed")
    return kept
