"""What a writer finds in its directory: where the answers before it ended, whatever became of their writer."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

from querylog.spool_format import (
    FRAME_SIZE,
    GAP,
    HEADER_SIZE,
    LENGTH,
    ROW,
    SegmentDamaged,
    SegmentHeader,
    decode_header,
    list_segments,
    segment_path,
)
from querylog.spool_segment import SPARE_PATTERN
from querylog.spool_state import Durable, Ledger
from querylog.spool_walk import find_sound, walk


@dataclass(frozen=True, slots=True)
class Recovered:
    """Where the next writer goes on. ``spool_id`` 0: nothing was there. ``ledger`` holds a gap still to be written."""

    spool_id: int
    next_segment: int
    next_sequence: int
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class _Tail:
    header: SegmentHeader
    last_sequence: int  # first_sequence - 1 where the segment has no sound record
    end: int  # offset behind the last sound record


def recover(directory: Path, ledger: Ledger, durable: Durable) -> Recovered:
    """Finishes the newest segment (cut behind its last sound record; removed where it has none).

    A writer never goes on inside a segment of another: after a power loss the loader may have read further than the
    disk kept, and would then skip what is written before that point.
    """
    for spare in directory.glob(SPARE_PATTERN):
        spare.unlink()
    numbers = list_segments(directory)
    newest = numbers[-1] if numbers else 0
    tail = None
    for number in reversed(numbers):
        tail = _read_tail(segment_path(directory, number))
        if tail:
            _finish(segment_path(directory, number), tail)
            break
    last_sequence = tail.last_sequence if tail else 0
    gap_end = ledger.gap_first + ledger.gap_count
    # The gap record may have been written, and its writer killed before it could strike the gap from the ledger.
    written = ledger.gap_count > 0 and last_sequence >= ledger.gap_first
    running = ledger.gap_count > 0 and not written
    next_sequence = max(
        last_sequence + 1,
        ledger.next_sequence,
        gap_end if running else 1,
        # What was on the disk and is no longer readable leaves a hole here, which the loader records as damage.
        durable.sequence + 1,
    )
    if written:
        ledger = ledger._replace(gap_count=0)
    spool_id = ledger.spool_id or (tail.header.spool_id if tail else 0)
    return Recovered(spool_id, max(newest, ledger.segment) + 1, next_sequence, ledger)


def _read_tail(path: Path) -> _Tail | None:
    if path.stat().st_size < HEADER_SIZE:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            header = decode_header(data[:HEADER_SIZE])
        except SegmentDamaged:
            return None
        with memoryview(data) as view:
            return _last_sound(view, header)


def _last_sound(view: memoryview, header: SegmentHeader) -> _Tail:
    size = len(view)
    offset = HEADER_SIZE
    last = -1
    while offset >= 0:
        offsets: list[int] = []
        stop = walk(view, offset, size, header.salt, offsets)
        last = offsets[-1] if offsets else last
        # Behind a damaged record, or a page that a power loss left empty, there may be sound ones.
        offset = find_sound(view, stop + 8, size, header.salt)
    if last < 0:
        return _Tail(header, header.first_sequence - 1, HEADER_SIZE)
    length = LENGTH.unpack_from(view, last)[0]
    return _Tail(header, ROW.unpack_from(view, last + FRAME_SIZE)[1], last + ((length + 15) & ~7))


def _finish(path: Path, tail: _Tail) -> None:
    if tail.end == HEADER_SIZE:
        path.unlink()
    elif tail.end < path.stat().st_size:
        os.truncate(path, tail.end)


assert GAP.size == ROW.size  # the last sequence stands at the same place in both
