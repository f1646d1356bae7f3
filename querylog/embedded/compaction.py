"""Merges small files into larger, sorted ones: which (a pure function of the manifest and the time), and how."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from querylog.embedded.files import ROW_GROUP_ROWS, sync_directory, write_parquet
from querylog.embedded.manifest import GAP, Manifest, SegmentInfo
from querylog.embedded.reading import escaped
from querylog.embedded.writer import day_end_us
from querylog.store import StoreError

FAN_IN: Final = 16  # so many files of a level make one of the next: each row is rewritten a few times a day
FINAL_LEVEL: Final = 9
_LARGE_ROWS: Final = 4_000_000  # a final file this large is not rewritten for late rows
_DAY_GRACE_US: Final = 15 * 60 * 1_000_000  # for rows that the spool held over midnight
_COMPRESSION: Final = 9
_ROW_ORDER: Final = "agency, time_us, node, worker, sequence"
_GAP_ORDER: Final = "first_time_us, node, worker, first_sequence"


class NoRoomError(StoreError):
    """The merge does not fit into its memory, even with the help of the disk."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Files of one day and kind to become one of ``level``."""

    inputs: tuple[SegmentInfo, ...]
    level: int

    @property
    def rows(self) -> int:
        """How many there will be."""
        return sum(info.rows for info in self.inputs)

    @property
    def day(self) -> str:
        """The day they share."""
        return self.inputs[0].day

    @property
    def kind(self) -> str:
        """The kind they share."""
        return self.inputs[0].kind


def plan(manifest: Manifest, now_us: int) -> Merge | None:
    """The next merge that is due: too many small files first, then days that are over."""
    groups: dict[tuple[str, str], list[SegmentInfo]] = {}
    for info in manifest.segments:
        groups.setdefault((info.day, info.kind), []).append(info)
    for _, group in sorted(groups.items(), reverse=True):
        for level in range(FINAL_LEVEL + 1):
            same = [info for info in group if info.level == level and info.rows < _LARGE_ROWS]
            if len(same) >= FAN_IN:
                return Merge(tuple(same[:FAN_IN]), min(level + 1, FINAL_LEVEL))
    for (day, _), group in sorted(groups.items()):
        small = [info for info in group if info.level < FINAL_LEVEL]
        if small and day_end_us(day) + _DAY_GRACE_US <= now_us:
            return Merge(tuple(small), FINAL_LEVEL)
    return None


def merge(root: Path, wanted: Merge, path: str, memory_limit_bytes: int) -> SegmentInfo:
    """Writes the merged file, sorted by agency and time. Raises ``StoreError`` and leaves no file where it fails.

    Larger than memory goes through ``tmp`` in the store's directory; ``NoRoomError`` where that does not do.
    """
    files = [escaped(root / info.path) for info in wanted.inputs]
    spill = root / "tmp" / "merge"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit_bytes}B",
        "threads": 1,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
    }
    try:
        spill.mkdir(parents=True, exist_ok=True)  # DuckDB makes only the last part of a path
        with duckdb.connect(":memory:", config=config) as connection:
            rows = connection.read_parquet(files, hive_partitioning=False)
            reader = rows.order(_GAP_ORDER if wanted.kind == GAP else _ROW_ORDER).to_arrow_reader(ROW_GROUP_ROWS)
            count, size = write_parquet(root / path, reader.schema, _tables(reader), _COMPRESSION)
        sync_directory((root / path).parent)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        # Told by DuckDB itself, or through Arrow, which has no class for it.
        kind = NoRoomError if "Out of Memory" in str(error) else StoreError
        raise kind(f"merging {len(files)} files of the query log in {root} failed: {error}") from error
    finally:
        shutil.rmtree(spill, ignore_errors=True)
    if count != wanted.rows:
        (root / path).unlink()
        raise StoreError(f"merging {len(files)} files of {root} gave {count} rows instead of {wanted.rows}")
    return SegmentInfo(
        path,
        wanted.kind,
        wanted.day,
        count,
        size,
        min(info.min_us for info in wanted.inputs),
        max(info.max_us for info in wanted.inputs),
        max(info.max_batch for info in wanted.inputs),
        wanted.level,
    )


def _tables(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    for batch in reader:
        yield pa.Table.from_batches([batch])
