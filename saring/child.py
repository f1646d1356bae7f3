"""One process under supervision: started, watched, started again, stopped.

Its standard error comes through a pipe to the supervisor's own, so that the last line before a death can be told.
It gets a process group of its own: Ctrl-C in a terminal must reach the supervisor alone, which stops in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from saring.backoff import Backoff
from saring.stop_signals import held

_log = logging.getLogger(__name__)

STDERR_PIPE_BYTES = 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
SHOWN_LINE_CHARS = 300


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run. ``orders`` is written to its standard input, ``fds`` are inherited under the same numbers.

    ``stop_s`` is how long it may take to stop by itself before it is killed. ``restart_within_s``: the longest wait
    before it is started again, however often it dies: short for whoever answers DNS.
    """

    name: str
    command: tuple[str, ...]
    orders: bytes = b""
    fds: tuple[int, ...] = ()
    stop_s: float = 5.0
    restart_within_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ChildState:
    """A child at this moment. ``pid`` 0: not running. ``last_exit`` is empty before the first death."""

    name: str
    pid: int
    started_s: float
    restarts: int
    last_exit: str = ""


class Child:
    """Runs one ``ChildSpec`` until told to stop. All methods belong to the event loop's thread."""

    def __init__(
        self,
        spec: ChildSpec,
        forward: Callable[[bytes], None],
        changed: Callable[[], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._spec = spec
        self._forward = forward
        self._changed = changed
        self._pipe_fd = -1
        self._backoff = backoff or Backoff()
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._replacing = False
        # Held while a process is being made: a stop at that moment waits and then ends what came of it.
        self._making = asyncio.Lock()
        self._started_s = 0.0
        self._restarts = 0
        self._last_exit = ""
        self._last_line = ""

    @property
    def name(self) -> str:
        """The spec's name."""
        return self._spec.name

    @property
    def spec(self) -> ChildSpec:
        """What the next start will run."""
        return self._spec

    @property
    def state(self) -> ChildState:
        """The child at this moment."""
        pid = self._process.pid if self._process is not None else 0
        return ChildState(self.name, pid, self._started_s, self._restarts, self._last_exit)

    async def run(self) -> None:
        """Starts the process and starts it again whenever it ends, until ``stop``."""
        while not self._stopping.is_set():
            begun_s = time.monotonic()
            ended = await self._run_once()
            if self._stopping.is_set():
                break
            self._restarts += 1
            if self._replacing:
                self._replacing = False
                continue
            await self._pause(ended, time.monotonic() - begun_s)

    @property
    def stderr_fd(self) -> int:
        """Our end of its standard error; -1 where there is none."""
        return self._pipe_fd if self._process is not None else -1

    def take_over_from(self, other: Child) -> None:
        """Counts the starts of the child that this one replaces."""
        self._restarts = other._restarts + 1

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if there is a process to get it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after the spec's ``stop_s``; no further start. Returns when it is gone."""
        self._stopping.set()
        await self._end()

    async def replace(self, spec: ChildSpec) -> None:
        """Ends the process as ``stop`` does; ``run`` starts the new spec at once. Returns when the old is gone."""
        async with self._making:
            self._spec = spec
            self._replacing = self._process is not None
        await self._end()

    async def _end(self) -> None:
        async with self._making:
            process = self._process
        if process is None:
            return
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self._spec.stop_s)
        except TimeoutError:
            _log.warning("killed: it did not stop in time", extra={"child": self.name, "stop_s": self._spec.stop_s})
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _run_once(self) -> str:
        """One life of the process; returns how it ended, in words."""
        self._last_line = ""
        try:
            process, orders = await self._make()
        except OSError as error:
            return f"could not be started: {error}"
        self._changed()
        try:
            await asyncio.gather(self._give_orders(process, orders), self._read_errors(process))
            code = await process.wait()
        finally:
            self._process = None
        ended = describe_exit(code)
        self._last_exit = ended
        self._changed()
        return ended

    async def _make(self) -> tuple[asyncio.subprocess.Process, bytes]:
        async with self._making:
            spec = self._spec
            with held():
                process = await asyncio.create_subprocess_exec(
                    *spec.command,
                    stdin=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    pass_fds=spec.fds,
                    process_group=0,
                    limit=MAX_LINE_BYTES,
                )
            self._process = process
            self._started_s = time.time()
            return process, spec.orders

    async def _give_orders(self, process: asyncio.subprocess.Process, orders: bytes) -> None:
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(orders)
            await process.stdin.drain()
        process.stdin.close()

    async def _read_errors(self, process: asyncio.subprocess.Process) -> None:
        stream = process.stderr
        assert stream is not None
        self._pipe_fd = _enlarge_pipe(process)
        partial = b""
        while chunk := await stream.read(MAX_LINE_BYTES):
            whole, newline, partial = (partial + chunk).rpartition(b"\n")
            if newline:
                self._take_lines(whole + newline)
            if len(partial) > MAX_LINE_BYTES:
                self._take_lines(partial + b"\n")
                partial = b""
        if partial:
            self._take_lines(partial + b"\n")

    def _take_lines(self, lines: bytes) -> None:
        self._forward(lines)
        last = lines.rstrip().rpartition(b"\n")[2].decode("utf-8", "replace").strip()
        if last:
            self._last_line = last[:SHOWN_LINE_CHARS]

    async def _pause(self, ended: str, lived_s: float) -> None:
        delay_s = self._backoff.next_delay_s(lived_s)
        _log.error(
            "process ended; it is started again",
            extra={
                "child": self.name,
                "ended": ended,
                "lived_s": round(lived_s, 3),
                "again_in_s": delay_s,
                "deaths_in_a_row": self._backoff.failures,
                "last_line": self._last_line,
            },
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay_s)


def describe_exit(code: int) -> str:
    """An exit status as words: ``status 1``, ``killed by SIGKILL``."""
    if code >= 0:
        return f"status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _enlarge_pipe(process: asyncio.subprocess.Process) -> int:
    """Our end of the pipe. A burst of log lines must not make a worker wait for us; what the kernel refuses, we do
    without.
    """
    transport = getattr(process, "_transport", None)
    pipe = transport.get_pipe_transport(2) if transport is not None else None
    file = pipe.get_extra_info("pipe") if pipe is not None else None
    if file is None:
        return -1
    with contextlib.suppress(OSError):
        fcntl.fcntl(file.fileno(), fcntl.F_SETPIPE_SZ, STDERR_PIPE_BYTES)
    return int(file.fileno())
