"""One segment file in a writer's hands: allocated ahead under a spare name, begun when it becomes the live one."""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path
from typing import Final
from zlib import crc32

from querylog.spool_format import (
    FRAME,
    FRAME_SIZE,
    GAP,
    HEADER_SIZE,
    KIND_GAP,
    LENGTH,
    GapKind,
    SegmentHeader,
    encode_header,
    segment_path,
)
from querylog.spool_state import Ledger

SPARE_PATTERN: Final = "spare-*.tmp"


class Segment:
    """A preallocated, mapped file. Raises ``OSError`` where the disk has no room; then no file is left behind."""

    def __init__(self, directory: Path, name: str, size_bytes: int, salt: int) -> None:
        self.path = directory / name
        self.size_bytes = size_bytes
        self.salt = salt
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            # Allocated before it is mapped: writing to a hole of a full disk is a SIGBUS, which no code survives.
            os.posix_fallocate(self.fd, 0, size_bytes)
            self.map = mmap.mmap(self.fd, size_bytes)
        except OSError:
            os.close(self.fd)
            self.path.unlink(missing_ok=True)
            raise
        self.view = memoryview(self.map)

    def begin(self, directory: Path, header: SegmentHeader) -> None:
        """Writes the header, then makes the segment visible under its number. Raises ``OSError``."""
        self.map[:HEADER_SIZE] = encode_header(header)
        path = segment_path(directory, header.segment)
        self.path.rename(path)
        self.path = path

    def write_gap(self, offset: int, gap: Ledger) -> int:
        """Writes the running gap of ``gap`` as a record; returns the offset behind it."""
        body = offset + FRAME_SIZE
        last = gap.gap_first + gap.gap_count - 1
        GAP.pack_into(self.map, body, gap.gap_last_us, last, gap.gap_first, gap.gap_first_us, gap.gap_kind, KIND_GAP)
        FRAME.pack_into(self.map, offset, 0, crc32(self.view[body : body + GAP.size], self.salt))
        LENGTH.pack_into(self.map, offset, GAP.size)
        return body + GAP.size

    def sync(self) -> None:
        """Puts the segment on the disk; lets other threads run meanwhile. Raises ``OSError``."""
        # On Linux fdatasync writes back what was stored through the mapping too, and unlike mmap.flush in
        # Python 3.11 it does not hold the interpreter's lock.
        os.fdatasync(self.fd)

    def close(self) -> None:
        """Releases the mapping and the file."""
        self.view.release()
        self.map.close()
        os.close(self.fd)

    def discard(self) -> None:
        """Closes the segment and removes its file."""
        self.close()
        self.path.unlink(missing_ok=True)


def gap_kind_of(error: OSError) -> GapKind:
    """Why a segment could not be had."""
    return GapKind.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else GapKind.FAILED
