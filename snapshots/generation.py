"""Opening a generation: everything a decision needs, checked before it is used.

A resolver must answer after whatever happened to the disk, so the newest sound generation serves where the current one
does not, and the log says which was damaged and how.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists import manifest as index_manifests
from blocklists.index import Index, IndexDamaged
from policy.document import PolicyDocumentError, decode
from policy.model import Policy
from snapshots import history
from snapshots import manifest as manifests
from snapshots.layout import INDEX, POLICY, current_target, generation_path, number_of, numbers
from snapshots.manifest import GenerationDamaged, Manifest

__all__ = ["Damage", "Generation", "GenerationDamaged", "NoGenerationError", "open_current", "open_generation"]

_log: Final = logging.getLogger(__name__)
_MAX_OVERTAKEN: Final = 5  # times in a row; whoever publishes faster than this can open is not kept up with


class NoGenerationError(RuntimeError):
    """No generation under the root is sound; the message says what is wrong with each."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A generation that could not be opened, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation, open. ``damaged``: those that were tried before it in vain, the current one first."""

    number: int
    policy: Policy
    index: Index
    manifest: Manifest
    damaged: tuple[Damage, ...] = ()

    def close(self) -> None:
        """Gives the index's mapping back. Nothing may ask the index afterwards."""
        self.index.close()


def open_current(root: Path) -> Generation:
    """The generation that ``current`` names, else the newest sound one before it, else the newest after it.

    Before goes first: after a rollback, what came later was taken back by people. Raises ``NoGenerationError``.
    """
    return _open_current(root, _MAX_OVERTAKEN)


def _open_current(root: Path, attempts: int) -> Generation:
    target = current_target(root)
    current = number_of(target)
    if not current:
        _log.warning("there is no current generation: the newest sound one serves", extra={"link": target})
    damaged: list[Damage] = []
    for number in _in_order(current, numbers(root)):
        try:
            opened = open_generation(root, number)
        except GenerationDamaged as fault:
            if attempts and current_target(root) != target:
                # Another one became current meanwhile, and this one may have been pruned: no damage.
                return _open_current(root, attempts - 1)
            _log.error("generation is damaged", extra={"generation": number, "reason": str(fault)})
            damaged.append(Damage(number, str(fault)))
            continue
        if damaged:
            _log.warning("an older generation serves", extra={"generation": number, "current": current})
        return Generation(opened.number, opened.policy, opened.index, opened.manifest, tuple(damaged))
    reasons = "; ".join(f"{damage.number}: {damage.reason}" for damage in damaged) or "nothing was published yet"
    raise NoGenerationError(f"{root} holds no sound generation ({reasons}): publish one")


def _in_order(current: int, present: list[int]) -> list[int]:
    before = [number for number in reversed(present) if number < current]
    after = [number for number in reversed(present) if number > current]
    return [current, *before, *after] if current else after


def open_generation(root: Path, number: int) -> Generation:
    """That generation, with all checksums compared. Raises ``GenerationDamaged``."""
    directory = generation_path(root, number)
    manifest = manifests.read(directory)
    policy = _policy(directory, manifest)
    return Generation(number, policy, _index(root, manifest), manifest)


def read_policy(root: Path, number: int) -> Policy:
    """The policy of a generation alone, pruned ones included, for whoever needs names and not decisions.

    Raises ``GenerationDamaged``.
    """
    return _decoded(history.read(root, number).policy, generation_path(root, number))


def read_record(root: Path, number: int) -> bytes:
    """What the publisher kept with a generation, ``b""`` where it kept nothing. Raises ``GenerationDamaged``."""
    return history.read(root, number).record


def _policy(directory: Path, manifest: Manifest) -> Policy:
    path = directory / POLICY
    try:
        document = path.read_bytes()
    except OSError as fault:
        raise GenerationDamaged(f"{path} cannot be read: {fault.strerror}") from None
    if len(document) != manifest.policy_size_bytes or hashlib.sha256(document).hexdigest() != manifest.policy_sha256:
        sizes = f"{len(document)} bytes, {manifest.policy_size_bytes} expected"
        raise GenerationDamaged(f"{path} is cut or changed: {sizes}, or its content differs")
    return _decoded(document, path)


def _decoded(document: bytes, path: Path) -> Policy:
    try:
        return decode(document)
    except PolicyDocumentError as fault:
        raise GenerationDamaged(f"{path} cannot be understood: {fault}") from None


def _index(root: Path, manifest: Manifest) -> Index:
    path = root / INDEX / manifest.index_digest
    # The index vouches for its files, the generation for the index: or another one of the same inputs' name, sound in
    # itself, could stand in its place.
    if index_checksum(path) != manifest.index_manifest_sha256:
        raise GenerationDamaged(f"{path} is missing or is not the index that was published")
    try:
        return Index.open(path)
    except IndexDamaged as fault:
        raise GenerationDamaged(str(fault)) from None


def index_checksum(path: Path) -> str:
    """SHA-256 of a compiled index's manifest, ``""`` where there is none."""
    try:
        return hashlib.sha256((path / index_manifests.MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return ""
