"""The embedded store as a whole: ``store.Store`` over Parquet files under one directory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from querylog.embedded.compaction import Merge, NoRoomError, merge, plan
from querylog.embedded.manifest import ManifestReader, SegmentInfo
from querylog.embedded.reading import Reader
from querylog.embedded.writer import Writer
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
    StoreError,
    Stretch,
    Top,
    Totals,
)

DEFAULT_MEMORY_LIMIT_BYTES: Final = 512 * 1024 * 1024
DEFAULT_THREADS: Final = 2
# Sorting more than fits goes through the disk. With 512 MB 8 M rows are merged in 12 s of CPU and 0.8 GB, with this in
# 14 s and 0.4 GB: for work that nobody waits for, beside processes that answer DNS. Three times as many would not fit.
MERGE_MEMORY_BYTES: Final = 128 * 1024 * 1024
MERGE_ROWS: Final = 8_000_000
# How long a file outlives the manifest that listed it; a reader slower than that reads the manifest again.
DEFAULT_GRACE_US: Final = 60 * 1_000_000


class EmbeddedStore:
    """One process opens it with ``writer=True`` (the loader), any number without. See ``store.Store`` for methods."""

    def __init__(
        self,
        root: Path,
        *,
        writer: bool,
        memory_limit_bytes: int = DEFAULT_MEMORY_LIMIT_BYTES,
        threads: int = DEFAULT_THREADS,
        grace_us: int = DEFAULT_GRACE_US,
    ) -> None:
        self._root = root
        self._memory_limit_bytes = memory_limit_bytes
        self._grace_us = grace_us
        self._writer = Writer(root) if writer else None
        self._manifests = ManifestReader(root)
        self._reader = Reader(root, memory_limit_bytes, threads)

    def load(self, batch: Batch, positions: Mapping[str, Position]) -> None:
        """Adds rows, gaps and positions by one rename."""
        self._writable().load(batch, positions)

    def positions(self) -> Mapping[str, Position]:
        """How far each spool is loaded."""
        return (self._writer.manifest if self._writer else self._manifests.current()).positions

    def search(self, filter: Filter, limit: int = 100, cursor: Cursor | None = None) -> Page:
        """The newest rows first."""
        return self._reader.search(filter, limit, cursor)

    def tail(self, filter: Filter, limit: int = 100, since: Cursor | None = None) -> Page:
        """The newest rows, or those loaded since, oldest first."""
        return self._reader.tail(filter, limit, since)

    def top(self, field: str, filter: Filter, limit: int = 10) -> tuple[Top, ...]:
        """The most frequent values of a field."""
        return self._reader.top(field, filter, limit)

    def totals(self, filter: Filter) -> Totals:
        """Counts by agency and verdict."""
        return self._reader.totals(filter)

    def asked(self, filter: Filter, stretches: Sequence[Stretch]) -> Iterator[Sequence[Asked]]:
        """Questions that policy decided, counted."""
        return self._reader.asked(filter, stretches)

    def gaps(self, from_us: int | None = None, until_us: int | None = None) -> tuple[Gap, ...]:
        """Gaps that overlap the time."""
        return self._reader.gaps(from_us, until_us)

    def drop_before(self, raw_before_us: int, blocked_before_us: int, now_us: int) -> Dropped:
        """Drops whole days by kind; their files go with ``maintain``, after the grace for readers."""
        return self._writable().drop_before(raw_before_us, blocked_before_us, now_us)

    def maintain(self, now_us: int) -> Maintained:
        """Removes files that no reader needs any more, then does one merge if one is due."""
        writer = self._writable()
        try:
            removed = writer.remove_obsolete(now_us - self._grace_us)
            wanted = plan(writer.manifest, now_us)
            if wanted is None:
                return Maintained(removed_files=removed)
            path = writer.new_path(wanted.day, wanted.kind)
            output = self._merged(wanted, path)
            if not writer.replace_segments(wanted.inputs, output, now_us):
                (self._root / path).unlink()  # retention dropped an input meanwhile
                return Maintained(removed_files=removed)
        except OSError as error:
            raise StoreError(f"the query log in {self._root} cannot be compacted: {error.strerror}") from error
        return Maintained(len(wanted.inputs), output.rows, removed, (path,))

    def _merged(self, wanted: Merge, path: str) -> SegmentInfo:
        if wanted.rows <= MERGE_ROWS and self._memory_limit_bytes > MERGE_MEMORY_BYTES:
            with contextlib.suppress(NoRoomError):
                return merge(self._root, wanted, path, MERGE_MEMORY_BYTES)
        return merge(self._root, wanted, path, self._memory_limit_bytes)

    def close(self) -> None:
        """Releases the lock and all connections."""
        self._reader.close()
        if self._writer is not None:
            self._writer.close()

    def _writable(self) -> Writer:
        if self._writer is None:
            raise StoreError(f"the query log in {self._root} was opened for reading only")
        return self._writer
