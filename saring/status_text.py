"""``saring status`` as a person reads it."""

from __future__ import annotations

import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from saring.status import ProgramStatus


def render_status(status: ProgramStatus, now_s: float) -> RenderableType:
    """Head lines, then tables of processes, workers and lists, then what needs attention."""
    parts: list[RenderableType] = [_head(status, now_s)]
    if status.processes:
        parts.append(_processes(status, now_s))
    if status.workers:
        parts.append(_workers(status))
    if status.lists:
        parts.append(_lists(status, now_s))
    parts += [Text(f"! {warning}", style="yellow") for warning in status.warnings]
    return Group(*parts)


def ago(then_s: float, now_s: float) -> str:
    """A span as people say it: ``3 min``; ``-`` for never."""
    if then_s <= 0:
        return "-"
    seconds = max(0, int(now_s - then_s))
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size * 2:
            return f"{seconds // size} {word}"
    return f"{seconds} s"


def size(size_bytes: int) -> str:
    """A size as people say it."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1_000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1_000
    return f"{value:.1f} TB"


def _head(status: ProgramStatus, now_s: float) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    running = f"running for {ago(status.started_s, now_s)}, process {status.pid}"
    grid.add_row("Saring", f"{status.version} {running}" if status.running else Text("not running", style="red"))
    if status.running:
        grid.add_row("DNS", ", ".join(status.dns))
        grid.add_row("API", f"http://{status.api}" if status.api else "off")
    generation = f"{status.generation}, published {ago(status.published_s, now_s)} ago"
    grid.add_row("Generation", generation if status.generation else "none")
    grid.add_row("Spool", size(status.spool_size_bytes))
    grid.add_row("Lists", f"{len(status.lists)}, {size(status.lists_size_bytes)} on disk")
    if status.next_sync_s:
        local = datetime.datetime.fromtimestamp(status.next_sync_s).astimezone()
        grid.add_row("Next sync", "running now" if status.syncing else local.strftime("%Y-%m-%d %H:%M %Z"))
    return grid


def _processes(status: ProgramStatus, now_s: float) -> Table:
    table = Table("process", "pid", "up", "restarts", "last end", box=None, header_style="bold", pad_edge=False)
    for process in status.processes:
        up = ago(process.started_s, now_s) if process.pid else Text("down", style="red")
        table.add_row(process.name, str(process.pid or "-"), up, str(process.restarts), process.last_exit or "-")
    return table


def _workers(status: ProgramStatus) -> Table:
    table = Table(
        "worker", "generation", "answers", "not logged", "runs", box=None, header_style="bold", pad_edge=False
    )
    for worker in status.workers:
        table.add_row(
            str(worker.number),
            str(worker.generation),
            f"{worker.answers:,}",
            f"{worker.gaps:,}",
            "compiled" if worker.compiled else "interpreted",
        )
    return table


def _lists(status: ProgramStatus, now_s: float) -> Table:
    table = Table("list", "names", "age", "checked", "last try", box=None, header_style="bold", pad_edge=False)
    for one in status.lists:
        age = Text(ago(one.good_s, now_s), style="red" if one.stale else "")
        result = Text(one.result if one.enabled else "switched off", style="" if one.result == "good" else "yellow")
        table.add_row(one.code, f"{one.entries:,}", age, ago(one.checked_s, now_s), result)
    return table
