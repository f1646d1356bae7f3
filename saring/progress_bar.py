"""``blocklists.progress.Board`` for people: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from saring.status_text import size

PLAIN_EVERY_S: Final = 10.0
_FETCH: Final = "fetch"  # the first word of labels whose units are octets


class _Units(ProgressColumn):
    """What is done of what is to do: octets of a download, else things; without a total only what is done."""

    def render(self, task: Task) -> Text:
        """The column's text."""
        show = size if task.description.startswith(_FETCH) else _thousands
        done = show(int(task.completed))
        return Text(f"{done} of {show(int(task.total))}" if task.total else done if task.completed else "")


class BarBoard:
    """A bar for each line of work, in place. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.fields[title]}"),
            TextColumn("{task.description}"),
            BarColumn(),
            _Units(),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> BarBoard:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def line(self, title: str) -> _BarLine:
        """A bar that appears with its first piece of work."""
        return _BarLine(self._bars, title)


class _BarLine:
    def __init__(self, bars: Progress, title: str) -> None:
        self._bars = bars
        self._title = title
        self._task: TaskID | None = None

    def start(self, label: str, total: int) -> None:
        label = label.removesuffix(f" {self._title}")
        if self._task is None:
            self._task = self._bars.add_task(label, total=total or None, title=self._title)
        else:
            self._bars.reset(self._task, description=label, total=total or None)

    def advance(self, units: int) -> None:
        if self._task is not None:
            self._bars.advance(self._task, units)

    def done(self) -> None:
        if self._task is not None:
            task = self._bars.tasks[self._bars.task_ids.index(self._task)]
            # A bar without a total would go on moving: what was done is all there was.
            self._bars.update(self._task, total=task.completed or 1, completed=task.completed or 1)


class PlainBoard:
    """A line of text where work begins and ends, and every ten seconds between: for logs and pipes.

    ``clock`` gives seconds that only go forward; ``write`` takes a line without its end.
    """

    def __init__(self, clock: Callable[[], float], write: Callable[[str], None]) -> None:
        self._clock = clock
        self._write = write
        self._lock = threading.Lock()

    def line(self, title: str) -> _PlainLine:
        """Lines that begin with ``title``."""
        return _PlainLine(title, self._clock, self._say)

    def _say(self, text: str) -> None:
        with self._lock:
            self._write(text)


class _PlainLine:
    def __init__(self, title: str, clock: Callable[[], float], say: Callable[[str], None]) -> None:
        self._title = title
        self._clock = clock
        self._say = say
        self._label = ""
        self._total = self._count = 0
        self._begun_s = self._said_s = 0.0

    def start(self, label: str, total: int) -> None:
        self._label = label.removesuffix(f" {self._title}")
        self._total, self._count = total, 0
        self._begun_s = self._said_s = self._clock()

    def advance(self, units: int) -> None:
        self._count += units
        now_s = self._clock()
        if now_s - self._said_s >= PLAIN_EVERY_S:
            self._said_s = now_s
            share = f", {self._count / self._total:.0%}" if self._total else ""
            self._say(f"{self._title}: {self._label}: {self._counted()}{share}")

    def done(self) -> None:
        counted = f" {self._counted()}" if self._count else ""
        self._say(f"{self._title}: {self._label}:{counted} in {self._clock() - self._begun_s:.1f} s")

    def _counted(self) -> str:
        return size(self._count) if self._label.startswith(_FETCH) else _thousands(self._count)


def _thousands(count: int) -> str:
    return f"{count:,}"
