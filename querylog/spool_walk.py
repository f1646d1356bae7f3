"""The walk over a segment's records: hot in the loader, and what the writer trusts after ``kill -9``."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from querylog.spool_format import BODY_SIZE, FRAME, FRAME_SIZE, MAX_BODY_SIZE

_BLOCK_SIZE: Final = 4096


def walk(data: memoryview, start: int, end: int, salt: int, offsets: list[int]) -> int:
    """Appends the offset of each sound record from ``start`` on; returns where the first that is not sound would be.

    ``data`` is read, never kept. A record that reaches over ``end`` is not sound (yet).
    """
    unpack = FRAME.unpack_from
    append = offsets.append
    last = end - FRAME_SIZE - BODY_SIZE
    while start <= last:
        size, crc = unpack(data, start)
        body = start + FRAME_SIZE
        stop = body + size
        if size < BODY_SIZE or size > MAX_BODY_SIZE or stop > end:
            return start
        if crc32(data[body:stop], salt) != crc:
            return start
        append(start)
        start += (size + 15) & ~7
    return start


def find_sound(data: memoryview, start: int, end: int, salt: int) -> int:
    """Offset of the first sound record at or behind ``start``, -1 where there is none before ``end``."""
    unpack = FRAME.unpack_from
    last = end - FRAME_SIZE - BODY_SIZE
    start = (start + 7) & ~7
    while start <= last:
        # Most of a segment's unused rest is zeros: skip it by blocks.
        if start % _BLOCK_SIZE == 0 and not bytes(data[start : start + _BLOCK_SIZE]).strip(b"\0"):
            start += _BLOCK_SIZE
            continue
        size, crc = unpack(data, start)
        body = start + FRAME_SIZE
        stop = body + size
        if BODY_SIZE <= size <= MAX_BODY_SIZE and stop <= end and crc32(data[body:stop], salt) == crc:
            return start
        start += 8
    return -1
