"""A visit to a primary in a process of its own: a zone that exhausts memory must not take its caller down.

The process is this module run as a program: its job comes as JSON on standard input (not as an argument: a key's secret
is in it), and what it says goes to standard output, one JSON object a line: progress, then the result or the failure.
It ends by itself if its parent dies: then nobody reads what it writes.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from typing import BinaryIO, Final

import msgspec

from blocklists import child_process
from blocklists.progress import Progress
from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.job import Job, Received, World, visit

_MAX_LINE: Final = 1 << 20

Visit = Callable[[Job, Progress], Awaitable[Received]]
"""How a visit is made; tests and other hosts bring their own."""


class Said(msgspec.Struct, omit_defaults=True):
    """One line of the process; one field is set."""

    start: tuple[str, int] | None = None
    advance: int = 0
    done: bool = False
    received: Received | None = None
    failed: tuple[TransferFailure, str] | None = None
    no_file: str = ""


def world() -> World:
    """The machine's own clocks and randomness."""
    return World(time.time, time.monotonic, lambda: secrets.randbelow(1 << 16))


async def visit_here(job: Job, progress: Progress) -> Received:
    """The visit in a thread of this process, for small zones. Raises ``TransferError`` and ``OSError``."""
    return await asyncio.to_thread(visit, job, world(), progress)


async def visit_apart(job: Job, progress: Progress) -> Received:
    """The visit in a process of its own. Raises ``TransferError`` and ``OSError``."""
    process = await child_process.start(__name__, _MAX_LINE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    try:
        process.stdin.write(child_process.encode(job))
        process.stdin.close()
        received = await _listen(process.stdout, progress)
        errors = await complaints
        await process.wait()
    except BaseException:
        complaints.cancel()
        await child_process.end(process)
        raise
    if received is None:
        raise _died(job, process.returncode or 0, errors)
    return received


async def _listen(lines: asyncio.StreamReader, progress: Progress) -> Received | None:
    """What the process says until its end. Raises what it says that it raised."""
    received: Received | None = None
    while line := await lines.readline():
        said = child_process.decode(line, Said)
        if said.failed is not None:
            raise TransferError(*said.failed)
        if said.no_file:
            raise OSError(said.no_file)
        if said.start is not None:
            progress.start(*said.start)
        elif said.advance:
            progress.advance(said.advance)
        elif said.done:
            progress.done()
        received = said.received or received
    return received


def _died(job: Job, status: int, errors: bytes) -> TransferError:
    sentence = f"The process that transferred {job.source.code} ended with {child_process.how_it_ended(status, errors)}"
    return TransferError(
        TransferFailure.CUT, f"{sentence}. The last good version is still served; look at the machine's memory."
    )


class _Told:
    """Progress as lines for the parent."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def say(self, said: Said) -> None:
        self._out.write(child_process.encode(said) + b"\n")
        self._out.flush()

    def start(self, label: str, total: int) -> None:
        self.say(Said(start=(label, total)))

    def advance(self, units: int) -> None:
        self.say(Said(advance=units))

    def done(self) -> None:
        self.say(Said(done=True))


def main() -> None:
    """The process's whole life."""
    job = child_process.decode(sys.stdin.buffer.read(), Job)
    told = _Told(sys.stdout.buffer)
    try:
        told.say(Said(received=visit(job, world(), told)))
    except TransferError as error:
        told.say(Said(failed=(error.code, error.sentence)))
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        told.say(Said(no_file=f"{error.strerror or error}{place}"))


if __name__ == "__main__":
    main()
