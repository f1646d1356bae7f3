"""Opens the store of the query log that the configuration names (here: the embedded one)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from saring.state_dir import StateDir

if TYPE_CHECKING:
    from querylog.spool_reader import Position
    from querylog.store import (
        Asked,
        Batch,
        Cursor,
        Dropped,
        Filter,
        Gap,
        Maintained,
        Page,
        Store,
        Stretch,
        Top,
        Totals,
    )


def open_store(state: StateDir, writer: bool) -> Store:
    """The store; ``writer`` for the loader alone, of which there is one. Raises ``StoreError`` or ``OSError``."""
    # A quarter of a second of imports, which whoever only may read the log should not pay at the start.
    from querylog.embedded.store import EmbeddedStore

    return EmbeddedStore(state.log, writer=writer)


class StoreOnFirstUse:
    """A store for reading, opened when somebody asks: the API serves edits sooner after a start. See ``Store``."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._store: Store | None = None
        self._lock = threading.Lock()

    def _opened(self) -> Store:
        with self._lock:
            if self._store is None:
                self._store = open_store(self._state, writer=False)
            return self._store

    def load(self, batch: Batch, positions: Mapping[str, Position]) -> None:
        """Refused by the store: it is open for reading."""
        self._opened().load(batch, positions)

    def positions(self) -> Mapping[str, Position]:
        """How far each spool is loaded."""
        return self._opened().positions()

    def search(self, filter: Filter, limit: int = 100, cursor: Cursor | None = None) -> Page:
        """The newest rows first."""
        return self._opened().search(filter, limit, cursor)

    def tail(self, filter: Filter, limit: int = 100, since: Cursor | None = None) -> Page:
        """The newest rows, or those loaded since."""
        return self._opened().tail(filter, limit, since)

    def top(self, field: str, filter: Filter, limit: int = 10) -> tuple[Top, ...]:
        """The most frequent values of a field."""
        return self._opened().top(field, filter, limit)

    def totals(self, filter: Filter) -> Totals:
        """Counts by agency and verdict."""
        return self._opened().totals(filter)

    def asked(self, filter: Filter, stretches: Sequence[Stretch]) -> Iterator[Sequence[Asked]]:
        """Questions that policy decided, counted."""
        return self._opened().asked(filter, stretches)

    def gaps(self, from_us: int | None = None, until_us: int | None = None) -> tuple[Gap, ...]:
        """Gaps that overlap the time."""
        return self._opened().gaps(from_us, until_us)

    def drop_before(self, raw_before_us: int, blocked_before_us: int, now_us: int) -> Dropped:
        """Refused by the store: it is open for reading."""
        return self._opened().drop_before(raw_before_us, blocked_before_us, now_us)

    def maintain(self, now_us: int) -> Maintained:
        """Refused by the store: it is open for reading."""
        return self._opened().maintain(now_us)

    def close(self) -> None:
        """Closes what was opened."""
        with self._lock:
            if self._store is not None:
                self._store.close()
