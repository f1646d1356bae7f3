"""Parquet files of the embedded store: how they are encoded, and when they are really on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

# Near-sorted integers shrink by differences; all else has few values, or the same ones again and again.
_BY_DIFFERENCE: Final = ("time_us", "sequence", "first_sequence", "last_sequence", "first_time_us", "last_time_us")
ROW_GROUP_ROWS: Final = 122_880  # DuckDB's own unit of parallel work
_DICTIONARY_BYTES: Final = 4 * 1024 * 1024


def write_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table], level: int) -> tuple[int, int]:
    """Writes and syncs a new file; its rows and octets. ``level``: of zstd. Raises ``OSError`` and leaves no file."""
    rows = 0
    names = [name for name in schema.names if name not in _BY_DIFFERENCE]
    try:
        with path.open("xb") as file:
            with pq.ParquetWriter(
                file,
                schema,
                compression="zstd",
                compression_level=level,
                use_dictionary=names,  # type: ignore[arg-type] # the stubs miss the list form (pyarrow-stubs 20)
                dictionary_pagesize_limit=_DICTIONARY_BYTES,
                column_encoding={name: "DELTA_BINARY_PACKED" for name in schema.names if name in _BY_DIFFERENCE},
                store_schema=False,
            ) as writer:
                for table in tables:
                    writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
                    rows += table.num_rows
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return rows, size


def sync_directory(directory: Path) -> None:
    """Puts a directory's entries on the disk: a file that was synced can still lose its name."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
