"""How people have cached answers forgotten: a small file of orders, which every worker reads when it changes.

A file and not a socket: workers stay without a door, an order reaches the worker that is just starting, and what was
saved over a restart is held against it too. The last ``KEPT`` orders are kept; each has a number, and a worker that
reports a number has carried out all orders up to it.
"""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from dnswire.name import from_text, is_subdomain
from resolver.cache import Cache

KEPT: Final = 256


class FlushKind(StrEnum):
    """What an order is about."""

    NAME = "name"  # the name, all types
    SUFFIX = "suffix"  # the name and all below it
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Flush:
    """One order. ``name``: text, empty for ALL. ``at_s``: when it was given, Unix seconds."""

    number: int
    kind: FlushKind
    name: str
    at_s: float

    @property
    def wire(self) -> bytes:
        """``name`` as a lower-case wire name; the root for ALL."""
        return from_text(self.name or ".").lower()

    def apply(self, cache: Cache) -> int:
        """Carries it out. Returns how many entries were forgotten."""
        if self.kind is FlushKind.ALL:
            return cache.flush_all()
        return cache.flush_name(self.wire) if self.kind is FlushKind.NAME else cache.flush_suffix(self.wire)


def give(path: Path, kind: FlushKind, name: str, now_s: float) -> Flush:
    """Adds an order. Raises ``dnswire.errors.NameSyntaxError`` for a name that is none, ``OSError``."""
    if kind is not FlushKind.ALL:
        from_text(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two people at once must not overwrite each other's order
        known = read(path)
        order = Flush(known[-1].number + 1 if known else 1, kind, "" if kind is FlushKind.ALL else name, now_s)
        beside = path.with_suffix(".tmp")
        beside.write_bytes(msgspec.json.encode([*known, order][-KEPT:]))
        beside.replace(path)
    return order


def read(path: Path) -> tuple[Flush, ...]:
    """The orders that are kept, the oldest first; none where the file is not there or is not one of ours."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Flush, ...])
    except (OSError, msgspec.MsgspecError):
        return ()


class Orders:
    """A worker's view of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] = (0, 0)
        orders = read(path)
        self.done = orders[-1].number if orders else 0
        self._given = _given(orders)

    def flushed(self, name: bytes, stored_s: float) -> bool:
        """Whether an order was given to forget what was stored of the lower-case wire name at that instant."""
        return any(
            at_s >= stored_s and (name == wire if exactly else is_subdomain(name, wire))
            for at_s, exactly, wire in self._given
        )

    def changed(self) -> bool:
        """Whether the file is another one than at the last call: one ``stat``."""
        try:
            status = self._path.stat()
        except OSError:
            return False
        seen = status.st_mtime_ns, status.st_ino
        if seen == self._seen:
            return False
        self._seen = seen
        return True

    def carry_out(self, cache: Cache) -> int:
        """Carries out what is new. Returns how many entries were forgotten."""
        orders = read(self._path)
        self._given = _given(orders)
        forgotten = 0
        for order in orders:
            if order.number > self.done:
                forgotten += order.apply(cache)
                self.done = order.number
        return forgotten


def _given(orders: tuple[Flush, ...]) -> list[tuple[float, bool, bytes]]:
    """When, whether for the name alone, and the wire name: worked out once, since tens of thousands of entries are held
    against them when a saved cache comes back.
    """
    return [(order.at_s, order.kind is FlushKind.NAME, order.wire) for order in orders]
