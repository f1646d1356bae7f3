"""Where a fetched list is parsed: small ones in a thread, big ones in a process of their own.

Sorting millions of names holds the interpreter's lock for seconds, in which an event loop beside it would answer
nobody; and a list that exhausts memory must take down its own process, not the caller's. The process is this module
run as a program: its job comes as JSON on standard input, its result goes to standard output, and it ends by itself
if its parent dies.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from blocklists.normalise import Parsed, normalise
from blocklists.source import Source

_SMALL_BYTES: Final = 4 << 20
_MAX_STDERR: Final = 2000


class ParseError(Exception):
    """The process that parsed a list did not come to an end."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to parse; see ``normalise``."""

    path: Path
    source: Source
    protected: tuple[str, ...]
    entries: Path


# How a job is done; tests and other hosts bring their own.
Parse = Callable[[Job], Awaitable[Parsed]]


def work(job: Job) -> Parsed:
    """Does the job here and now."""
    return normalise(job.path, job.source, job.protected, job.entries)


async def parse(job: Job, small_bytes: int = _SMALL_BYTES) -> Parsed:
    """Does the job where it does not block the loop. Raises ``ParseError`` or ``OSError``."""
    size_bytes = (await asyncio.to_thread(job.path.stat)).st_size
    if size_bytes <= small_bytes:
        return await asyncio.to_thread(work, job)
    try:
        async with asyncio.timeout(job.source.timeout_s):
            return await _apart(job)
    except TimeoutError as error:
        # Ten million names take half a minute; a text made to be slow must not hold the other lists up.
        sentence = f"parsing {job.source.code} took longer than {job.source.timeout_s:g} s"
        raise ParseError(sentence) from error


async def _apart(job: Job) -> Parsed:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # The child finds the same packages, wherever this program was started from.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        output, errors = await process.communicate(msgspec.json.encode(job, enc_hook=_to_json))
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode:
        said = errors[-_MAX_STDERR:].decode(errors="replace").strip().splitlines()
        how = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
        raise ParseError(f"parsing {job.source.code} ended with {how}" + (f": {said[-1]}" if said else ""))
    return msgspec.json.decode(output, type=Parsed, dec_hook=_from_json)


def _to_json(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _from_json(kind: type, value: Any) -> Path:
    if issubclass(kind, Path):
        return Path(value)
    raise NotImplementedError(kind.__name__)


def main() -> None:
    """The process's whole life."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job, dec_hook=_from_json)
    sys.stdout.buffer.write(msgspec.json.encode(work(job), enc_hook=_to_json))


if __name__ == "__main__":
    main()
