"""Where things lie under the state directory, and the lock that keeps a second instance out of it."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class StateDir:
    """The layout of ``[storage] state_dir``. Nothing is created until ``create``."""

    root: Path

    @property
    def database(self) -> Path:
        """The control database where it is SQLite."""
        return self.root / "saring.db"

    @property
    def lists(self) -> Path:
        """The library of fetched lists."""
        return self.root / "lists"

    @property
    def snapshots(self) -> Path:
        """Published generations and compiled indexes."""
        return self.root / "snapshots"

    @property
    def index(self) -> Path:
        """Compiled indexes, one directory each, named by what is in it."""
        return self.snapshots / "index"

    @property
    def spool(self) -> Path:
        """What workers answered and the loader has not stored yet."""
        return self.root / "spool"

    @property
    def log(self) -> Path:
        """The embedded query log."""
        return self.root / "log"

    @property
    def run(self) -> Path:
        """What belongs to the running instance: statistics, locks, requests."""
        return self.root / "run"

    def spool_of(self, worker: int, slot: int = 0) -> Path:
        """Spool directory of one worker; of the one that relieves it, where ``slot`` is 1."""
        return self.spool / f"worker-{worker}{'b' if slot else ''}"

    def ready_of(self, worker: int, slot: int = 0) -> Path:
        """Where one worker says that it answers."""
        return self.run / f"worker-{worker}{'b' if slot else ''}.ready"

    def stats_of(self, worker: int) -> Path:
        """Statistics file of one worker, rewritten by it once a second."""
        return self.run / f"worker-{worker}.json"

    def cache_of(self, worker: int) -> Path:
        """What one worker's cache held when it last stopped."""
        return self.run / f"worker-{worker}.cache"

    @property
    def cookie_secret(self) -> Path:
        """The secret of this node's DNS cookies."""
        return self.root / "dns-cookie-secret"

    @property
    def cache_orders(self) -> Path:
        """Orders to forget cached answers (``resolver/cache_orders.py``)."""
        return self.run / "cache-orders.json"

    def create(self) -> None:
        """Makes the directories, for this user alone: the query log is personal data. Raises ``OSError``."""
        for path in (self.root, self.lists, self.snapshots, self.spool, self.log, self.run):
            path.mkdir(mode=0o750, parents=True, exist_ok=True)


class HeldError(Exception):
    """Another process holds the lock; ``pid`` is its number, 0 where it cannot be known."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"{path} is held by process {pid}" if pid else f"{path} is held by another process")
        self.path = path
        self.pid = pid


class Lock:
    """An exclusive ``flock`` on a file that also names its holder. Released by ``release`` or by any death."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, wait: bool = False) -> Lock:
        """The lock. Raises ``HeldError`` at once if somebody has it, or waits for it where ``wait`` is set."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise HeldError(path, int(holder) if holder.isdecimal() else 0) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(path, descriptor)

    def release(self) -> None:
        """Gives the lock back. The file stays: unlinking it would let two holders lock two different files."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def write_json(path: Path, value: Any) -> None:
    """Replaces ``path`` by ``value`` as JSON in one step, so that a reader sees the old or the new, whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")
    beside.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in ``path``; ``None`` where the file is missing, unreadable or no JSON object."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
