"""The spool's control file: what must outlive ``kill -9`` and cannot stand in a segment, above all a running gap.

``spool.state`` is one mapped page with two cells. Each cell has two slots, written in turn, each with a stamp and a
checksum: a writer killed in the middle of one leaves the other.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

_FILE_NAME: Final = "spool.state"
_SIZE: Final = 4096
_SLOT_SIZE: Final = 256
_LEDGER_AT: Final = 0
_DURABLE_AT: Final = 1024
_CRC: Final = Struct("<I")


class Ledger(NamedTuple):
    """Kept by the appending thread. ``gap_count`` 0 means that no gap is running."""

    spool_id: int = 0
    segment: int = 0  # number of the newest segment
    next_sequence: int = 1  # at the last rotation or close
    gap_first: int = 0
    gap_count: int = 0
    gap_first_us: int = 0
    gap_last_us: int = 0
    gap_kind: int = 0
    gaps_total: int = 0  # answers without a row over the spool's life


class Durable(NamedTuple):
    """Kept by the flushing thread: all answers up to ``sequence`` are on the disk, as rows or in the ledger."""

    sequence: int = 0


@dataclass(slots=True)
class Cell:
    """A tuple of unsigned 64-bit integers at a place of the control file, replaced as a whole."""

    at: int
    fields: int
    stamp: int = 0

    def read(self, page: mmap.mmap) -> tuple[int, ...] | None:
        """The newest sound slot's values; ``None`` where nothing was ever written."""
        layout = Struct(f"<{self.fields + 1}Q")
        newest: tuple[int, ...] | None = None
        for at in (self.at, self.at + _SLOT_SIZE):
            body = page[at : at + layout.size]
            values = layout.unpack(body)
            if crc32(body) != _CRC.unpack_from(page, at + layout.size)[0] or values[0] == 0:
                continue
            if newest is None or values[0] > newest[0]:
                newest = values
        if newest is None:
            return None
        self.stamp = newest[0]
        return newest[1:]

    def write(self, page: mmap.mmap, values: tuple[int, ...]) -> None:
        """Replaces the older slot; the newer one stays sound until this one is."""
        self.stamp += 1
        at = self.at + _SLOT_SIZE * (self.stamp & 1)
        body = Struct(f"<{self.fields + 1}Q").pack(self.stamp, *values)
        page[at : at + len(body)] = body
        _CRC.pack_into(page, at + len(body), crc32(body))


class SpoolState:
    """The mapped control file. On a full disk it starts in memory, and ``persist`` moves it to the disk later."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / _FILE_NAME
        self._fd = -1
        self._page = mmap.mmap(-1, _SIZE)
        self._ledger_cell = Cell(_LEDGER_AT, len(Ledger._fields))
        self._durable_cell = Cell(_DURABLE_AT, len(Durable._fields))
        self.persist()
        ledger = self._ledger_cell.read(self._page)
        durable = self._durable_cell.read(self._page)
        self.known = ledger is not None  # False: a new directory, or one whose control file was lost
        self.ledger = Ledger(*ledger) if ledger else Ledger()
        self.durable = Durable(*durable) if durable else Durable()

    def persist(self) -> bool:
        """Moves the cells into the file where they are not there yet; False while the disk has no room for it."""
        if self._fd >= 0:
            return True
        fd = -1
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            # Allocated before it is mapped: writing to a hole of a full disk is a SIGBUS, which no code survives.
            os.posix_fallocate(fd, 0, _SIZE)
            page = mmap.mmap(fd, _SIZE)
        except OSError:
            if fd >= 0:
                os.close(fd)
            return False
        if self._ledger_cell.stamp or self._durable_cell.stamp:
            page[:] = self._page[:]
        # The old page is left to the garbage collector: the flushing thread may hold it at this moment.
        self._page, self._fd = page, fd
        return True

    def write_ledger(self, ledger: Ledger) -> None:
        """Replaces the ledger; survives ``kill -9`` from here on."""
        self.ledger = ledger
        self._ledger_cell.write(self._page, ledger)

    def write_durable(self, durable: Durable) -> None:
        """Replaces the durable mark."""
        self.durable = durable
        self._durable_cell.write(self._page, durable)

    def sync(self) -> None:
        """Puts the file on the disk. Raises ``OSError``."""
        if self._fd >= 0:
            os.fdatasync(self._fd)

    def close(self) -> None:
        """Releases the mapping and the file."""
        self._page.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
