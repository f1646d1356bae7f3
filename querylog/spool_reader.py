"""Reads a spool while its writer goes on, in another process or after it died.

Files are read with ``pread``, not mapped: the writer cuts segments, and a mapping would make that a SIGBUS here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from querylog.record import LogRecord
from querylog.spool_format import (
    FRAME_SIZE,
    GAP,
    HEADER_SIZE,
    KIND_ROW,
    LENGTH,
    MAX_RECORD_SIZE,
    ROW,
    GapKind,
    SegmentHeader,
    decode_header,
    list_segments,
    segment_path,
)
from querylog.spool_walk import find_sound, walk

DEFAULT_WINDOW_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """How far a spool has been read: behind this offset of this segment; ``sequence`` is the next one expected."""

    segment: int
    offset: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a segment: where its sound records start in ``data``, and the segment offset behind the last.

    ``skipped_bytes`` in front of it were not sound.
    """

    data: bytes
    offsets: list[int]
    next_offset: int
    skipped_bytes: int


@dataclass(frozen=True, slots=True)
class GapRecord:
    """Answers without a row, sequences ``first`` to ``last`` inclusive."""

    first_sequence: int
    last_sequence: int
    first_time_us: int
    last_time_us: int
    kind: GapKind

    @property
    def count(self) -> int:
        """How many answers."""
        return self.last_sequence - self.first_sequence + 1


class SegmentReader:
    """One segment. Raises ``OSError`` where it cannot be opened and ``SegmentDamaged`` for its header.

    ``live``: its writer may still add to it.
    """

    def __init__(self, path: Path, *, live: bool, window_bytes: int = DEFAULT_WINDOW_BYTES) -> None:
        self.path = path
        self.live = live
        self._window_bytes = max(window_bytes, 2 * MAX_RECORD_SIZE)
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.header: SegmentHeader = decode_header(os.pread(self._fd, HEADER_SIZE, 0))
        except ValueError:
            os.close(self._fd)
            raise

    def read(self, offset: int) -> Window | None:
        """The next sound records at or behind ``offset``; ``None`` where there are none (yet)."""
        at = offset
        while True:
            data = os.pread(self._fd, self._window_bytes, at)
            offsets: list[int] = []
            stop = walk(memoryview(data), 0, len(data), self.header.salt, offsets)
            if offsets:
                return Window(data[:stop], offsets, at + stop, at - offset)
            if len(data) < FRAME_SIZE:
                return None
            if self.live and LENGTH.unpack_from(data)[0] == 0:
                return None
            # Damaged here, or the unused rest of a finished segment. In a live one, a bad record counts as damage
            # only when a sound one stands behind it.
            at = self._find_sound(at + 8)
            if at < 0:
                return None

    def _find_sound(self, offset: int) -> int:
        while True:
            data = os.pread(self._fd, self._window_bytes, offset)
            if len(data) < ROW.size + FRAME_SIZE:
                return -1
            found = find_sound(memoryview(data), 0, len(data), self.header.salt)
            if found >= 0:
                return offset + found
            # Windows overlap by the longest record, so that none is cut in both; offsets stay aligned.
            offset += max((len(data) - MAX_RECORD_SIZE) & ~7, 8)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._fd)

    def __enter__(self) -> SegmentReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class SpoolReader:
    """A spool directory, record by record: for tools and tests; the loader reads windows in bulk."""

    def __init__(self, directory: Path, window_bytes: int = DEFAULT_WINDOW_BYTES) -> None:
        self._directory = directory
        self._window_bytes = window_bytes

    def records(self, after: Position | None = None) -> Iterator[tuple[Position, LogRecord | GapRecord]]:
        """What was appended behind ``after`` (from the start where ``None``), each with the position behind it.

        Segments whose header is damaged are passed over. Holes in the sequence are the caller's to notice.
        """
        numbers = list_segments(self._directory)
        for number in numbers:
            if after is not None and number < after.segment:
                continue
            path = segment_path(self._directory, number)
            try:
                reader = SegmentReader(path, live=number == numbers[-1], window_bytes=self._window_bytes)
            except (FileNotFoundError, ValueError):
                continue
            offset = after.offset if after is not None and number == after.segment else HEADER_SIZE
            with reader:
                yield from _records(reader, number, offset)


def _records(reader: SegmentReader, number: int, offset: int) -> Iterator[tuple[Position, LogRecord | GapRecord]]:
    window = reader.read(offset)
    while window is not None:
        base = window.next_offset - _end(window.data, window.offsets[-1])
        for start in window.offsets:
            record = parse_record(window.data, start + FRAME_SIZE)
            last = record.last_sequence if isinstance(record, GapRecord) else record.sequence
            yield Position(number, base + _end(window.data, start), last + 1), record
        window = reader.read(window.next_offset)


def _end(data: bytes, start: int) -> int:
    size: int = LENGTH.unpack_from(data, start)[0]
    return start + ((size + 15) & ~7)


def parse_record(data: bytes, body: int) -> LogRecord | GapRecord:
    """The row or gap whose body starts at ``body``."""
    fields = ROW.unpack_from(data, body)
    if fields[-1] != KIND_ROW:
        last_us, last, first, first_us, kind, _ = GAP.unpack_from(data, body)
        return GapRecord(first, last, first_us, last_us, GapKind(kind))
    names = body + ROW.size
    middle = names + fields[-3]
    facts = [*fields[:-3], data[names:middle], data[middle : middle + fields[-2]]]
    return LogRecord(*facts)
