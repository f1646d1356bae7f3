"""A replay in a process of its own: it takes a core for some seconds, and the API must answer meanwhile.

The child gets its orders on standard input, one line, and the replay's on the next; it tells its progress and at last
its result on standard output, a line of JSON each. It ends when it is cancelled, or its parent ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from admin_api.replay_order import ReplayError, ReplayOrder, ReplayReport
from admin_api.services import Replayer
from blocklists.library import Library
from blocklists.progress import Progress
from querylog.store import StoreError
from saring.child import describe_exit
from saring.orders import Orders, command_of, encode_orders
from saring.query_store import open_store
from saring.replay_run import run_replay
from saring.state_dir import StateDir

KIND: Final = "replay"
NICENESS: Final = 5
TELL_EVERY_S: Final = 0.2
END_S: Final = 2.0
MAX_LINE_BYTES: Final = 64 * 1024 * 1024


class _Started(msgspec.Struct, tag="started"):
    label: str
    total: int


class _Advanced(msgspec.Struct, tag="advanced"):
    units: int


class _Ended(msgspec.Struct, tag="ended"):
    report: ReplayReport


class _Failed(msgspec.Struct, tag="failed"):
    error: str


_Told = _Started | _Advanced | _Ended | _Failed
_DECODER: Final[msgspec.json.Decoder[_Told]] = msgspec.json.Decoder(_Told)


def replayer(orders: Orders) -> Replayer:
    """``Services.replay``: each call runs a process and ends it where the call is cancelled."""
    told = dataclasses.replace(orders, parent_pid=os.getpid(), listen_fd=-1, worker=None)

    async def replay(order: ReplayOrder, progress: Progress) -> ReplayReport:
        process = await asyncio.create_subprocess_exec(
            *command_of(KIND),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            process_group=0,
            limit=MAX_LINE_BYTES,
        )
        try:
            assert process.stdin is not None
            process.stdin.write(encode_orders(told) + msgspec.json.encode(order) + b"\n")
            with contextlib.suppress(ConnectionError):  # it died early: what it said, or its exit, tells why
                await process.stdin.drain()
            process.stdin.close()
            return await _follow(process, progress)
        finally:
            await _end(process)

    return replay


async def _follow(process: asyncio.subprocess.Process, progress: Progress) -> ReplayReport:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        told = _DECODER.decode(line)
        if isinstance(told, _Started):
            progress.start(told.label, told.total)
        elif isinstance(told, _Advanced):
            progress.advance(told.units)
        elif isinstance(told, _Failed):
            raise ReplayError(told.error)
        else:
            progress.done()
            return told.report
    code = await process.wait()
    raise ReplayError(f"the replay's process ended with {describe_exit(code)}; its messages are in the program's log")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def run_replay_process(orders: Orders) -> int:
    """The child: replays what the second line of standard input says; returns the exit status."""
    os.nice(NICENESS)
    state = StateDir(Path(orders.state_dir))
    try:
        order = msgspec.json.decode(sys.stdin.buffer.readline(), type=ReplayOrder)
        store = open_store(state, writer=False)
        try:
            report = run_replay(state.snapshots, Library(state.lists), store, order, _Teller())
        finally:
            store.close()
    except (ReplayError, StoreError, OSError, msgspec.MsgspecError) as error:
        _tell(_Failed(str(error)))
        return 1
    _tell(_Ended(report))
    return 0


class _Teller:
    """Progress as lines, a few a second."""

    def __init__(self) -> None:
        self._units = 0
        self._told_s = 0.0

    def start(self, label: str, total: int) -> None:
        """Told at once."""
        _tell(_Started(label, total))

    def advance(self, units: int) -> None:
        """Told now and then."""
        self._units += units
        if time.monotonic() - self._told_s >= TELL_EVERY_S:
            self._flush()

    def done(self) -> None:
        """What was not told yet."""
        self._flush()

    def _flush(self) -> None:
        if self._units:
            _tell(_Advanced(self._units))
        self._units, self._told_s = 0, time.monotonic()


def _tell(what: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()
