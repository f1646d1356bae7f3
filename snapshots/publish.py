"""Publishing: a new generation beside the old ones, then one pointer swapped.

Whatever is interrupted, and wherever, ``current`` names a whole generation: everything is written and synced under a
name that nobody reads, renamed, opened again and compared, and only then named by ``current``, by a rename.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from blocklists.compiler import compile_index
from blocklists.durable import fsync_directory, locked
from blocklists.progress import Silent
from policy.document import encode
from policy.model import Policy
from snapshots import manifest as manifests
from snapshots import switches
from snapshots.generation import GenerationDamaged, index_checksum, open_generation
from snapshots.layout import (
    CURRENT,
    GENERATIONS,
    INDEX,
    MANIFEST,
    POLICY,
    RECORD,
    current_target,
    generation_path,
    is_digest,
    link_target,
    number_of,
    numbers,
)
from snapshots.manifest import Manifest
from snapshots.prune import prune

__all__ = ["PublishError", "prune", "publish", "rollback"]

Step = Callable[[str], None]


class PublishError(RuntimeError):
    """Nothing was published, and the current generation stays; the message says why and what to do."""


def _no_step(_: str) -> None:
    """What a publisher does between steps: nothing. Tests interrupt it here."""


def publish(
    root: Path, policy: Policy, index_path: Path | None, now_s: float, step: Step = _no_step, record: bytes = b""
) -> int:
    """Publishes a policy with an index and returns the new generation's number.

    ``index_path`` is ``<root>/index/<digest>`` as ``compile_index`` returns it; None keeps the current generation's
    index (an empty one where nothing was published yet). Waits for other publishers. ``step`` is told the name of each
    step done. ``record``: one line that is kept with the generation, for people; workers never read it. Raises
    ``PublishError``; ``OSError`` where the disk is full or not ours.
    """
    with locked(root):
        step("locked")
        (root / GENERATIONS).mkdir(exist_ok=True)
        _clear_leftovers(root)
        previous = number_of(current_target(root))
        digest = _index_digest(root, index_path, previous)
        number = max([previous, *numbers(root)]) + 1
        document = encode(policy)
        manifest = Manifest(
            format=manifests.FORMAT,
            number=number,
            created_s=now_s,
            revision=policy.revision,
            previous=previous,
            policy_sha256=hashlib.sha256(document).hexdigest(),
            policy_size_bytes=len(document),
            index_digest=digest,
            index_manifest_sha256=index_checksum(root / INDEX / digest),
            record_sha256=hashlib.sha256(record).hexdigest() if record else "",
        )
        _write(root, manifest, document, record, step)
        try:
            _verify(root, number)
        except PublishError:
            shutil.rmtree(generation_path(root, number))  # it must not look like one that people once published
            raise
        step("verified")
        _swap(root, number, now_s, step)
        return number


def rollback(root: Path, number: int | None = None, step: Step = _no_step, now_s: float | None = None) -> int:
    """Makes an earlier generation current again and returns its number; None: the one before the current.

    The generations in between stay, so that a rollback can be taken back the same way. ``now_s``: when this is; None:
    by the file system's clock. Raises ``PublishError``.
    """
    with locked(root):
        _clear_leftovers(root)
        current = number_of(current_target(root))
        chosen = number if number is not None else _before(root, current)
        _verify(root, chosen)
        _swap(root, chosen, now_s, step)
        return chosen


def _before(root: Path, current: int) -> int:
    """The generation that was current before this one, else the newest sound one below it."""
    candidates = [number for number in reversed(numbers(root)) if number < current]
    try:
        previous = manifests.read(generation_path(root, current)).previous
    except GenerationDamaged:
        previous = 0
    if previous:
        candidates.insert(0, previous)
    for candidate in candidates:
        try:
            open_generation(root, candidate).close()
        except GenerationDamaged:
            continue
        return candidate
    raise PublishError(f"there is no sound generation before {current} to go back to")


def _index_digest(root: Path, index_path: Path | None, current: int) -> str:
    if index_path is not None:
        # A generation names its index by digest alone, so that a copy of the tree works elsewhere.
        if index_path.parent.resolve() != (root / INDEX).resolve() or not is_digest(index_path.name):
            raise PublishError(f"{index_path} is no index under {root / INDEX}: compile it into that directory")
        if not index_checksum(index_path):
            raise PublishError(f"{index_path} is missing or not finished: compile it again")
        os.utime(index_path)  # its hour of grace against pruning starts anew
        return index_path.name
    if not current:
        (root / INDEX).mkdir(exist_ok=True)
        return compile_index((), root / INDEX, Silent()).digest
    try:
        return manifests.read(generation_path(root, current)).index_digest
    except GenerationDamaged as fault:
        raise PublishError(f"the current generation's index is unknown ({fault}): publish with an index") from None


def _write(root: Path, manifest: Manifest, document: bytes, record: bytes, step: Step) -> None:
    beside = root / GENERATIONS / f".new-{manifest.number:010}"
    beside.mkdir()
    _write_synced(beside / POLICY, document)
    if record:
        _write_synced(beside / RECORD, record)
    step("policy written")
    _write_synced(beside / MANIFEST, manifests.encode(manifest))
    fsync_directory(beside)
    step("written")
    beside.rename(generation_path(root, manifest.number))
    fsync_directory(root / GENERATIONS)
    step("named")


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _verify(root: Path, number: int) -> None:
    """Opens the generation as a worker will. What was written but cannot be read back must never become current."""
    try:
        open_generation(root, number).close()
    except GenerationDamaged as fault:
        raise PublishError(f"generation {number} cannot be made current: {fault}") from None


def _swap(root: Path, number: int, now_s: float | None, step: Step) -> None:
    beside = root / f".{CURRENT}.new"
    beside.symlink_to(link_target(number))
    step("linked")
    beside.rename(root / CURRENT)
    fsync_directory(root)
    step("swapped")
    switches.note(root, number, (root / CURRENT).lstat().st_mtime if now_s is None else now_s)


def _clear_leftovers(root: Path) -> None:
    """Removes what a killed publisher left behind: nobody else is at work, the lock is ours."""
    (root / f".{CURRENT}.new").unlink(missing_ok=True)
    for path in (root / GENERATIONS).glob(".*"):
        shutil.rmtree(path)
