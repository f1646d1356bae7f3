"""Processes that are killed on purpose: a spool writer or a loader, by SIGKILL at the n-th line it executes.

Run as ``python querylog_victims.py ROLE DIRECTORY FIRST STEP``: for each kill point (FIRST, FIRST + STEP, ...) a
forked child works in a fresh copy of DIRECTORY until it dies; a line of JSON on stdout says what was left behind. Ends
with the first child that is done before its kill point.
"""

# ruff: noqa: E402 -- compiled or interpreted is settled before the first hot module is imported

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from saring.interpreted import install_from_environment

install_from_environment()

from querylog.embedded.store import EmbeddedStore
from querylog.spool import SpoolWriter
from querylog.spool_format import list_segments, segment_path
from querylog.store import Filter
from tests.support.querylog_samples import SEGMENT, append, covered, loader, read_spool

ROWS = 90
WRITER_FILES = ("querylog/spool.py", "dnswire/octets.py", "spool_state.py", "spool_segment.py", "spool_recovery.py")
LOADER_FILES = ("querylog/loader.py", "embedded/writer.py", "embedded/manifest.py", "embedded/files.py")


def write(directory: Path) -> None:
    """Appends, reports each row only after it (as a worker sends its answer), fills its quota, finds room again."""
    report = os.open(directory / "reported", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    spool = SpoolWriter(directory / "spool", "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=2 * SEGMENT)
    for number in range(ROWS):
        append(spool, number)
        os.write(report, b".")
        if number == ROWS * 5 // 6:
            number_gone = list_segments(directory / "spool")[0]
            os.write(report, b"-")
            segment_path(directory / "spool", number_gone).unlink()
            spool.flush()
    spool.close()


def load(directory: Path) -> None:
    store = EmbeddedStore(directory / "log", writer=True)
    loader(directory / "spool", store, batch_rows=40, window_bytes=1).run_once()
    store.maintain(10**16)
    store.close()


def killed_at(line: int, files: tuple[str, ...], work: Callable[[Path], None], directory: Path) -> bool:
    """Whether the child was killed before it was done."""
    child = os.fork()
    if child == 0:
        sys.settrace(_tracer(line, files))
        work(directory)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a child failed by itself")
    return os.WIFSIGNALED(status)


def _tracer(line: int, files: tuple[str, ...]) -> Callable[[FrameType, str, Any], Any]:
    left = [line]

    def lines(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return lines

    def calls(frame: FrameType, event: str, _: Any) -> Any:
        return lines if frame.f_code.co_filename.endswith(files) else None

    return calls


def after_writer(directory: Path) -> dict[str, Any]:
    """What the next writer makes of it: all sequences once, and no less than was reported."""
    reported = (directory / "reported").read_bytes() if (directory / "reported").exists() else b""
    with SpoolWriter(directory / "spool", "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=8 * SEGMENT) as spool:
        answers = spool.answers
        append(spool, 999)
        held = covered(*read_spool(directory / "spool"))
        gaps = spool.gaps
    return {
        "reported": reported.count(b"."),
        "unlinked": b"-" in reported,
        "answers": answers,
        "held": held,
        "gaps": gaps,
    }


def after_loader(directory: Path) -> dict[str, Any]:
    """What the next loader makes of it."""
    load(directory)
    store = EmbeddedStore(directory / "log", writer=False)
    sequences = sorted(row.sequence for row in store.search(Filter(), 1000).rows)
    files = len(list((directory / "log").glob("*/raw*.parquet")))
    store.close()
    return {"sequences": sequences, "segments": len(list_segments(directory / "spool/worker-0")), "files": files}


ROLES: dict[str, tuple[tuple[str, ...], Callable[[Path], None], Callable[[Path], dict[str, Any]]]] = {
    "writer": (WRITER_FILES, write, after_writer),
    "loader": (LOADER_FILES, load, after_loader),
}


def in_child(check: Callable[[Path], dict[str, Any]], directory: Path) -> None:
    """Reports from a child: threads of Arrow and DuckDB must not start in the process that forks."""
    child = os.fork()
    if child == 0:
        print(json.dumps(check(directory)), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("a check failed by itself")


def main(role: str, directory: Path, first: int, step: int) -> None:
    files, work, check = ROLES[role]
    line = first
    killed = True
    while killed:
        copy = directory.with_name(f"{directory.name}-{line}")
        shutil.copytree(directory, copy)
        killed = killed_at(line, files, work, copy)
        in_child(check, copy)
        shutil.rmtree(copy)
        line += step


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
