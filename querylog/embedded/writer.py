"""The one writer of an embedded store: loads, merges and drops, each made true by one new manifest."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from querylog.embedded.files import sync_directory, write_parquet
from querylog.embedded.manifest import BLOCKED, GAP, RAW, Manifest, Obsolete, SegmentInfo, publish, write_beside
from querylog.embedded.manifest import read as read_manifest
from querylog.schema import COLUMNS, GAPS, KEPT_AS_BLOCKED
from querylog.spool_reader import Position
from querylog.store import Batch, Dropped, Gap, StoreError

DAY_US: Final = 86_400 * 1_000_000
_LOAD_COMPRESSION: Final = 1  # files of a load live minutes; the merge compresses for good
_LOCK_NAME: Final = "writer.lock"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Writer:
    """Holds the store's lock from opening to closing. Raises ``StoreError`` where another process has it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._changing = threading.Lock()
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock_fd = _lock(root)
        except OSError as error:
            raise StoreError(f"the query log's directory {root} cannot be used: {error.strerror}") from error
        try:
            self.manifest = read_manifest(root)
            self._remove_orphans()
        except BaseException:
            os.close(self._lock_fd)
            raise

    def load(self, batch: Batch, positions: Mapping[str, Position]) -> None:
        """Adds a batch and its positions, all or nothing. Raises ``StoreError``."""
        with self._changing:
            before = self.manifest
            number = before.batch + 1
            written: list[SegmentInfo] = []
            try:
                for kind, day, table in _split(batch, number):
                    file_number = before.file_number + len(written) + 1
                    written.append(self._write(kind, day, table, file_number, number))
                after = replace(
                    before,
                    batch=number,
                    file_number=before.file_number + len(written),
                    positions={**before.positions, **positions},
                    segments=before.segments + tuple(written),
                )
                write_beside(self._root, after)
            except OSError as error:
                self._unlink(info.path for info in written)
                raise StoreError(f"the query log in {self._root} cannot take new rows: {error.strerror}") from error
            try:
                # From here on the files may be listed by the manifest on the disk, whatever the system says.
                self.manifest = replace(before, file_number=after.file_number)
                publish(self._root)
                self.manifest = after
            except OSError as error:
                raise StoreError(f"the query log in {self._root} cannot be published: {error.strerror}") from error

    def new_path(self, day: str, kind: str) -> str:
        """A path for a merged file that no other file has or had."""
        with self._changing:
            number = self.manifest.file_number + 1
            self.manifest = replace(self.manifest, file_number=number)  # on the disk with the next commit
            return f"{day}/{kind}-{number:010d}.parquet"

    def replace_segments(self, inputs: tuple[SegmentInfo, ...], output: SegmentInfo, now_us: int) -> bool:
        """Puts ``output`` in the place of ``inputs``; False where one of those is gone. Raises ``OSError``."""
        with self._changing:
            before = self.manifest
            if not set(inputs) <= set(before.segments):
                return False
            kept = tuple(info for info in before.segments if info not in inputs)
            gone = tuple(Obsolete(info.path, now_us) for info in inputs)
            self._commit(replace(before, segments=(*kept, output), obsolete=before.obsolete + gone))
            return True

    def drop_before(self, raw_before_us: int, blocked_before_us: int, now_us: int) -> Dropped:
        """Drops the files whose day ended before the limit of their kind. Raises ``StoreError``."""
        limits = {RAW: raw_before_us, BLOCKED: blocked_before_us, GAP: blocked_before_us}
        with self._changing:
            before = self.manifest
            gone = [info for info in before.segments if day_end_us(info.day) <= limits[info.kind]]
            if not gone:
                return Dropped()
            kept = tuple(info for info in before.segments if info not in gone)
            obsolete = tuple(Obsolete(info.path, now_us) for info in gone)
            try:
                self._commit(replace(before, segments=kept, obsolete=before.obsolete + obsolete))
            except OSError as error:
                raise StoreError(f"the query log in {self._root} cannot drop rows: {error.strerror}") from error
            return Dropped(sum(info.rows for info in gone if info.kind != GAP), len(gone))

    def remove_obsolete(self, until_us: int) -> int:
        """Unlinks files that have been obsolete since ``until_us`` or longer; how many. Raises ``OSError``."""
        with self._changing:
            before = self.manifest
            gone = [file for file in before.obsolete if file.since_us <= until_us]
            if gone:
                self._unlink(file.path for file in gone)
                self._commit(replace(before, obsolete=tuple(file for file in before.obsolete if file not in gone)))
            return len(gone)

    def close(self) -> None:
        """Leaves the store to the next writer."""
        with self._changing:
            if self._lock_fd >= 0:
                os.close(self._lock_fd)
                self._lock_fd = -1

    def _write(self, kind: str, day: str, table: pa.Table, file_number: int, batch: int) -> SegmentInfo:
        path = f"{day}/{kind}-{file_number:010d}.parquet"
        directory = self._root / day
        if not directory.exists():
            directory.mkdir()
            sync_directory(self._root)
        rows, size = write_parquet(self._root / path, table.schema, [table], _LOAD_COMPRESSION)
        sync_directory(directory)
        first, last = ("first_time_us", "last_time_us") if kind == GAP else ("time_us", "time_us")
        low, high = pc.min(table[first]).as_py(), pc.max(table[last]).as_py()
        return SegmentInfo(path, kind, day, rows, size, low, high, batch)

    def _commit(self, manifest: Manifest) -> None:
        write_beside(self._root, manifest)
        publish(self._root)
        self.manifest = manifest

    def _remove_orphans(self) -> None:
        """Files of a load or merge that was killed before its manifest: their rows come again from the spool."""
        known = {info.path for info in self.manifest.segments} | {file.path for file in self.manifest.obsolete}
        shutil.rmtree(self._root / "tmp", ignore_errors=True)
        for path in self._root.glob("*/*.parquet"):
            if str(path.relative_to(self._root)) not in known:
                path.unlink()

    def _unlink(self, paths: Any) -> None:
        for path in paths:
            (self._root / path).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a day's directory goes with its last file
                (self._root / path).parent.rmdir()


def day_of(time_us: int) -> str:
    """The UTC day of a time, as an ISO date."""
    return (_EPOCH + timedelta(microseconds=time_us)).date().isoformat()


def day_end_us(day: str) -> int:
    """When a UTC day is over."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return (start - _EPOCH) // timedelta(microseconds=1) + DAY_US


def _split(batch: Batch, number: int) -> list[tuple[str, str, pa.Table]]:
    """Tables by kind and day: retention is then a file unlinked."""
    found: list[tuple[str, str, pa.Table]] = []
    rows = batch.rows
    if rows.num_rows:
        stamp = pa.array(np.full(rows.num_rows, number, np.int64))
        rows = rows.append_column("batch", stamp).select(list(COLUMNS))
        kept = pc.is_in(rows["verdict"].cast(pa.string()), value_set=pa.array(KEPT_AS_BLOCKED)).to_numpy()
        days = rows["time_us"].to_numpy() // DAY_US
        for day in np.unique(days):
            for kind, mask in ((BLOCKED, kept), (RAW, ~kept)):
                wanted = mask & (days == day)
                if wanted.any():
                    part = rows if wanted.all() else rows.filter(pa.array(wanted))
                    found.append((kind, day_of(int(day) * DAY_US), part))
    for day_text in sorted({day_of(gap.last_time_us) for gap in batch.gaps}):
        of_day = [gap for gap in batch.gaps if day_of(gap.last_time_us) == day_text]
        found.append((GAP, day_text, _gap_table(of_day, number)))
    return found


def _gap_table(gaps: list[Gap], number: int) -> pa.Table:
    facts = {
        column.name: [number if column.name == "batch" else getattr(gap, column.name) for gap in gaps]
        for column in GAPS.columns
    }
    table = pa.table(facts)
    return table.set_column(table.schema.get_field_index("worker"), "worker", table["worker"].cast(pa.int32()))


def _lock(root: Path) -> int:
    fd = os.open(root / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise StoreError(
            f"the query log in {root} has another writer: is another log loader running? "
            "Stop it first; searching needs no lock"
        ) from None
    return fd
