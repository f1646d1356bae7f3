"""Which files the store consists of, and how far each spool is loaded: one JSON file, replaced as a whole.

Rows become visible, and their spool positions loaded, by the same rename: that is what makes a load exactly once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from querylog.embedded.files import sync_directory
from querylog.spool_reader import Position
from querylog.store import StoreError

FILE_NAME: Final = "manifest.json"
_VERSION: Final = 1

RAW: Final = "raw"
BLOCKED: Final = "blocked"
GAP: Final = "gap"


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """One immutable Parquet file; ``path`` is relative to the store. ``level`` 0 is a load's, higher ones merged."""

    path: str
    kind: str  # RAW, BLOCKED or GAP
    day: str  # ISO date, UTC
    rows: int
    size_bytes: int
    min_us: int
    max_us: int
    max_batch: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Obsolete:
    """A file that newer files replace (or retention dropped), kept for readers that started before ``since_us``."""

    path: str
    since_us: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole store at one moment."""

    version: int = _VERSION
    batch: int = 0  # number of the newest load
    file_number: int = 0  # last used in a file's name
    positions: dict[str, Position] = field(default_factory=dict)
    segments: tuple[SegmentInfo, ...] = ()
    obsolete: tuple[Obsolete, ...] = ()


def read(root: Path) -> Manifest:
    """The current manifest; an empty one where the store is new. Raises ``StoreError``."""
    path = root / FILE_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise StoreError(f"the query log's manifest {path} cannot be read: {error.strerror}") from error
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"the query log's manifest {path} is damaged ({error}); restore {path.parent} from the backup. "
            "The resolver goes on, and the spool keeps new rows meanwhile"
        ) from error
    if manifest.version != _VERSION:
        raise StoreError(
            f"the query log's manifest {path} has version {manifest.version}, this program reads {_VERSION}: "
            "it was written by another release of Saring"
        )
    return manifest


def write_beside(root: Path, manifest: Manifest) -> None:
    """Puts the next manifest on the disk, without effect yet. Raises ``OSError``."""
    with _beside(root).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())


def publish(root: Path) -> None:
    """Makes the manifest that was written beside the current one; on the disk when this returns.

    Raises ``OSError``: then either of both may count, and the files of both must stay.
    """
    _beside(root).replace(root / FILE_NAME)
    sync_directory(root)


def _beside(root: Path) -> Path:
    return root / (FILE_NAME + ".tmp")


class ManifestReader:
    """The manifest as it is now, decoded again only after it was replaced."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: tuple[tuple[int, int, int], Manifest] | None = None

    def current(self) -> Manifest:
        """The newest manifest. Raises ``StoreError``."""
        try:
            status = (self._root / FILE_NAME).stat()
        except FileNotFoundError:
            return Manifest()
        signature = (status.st_ino, status.st_mtime_ns, status.st_size)
        seen = self._seen
        if seen is None or seen[0] != signature:
            # Read after the stat: a manifest replaced in between is read now, and once more at the next call.
            seen = self._seen = (signature, read(self._root))
        return seen[1]
