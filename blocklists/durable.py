"""Files that are whole or absent after a power loss."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Final

_BLOCK_SIZE: Final = 1 << 20


def write_atomic(path: Path, content: bytes) -> None:
    """Replaces ``path`` by ``content``: readers see the old file or the new one, also after a power loss."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    fsync_directory(path.parent)


def fsync_file(path: Path) -> None:
    """Waits until the file's content is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def fsync_directory(path: Path) -> None:
    """Waits until the names in a directory are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_SIZE):
            digest.update(block)
    return digest.hexdigest()


def size_of(directory: Path) -> int:
    """Octets of all files below a directory."""
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # replaced or removed just now
            continue
    return total


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the directory against other processes (command line, nightly sync) for the length of a ``with`` block."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("wb") as file:
        flock(file, LOCK_EX)
        yield
