"""A job in a process of its own: how it is started, in what words it is spoken to, what is told of its death.

The process is a module of ours run as a program. Jobs and results are JSON: a process that a hostile list made run out
of memory must not have shared anything with its caller.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

_MAX_STDERR: Final = 2000


async def start(module: str, max_line: int = 1 << 16) -> Process:
    """The module as a process, its three streams piped; ``max_line``: octets of a line that may be read from it."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=max_line,
        # The child finds the same packages, wherever this program was started from.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


async def end(process: Process) -> None:
    """Kills it, if it still runs."""
    if process.returncode is None:
        process.kill()
        await process.wait()


def how_it_ended(status: int, errors: bytes) -> str:
    """``signal 9: the last line of its standard error``, or ``status 1``."""
    said = errors[-_MAX_STDERR:].decode(errors="replace").strip().splitlines()
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return how + (f": {said[-1]}" if said else "")


def encode(value: object) -> bytes:
    """A job or result as JSON, without line ends."""
    return msgspec.json.encode(value, enc_hook=_to_json)


def decode(data: bytes, kind: type[T]) -> T:
    """What ``encode`` wrote. Raises ``msgspec.MsgspecError``."""
    return msgspec.json.decode(data, type=kind, dec_hook=_from_json)


def _to_json(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _from_json(kind: type, value: Any) -> Path:
    if issubclass(kind, Path):
        return Path(value)
    raise NotImplementedError(kind.__name__)
