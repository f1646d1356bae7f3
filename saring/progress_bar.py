"""``blocklists.progress.Progress`` as bars in a terminal; several lists at a time, one bar each."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class ProgressBars:
    """Use as a context manager. ``start`` and its ``advance`` come from one thread or task, others in between."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._lock = threading.Lock()
        self._task: TaskID | None = None

    def __enter__(self) -> ProgressBars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def start(self, label: str, total: int) -> None:
        """A new bar."""
        with self._lock:
            self._task = self._bars.add_task(label, total=total or None)

    def advance(self, units: int) -> None:
        """Moves the bar begun last."""
        with self._lock:
            if self._task is not None:
                self._bars.advance(self._task, units)

    def done(self) -> None:
        """Fills the bar begun last."""
        with self._lock:
            if self._task is None:
                return
            task = self._bars.tasks[self._bars.task_ids.index(self._task)]
            self._bars.update(self._task, total=task.completed, completed=task.completed)
            self._task = None
