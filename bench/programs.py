"""Programs under measurement: found, pinned to a core, asked for their CPU time and memory, ended."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def find(name: str) -> str | None:
    """Path of a program; Debian keeps daemons in sbin, which an ordinary user's PATH leaves out."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin")


class Program:
    """A started program on its cores, with its output in a file. A context manager: it is ended on the way out."""

    def __init__(
        self,
        command: Sequence[str],
        cores: Collection[int],
        output: Path,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.output = output
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **(environ or {})},
                start_new_session=True,
            )
        # Children inherit it. One that exists before this line does not: the program has had a millisecond.
        os.sched_setaffinity(self._process.pid, cores)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def pids(self) -> list[int]:
        """The program and all below it."""
        found = [self.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def stop(self, within_s: float = 15.0) -> None:
        """Asks it to end; kills what is left of its group after ``within_s``."""
        if not self.ended:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(within_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def said(self) -> str:
        """The last lines of its output, for an error message."""
        return self.output.read_text(encoding="utf-8", errors="replace")[-2000:]

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def cpu_s(pids: Iterable[int]) -> dict[int, float]:
    """User and system seconds that each process has used (not those of children that have ended)."""
    used: dict[int, float] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            # The command's name is in parentheses and may hold anything; the fields behind it are numbers.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[pid] = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    return used


def spent_s(before: Mapping[int, float]) -> float:
    """CPU seconds since ``before``, of those processes that are still there."""
    return sum(now_s - before[pid] for pid, now_s in cpu_s(before).items())


def settle(programs: Sequence[Program], within_s: float = 20.0) -> None:
    """Waits until they have done what they do after a start: together less than 10 % of a core for half a second."""
    limit_s = time.monotonic() + within_s
    while time.monotonic() < limit_s:
        before = cpu_s(pid for program in programs for pid in program.pids())
        time.sleep(0.5)
        if spent_s(before) < 0.05:
            return


def pss_mb(pids: Iterable[int]) -> float:
    """Memory in MB, each shared page divided by those who share it: the mapping counts, and counts once."""
    total_kb = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            total_kb += int(found[1]) if found else 0
    return total_kb / 1000
