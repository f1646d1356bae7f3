"""Moves spools into the store, exactly once: rows and the positions behind them are committed together.

Killed before the commit, the same rows are read again; killed after it, the positions say that they are loaded, and
only the unlinking of finished segments is done again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from querylog.decode import Run, decode
from querylog.labels import Labeller, LabelsOf
from querylog.spool_format import FRAME_SIZE, HEADER_SIZE, ROW, SegmentDamaged, list_segments, segment_path
from querylog.spool_reader import DEFAULT_WINDOW_BYTES, Position, SegmentReader, Window
from querylog.store import Store, StoreError

_log: Final = logging.getLogger(__name__)

DEFAULT_BATCH_ROWS: Final = 100_000
_MAX_DELAY_S: Final = 30.0
_MAINTAIN_EVERY_S: Final = 10.0
_STOP_WAIT_S: Final = 2.0


class Notice(Protocol):
    """Takes an event for the logs, the facts by their names."""

    def __call__(self, event: str, /, **facts: object) -> object:
        """``facts`` are for people: paths, counts, reasons."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a run brought: rows, answers counted by gaps, octets of the spool read."""

    rows: int = 0
    gaps: int = 0
    bytes: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(self.rows + other.rows, self.gaps + other.gaps, self.bytes + other.bytes)


@dataclass(slots=True)
class _Gathered:
    """What one batch takes from the spools."""

    runs: list[Run] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)
    finished: list[Path] = field(default_factory=list)
    rows: int = 0
    full: bool = False


class Loader:
    """Loads all spools under ``spool_root`` (one directory a worker). One thread runs it."""

    def __init__(
        self,
        spool_root: Path,
        store: Store,
        labels: LabelsOf,
        *,
        batch_rows: int = DEFAULT_BATCH_ROWS,
        window_bytes: int = DEFAULT_WINDOW_BYTES,
        notice: Notice | None = None,
    ) -> None:
        self._spool_root = spool_root
        self._store = store
        self._labels_of = labels
        self._batch_rows = batch_rows
        self._window_bytes = window_bytes
        self._notice: Notice = notice or _warn

    def run_once(self) -> Loaded:
        """Loads all that is there, in batches of bounded memory. Raises ``StoreError``, ``OSError``."""
        total = Loaded()
        while True:
            gathered = self._gather()
            total += self._commit(gathered)
            if not gathered.full:
                return total

    def run(
        self,
        stop: threading.Event,
        interval_s: float = 1.0,
        now_us: Callable[[], int] | None = None,
        retention: Callable[[int], tuple[int, int]] | None = None,
        around: contextlib.AbstractContextManager[object] | None = None,
    ) -> None:
        """Loads every ``interval_s`` until ``stop`` is set, then once more; with ``now_us`` it compacts beside it.

        ``around``: entered for each load but the last.
        ``retention(now_us)`` gives the times before which raw and blocked rows are dropped. While the store is down the
        loader waits longer and longer, at most half a minute, and the spool holds.
        """
        beside = None
        if now_us is not None:
            arguments = (stop, now_us, retention)
            beside = threading.Thread(target=self._maintain, args=arguments, name="querylog-maintain", daemon=True)
            beside.start()
        delay_s = interval_s
        while not stop.wait(delay_s):
            with around or contextlib.nullcontext():
                loaded = self._try_once()
            delay_s = interval_s if loaded else min(max(2 * delay_s, 1.0), _MAX_DELAY_S)
        self._try_once()
        if beside is not None:
            beside.join(_STOP_WAIT_S)  # a long merge is given up: its file is no one's until the manifest lists it

    def _try_once(self) -> bool:
        try:
            self.run_once()
        except (StoreError, OSError) as error:
            self._notice("query log not loaded; the spool holds it", reason=str(error))
            return False
        return True

    def _maintain(
        self,
        stop: threading.Event,
        now_us: Callable[[], int],
        retention: Callable[[int], tuple[int, int]] | None,
    ) -> None:
        while not stop.wait(_MAINTAIN_EVERY_S):
            try:
                now = now_us()
                if retention is not None:
                    raw_before_us, blocked_before_us = retention(now)
                    self._store.drop_before(raw_before_us, blocked_before_us, now)
                while self._store.maintain(now).merged_files and not stop.is_set():
                    pass
            except (StoreError, OSError) as error:
                self._notice("query log not compacted", reason=str(error))

    def _gather(self) -> _Gathered:
        gathered = _Gathered(positions=dict(self._store.positions()))
        for directory in _spools(self._spool_root):
            numbers = list_segments(directory)
            for number in numbers:
                if gathered.full:
                    return gathered
                self._gather_segment(gathered, segment_path(directory, number), number, number == numbers[-1])
        return gathered

    def _gather_segment(self, gathered: _Gathered, path: Path, number: int, live: bool) -> None:
        try:
            reader = SegmentReader(path, live=live, window_bytes=self._window_bytes)
        except FileNotFoundError:
            return  # an empty segment that its next writer removed
        except SegmentDamaged as error:
            self._set_aside(path, live, error)
            return
        with reader:
            key = reader.header.key
            position = gathered.positions.get(key) or Position(0, 0, reader.header.first_sequence)
            if number < position.segment:
                self._finish(gathered, path, live)
                return
            offset = position.offset if number == position.segment else HEADER_SIZE
            run = Run(reader.header, position.sequence)
            window = reader.read(offset)
            while window is not None:
                self._report_skipped(path, window, offset)
                run.windows.append(window)
                offset = window.next_offset
                gathered.rows += len(window.offsets)
                if gathered.rows >= self._batch_rows:
                    gathered.full = True
                    break
                window = reader.read(offset)
            if run.windows:
                gathered.runs.append(run)
                gathered.positions[key] = Position(number, offset, _last_sequence(run.windows[-1]) + 1)
            if window is None:
                self._finish(gathered, path, live)

    def _finish(self, gathered: _Gathered, path: Path, live: bool) -> None:
        if not live:
            gathered.finished.append(path)

    def _set_aside(self, path: Path, live: bool, error: SegmentDamaged) -> None:
        """A finished segment without a sound header: its answers become a gap where the next segment goes on."""
        if not live:
            aside = path.with_suffix(".damaged")
            path.rename(aside)
            self._notice("spool segment is damaged, set aside", segment=str(aside), reason=str(error))

    def _report_skipped(self, path: Path, window: Window, offset: int) -> None:
        if window.skipped_bytes:
            self._notice(
                "spool is damaged; the rest is loaded, what is missing becomes a gap",
                segment=str(path),
                offset=offset,
                size_bytes=window.skipped_bytes,
            )

    def _commit(self, gathered: _Gathered) -> Loaded:
        loaded = Loaded()
        if gathered.runs:
            batch = decode(gathered.runs, Labeller(self._labels_of))
            self._store.load(batch, gathered.positions)
            octets = sum(len(window.data) for run in gathered.runs for window in run.windows)
            loaded = Loaded(batch.rows.num_rows, sum(gap.answers for gap in batch.gaps), octets)
            for gap in batch.gaps:
                self._notice(
                    "answers without a row", node=gap.node, worker=gap.worker, kind=gap.kind, count=gap.answers
                )
        for path in gathered.finished:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        return loaded


def _warn(event: str, /, **facts: object) -> None:
    _log.warning(event, extra=facts)


def _spools(root: Path) -> list[Path]:
    try:
        return sorted(entry for entry in root.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []


def _last_sequence(window: Window) -> int:
    sequence: int = ROW.unpack_from(window.data, window.offsets[-1] + FRAME_SIZE)[1]
    return sequence
