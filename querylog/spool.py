"""The durable end of the data plane: a worker appends what it answered, before it sends it.

Promise: ``append`` never raises for the disk's sake and never waits for it; what cannot be held is counted as a gap,
and the gap becomes a record as soon as there is room again. At all times answers = rows + gaps, across ``kill -9`` too.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import struct
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cython

from querylog.spool_format import (
    DEFAULT_SEGMENT_SIZE_BYTES,
    FRAME_SIZE,
    GAP,
    HEADER_SIZE,
    KIND_ROW,
    MAX_NODE_SIZE,
    MAX_SEGMENT_SIZE_BYTES,
    MIN_SEGMENT_SIZE_BYTES,
    ROW_HEAD_SIZE,
    ROW_REST,
    GapKind,
    SegmentHeader,
    list_segments,
    segment_path,
)
from querylog.spool_recovery import recover
from querylog.spool_segment import Segment, gap_kind_of
from querylog.spool_state import Durable, SpoolState

if not cython.compiled:  # compiled, spool.pxd has them as functions of C
    from dnswire.octets import copy, put32_low, put64_low, stretch
    from querylog.spool_crc import checksum

DEFAULT_QUOTA_BYTES: Final = 2 * 1024 * 1024 * 1024
_RETRY_AFTER_US: Final = 1_000_000  # how often a full spool asks the disk again from the appending thread
_MAX_RETIRED: Final = 64  # finished segments that wait for flush: a disk slower than that makes gaps
_MAX_TIME_US: Final = 2**63 - 1
_HEAD_SIZE: Final = ROW_HEAD_SIZE
_EMPTY: Final = memoryview(bytearray(0))


class SpoolLocked(RuntimeError):  # noqa: N818 - says what happened, as IndexDamaged does
    """Another writer has the directory."""


class SpoolWriter:
    """Appends to the spool of one worker. One thread appends, ``flush`` may run in another; no use after a fork.

    ``answers`` and ``gaps`` count over the spool's life, not this process's. Raises ``SpoolLocked`` where another
    writer has the directory, ``ValueError`` for senseless sizes, ``OSError`` where the directory cannot be had.
    """

    def __init__(
        self,
        directory: Path,
        node: str,
        worker: int,
        segment_size_bytes: int = DEFAULT_SEGMENT_SIZE_BYTES,
        quota_bytes: int = DEFAULT_QUOTA_BYTES,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        _check(node, segment_size_bytes, quota_bytes)
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._directory_fd = _lock(directory)
        self._node = node
        self._worker = worker
        self._segment_size = segment_size_bytes
        self._quota = quota_bytes
        self._random_bytes = random_bytes
        self._state = SpoolState(directory)
        found = recover(directory, self._state.ledger, self._state.durable)
        spool_id = found.spool_id or (int.from_bytes(random_bytes(8), "little") | 1)
        self._next_segment = found.next_segment
        self._sequence = found.next_sequence  # of the next answer
        self._gap_count = found.ledger.gap_count
        self._state.write_ledger(
            found.ledger._replace(spool_id=spool_id, segment=found.next_segment - 1, next_sequence=found.next_sequence)
        )
        self._live: Segment | None = None
        self._map: memoryview = _EMPTY
        self._salt = 0
        self._offset = HEADER_SIZE
        self._limit = 0  # end of the live segment; 0 sends append the long way
        self._spares: deque[Segment] = deque()  # at most one: put by flush, taken by append
        self._retired: deque[Segment] = deque()
        # Both threads allocate: each file has a name of its own.
        self._spare_numbers = itertools.count(1)
        self._retry_us = 0
        self._renamed = False
        self._closed = False
        self._flushing = threading.Lock()
        self._prepare_spare()

    @property
    def answers(self) -> int:
        """Answers over the spool's life: rows and gaps."""
        return self._sequence - 1

    @property
    def gaps(self) -> int:
        """Answers over the spool's life that could not be held."""
        return self._state.ledger.gaps_total

    def append(
        self,
        time_us: int,
        client: bytes,
        agency_id: int,
        unit_id: int,
        generation: int,
        rule_id: int,
        list_id: int,
        category_id: int,
        answer_digest: int,
        latency_us: int,
        rrtype: int,
        rcode: int,
        upstream: int,
        transport: int,
        verdict: int,
        layer: int,
        via: int,
        cache: int,
        name: bytes,
        matched: bytes,
    ) -> None:
        """One answered query, fields as in ``record.LogRecord``. A value that does not fit its field becomes a gap."""
        try:
            rest = row_rest(
                generation,
                rule_id,
                list_id,
                category_id,
                answer_digest,
                latency_us,
                rrtype,
                rcode,
                upstream,
                transport,
                verdict,
                layer,
                via,
                cache,
                name,
                matched,
            )
            self.append_again(time_us, client, agency_id, unit_id, rest, len(rest))
        except (struct.error, OverflowError):
            self._lose(min(max(time_us, 0), _MAX_TIME_US), GapKind.FAILED)

    def append_again(
        self, time_us: int, client: bytes, agency_id: int, unit_id: int, rest: bytes, rest_size: int
    ) -> None:
        """One answered query of which all but these facts was known before.

        ``rest`` begins with the ``rest_size`` octets of a ``row_rest``. Raises ``OverflowError`` for a value that does
        not fit its field; nothing is written then.
        """
        body_size = _HEAD_SIZE + rest_size
        record_size = (body_size + 15) & ~7
        if self._offset + record_size > self._limit and not self._make_room(time_us, record_size):
            return
        at = stretch(self._map, self._offset, record_size)
        put64_low(at, 8, time_us)
        put64_low(at, 16, self._sequence)
        copy(at, 24, client, 0, 16)
        put32_low(at, 40, agency_id)
        put32_low(at, 44, unit_id)
        copy(at, 48, rest, 0, rest_size)
        put32_low(at, 4, checksum(at, 8, body_size, self._salt))
        # The length stays 0 until the rest is there: it is the word that makes the record exist.
        put32_low(at, 0, body_size)
        self._offset += record_size
        self._sequence += 1

    def _make_room(self, time_us: int, record_size: int) -> bool:
        """A live segment with room for the record, a running gap written first; False: the answer is counted lost."""
        if self._closed:
            raise RuntimeError(f"append to the closed spool {self._directory}")
        needed = record_size + (FRAME_SIZE + GAP.size if self._gap_count else 0)
        live = self._live
        if live is None or self._offset + needed > live.size_bytes:
            kind = self._rotate(time_us)
            if kind is not None:
                self._lose(time_us, kind)
                return False
            live = self._live
            assert live is not None
        if self._gap_count:
            ledger = self._state.ledger
            self._offset = live.write_gap(self._offset, ledger)
            # Killed between these two lines, the next writer finds the gap's record and strikes it from the ledger.
            self._state.write_ledger(ledger._replace(gap_count=0))
            self._gap_count = 0
        self._limit = live.size_bytes
        return True

    def _rotate(self, time_us: int) -> GapKind | None:
        """Makes the spare segment the live one; the reason where there is none to be had."""
        fresh = self._take_spare()
        if fresh is None:
            if self._gap_count and time_us < self._retry_us:
                return GapKind(self._state.ledger.gap_kind)
            self._retry_us = time_us + _RETRY_AFTER_US
            if not self._retire_oldest():
                return GapKind.FAILED
            fresh_or_kind = self._allocate()
            if isinstance(fresh_or_kind, GapKind):
                return fresh_or_kind
            fresh = fresh_or_kind
        ledger = self._state.ledger
        first_sequence = ledger.gap_first if self._gap_count else self._sequence
        number = self._next_segment
        header = SegmentHeader(self._node, self._worker, ledger.spool_id, number, first_sequence, time_us, fresh.salt)
        try:
            fresh.begin(self._directory, header)
        except OSError as error:
            fresh.discard()
            return gap_kind_of(error)
        self._state.persist()
        if self._live is not None:
            self._retired.append(self._live)
        self._live, self._map, self._salt = fresh, fresh.view, fresh.salt
        self._offset = HEADER_SIZE
        self._limit = fresh.size_bytes
        self._next_segment = number + 1
        self._renamed = True
        self._state.write_ledger(ledger._replace(segment=number, next_sequence=first_sequence))
        return None

    def _take_spare(self) -> Segment | None:
        try:
            return self._spares.pop()  # one step: flush may put one at this moment
        except IndexError:
            return None

    def _retire_oldest(self) -> bool:
        """Bounds the finished segments that wait for ``flush``; False while a flush is at it and cannot follow."""
        if len(self._retired) < _MAX_RETIRED:
            return True
        if not self._flushing.acquire(blocking=False):
            return False
        try:
            self._retired.popleft().close()
        finally:
            self._flushing.release()
        return True

    def _lose(self, time_us: int, kind: GapKind) -> None:
        ledger = self._state.ledger
        if not self._gap_count:
            ledger = ledger._replace(gap_first=self._sequence, gap_first_us=time_us, gap_kind=int(kind))
        self._gap_count += 1
        self._limit = 0
        self._state.write_ledger(
            ledger._replace(gap_count=self._gap_count, gap_last_us=time_us, gaps_total=ledger.gaps_total + 1)
        )
        self._sequence += 1

    def _allocate(self) -> Segment | GapKind:
        try:
            if self._used_bytes() + self._segment_size > self._quota:
                return GapKind.QUOTA
            salt = int.from_bytes(self._random_bytes(4), "little")
            return Segment(self._directory, f"spare-{next(self._spare_numbers)}.tmp", self._segment_size, salt)
        except OSError as error:
            return gap_kind_of(error)

    def _used_bytes(self) -> int:
        used = 0
        for number in list_segments(self._directory):
            try:
                used += segment_path(self._directory, number).stat().st_size
            except FileNotFoundError:  # the loader unlinks what it has loaded
                continue
        return used

    def _prepare_spare(self) -> None:
        if not self._spares and not self._closed:
            fresh = self._allocate()
            if not isinstance(fresh, GapKind):
                self._spares.append(fresh)

    def flush(self) -> None:
        """Puts all appended so far on the disk and allocates the next segment ahead; once a second, in any thread.

        Raises ``OSError`` where the disk fails to take it: then a power loss would lose more than a second.
        """
        with self._flushing:
            if not self._closed:
                self._flush()

    def _flush(self) -> None:
        appended = self._sequence - 1
        live = self._live
        renamed, self._renamed = self._renamed, False
        try:
            while self._retired:
                segment = self._retired.popleft()
                live = None if segment is live else live
                try:
                    segment.sync()
                finally:
                    segment.close()
            if live is not None:
                live.sync()
            if renamed:
                os.fsync(self._directory_fd)
            if appended > self._state.durable.sequence:
                self._state.write_durable(Durable(appended))
            self._state.sync()
        except OSError:
            self._renamed = True
            raise
        finally:
            self._prepare_spare()

    def close(self) -> None:
        """Flushes, cuts the live segment to what it holds, and leaves the directory to the next writer."""
        with self._flushing:
            if self._closed:
                return
            self._closed = True
            try:
                self._flush()
                self._state.write_ledger(self._state.ledger._replace(next_sequence=self._sequence))
                self._state.sync()
            finally:
                self._release()

    def _release(self) -> None:
        self._limit = 0
        self._map = _EMPTY
        while self._spares:
            self._spares.pop().discard()
        if self._live is not None:
            self._live.close()
            os.truncate(self._live.path, self._offset)
        self._live = None
        self._state.close()
        os.close(self._directory_fd)

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def row_rest(
    generation: int,
    rule_id: int,
    list_id: int,
    category_id: int,
    answer_digest: int,
    latency_us: int,
    rrtype: int,
    rcode: int,
    upstream: int,
    transport: int,
    verdict: int,
    layer: int,
    via: int,
    cache: int,
    name: bytes,
    matched: bytes,
) -> bytes:
    """The half of a row that can be kept for when the same is answered again. Raises ``struct.error``.

    Fields are those of ``record.LogRecord``.
    """
    facts = ROW_REST.pack(
        generation,
        rule_id,
        list_id,
        category_id,
        answer_digest,
        latency_us,
        rrtype,
        rcode,
        upstream,
        transport,
        verdict,
        layer,
        via,
        cache,
        len(name),
        len(matched),
        KIND_ROW,
    )
    return facts + name + matched


def _check(node: str, segment_size_bytes: int, quota_bytes: int) -> None:
    if not 0 < len(node.encode()) <= MAX_NODE_SIZE:
        raise ValueError(f"node name {node!r} must have 1 to {MAX_NODE_SIZE} octets")
    if not MIN_SEGMENT_SIZE_BYTES <= segment_size_bytes <= MAX_SEGMENT_SIZE_BYTES:
        raise ValueError(
            f"a spool segment of {segment_size_bytes} octets: "
            f"{MIN_SEGMENT_SIZE_BYTES} to {MAX_SEGMENT_SIZE_BYTES} would be right"
        )
    if quota_bytes < 2 * segment_size_bytes:
        raise ValueError(
            f"a spool quota of {quota_bytes} octets holds less than two segments of {segment_size_bytes}: "
            f"at least {2 * segment_size_bytes} would be right"
        )


def _lock(directory: Path) -> int:
    """Locks the directory itself: a lock file could not be made on a full disk."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise SpoolLocked(
            f"spool {directory} has another writer: two workers must not share a directory; "
            "stop the other one, or give this one its own worker number"
        ) from None
    return fd
