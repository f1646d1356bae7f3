"""Where a fetched list is parsed: small ones in a thread, big ones in a process of their own.

Sorting millions of names holds the interpreter's lock for seconds, in which an event loop beside it would answer
nobody; and a list that exhausts memory must take down its own process, not the caller's. The process is this module
run as a program: its job comes as JSON on standard input, its result goes to standard output, and it ends by itself
if its parent dies.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists import child_process
from blocklists.normalise import Parsed, normalise
from blocklists.source import Source

_SMALL_BYTES: Final = 4 << 20


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
    process = await child_process.start(__name__)
    try:
        output, errors = await process.communicate(child_process.encode(job))
    except BaseException:
        await child_process.end(process)
        raise
    if process.returncode:
        how = child_process.how_it_ended(process.returncode, errors)
        raise ParseError(f"parsing {job.source.code} ended with {how}")
    return child_process.decode(output, Parsed)


def main() -> None:
    """The process's whole life."""
    sys.stdout.buffer.write(child_process.encode(work(child_process.decode(sys.stdin.buffer.read(), Job))))


if __name__ == "__main__":
    main()
