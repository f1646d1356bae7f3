"""What the supervisor tells a process at its start, through one line of JSON on standard input.

Not arguments and not the environment: both can be read by every user of the machine, and the database's password is
among it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from resolver.settings import WorkerSettings

MAX_SIZE_BYTES = 4 * 1024 * 1024


class OrdersError(Exception):
    """Standard input held no orders: the process was not started by the supervisor."""


@dataclass(frozen=True, slots=True)
class Orders:
    """``config`` is the checked configuration as JSON, read only by processes that need it (not by workers).

    ``listen_fd`` is the API's listening socket, ``result_fd`` where a one-shot process writes its result, -1 none.
    ``config_path`` is the file the configuration came from, for texts.
    """

    parent_pid: int
    log_level: str
    log_format: str
    state_dir: str
    config: str
    config_path: str = ""
    worker: WorkerSettings | None = None
    listen_fd: int = -1
    result_fd: int = -1
    force_all: bool = False
    code: str = ""


def encode_orders(orders: Orders) -> bytes:
    """One line, newline included."""
    return msgspec.json.encode(orders) + b"\n"


def read_orders(stream: BinaryIO) -> Orders:
    """The orders from the first line of ``stream``. Raises ``OrdersError``."""
    line = stream.readline(MAX_SIZE_BYTES)
    if not line:
        raise OrdersError("no orders on standard input: processes are started by the supervisor; run `saring serve`")
    try:
        return msgspec.json.decode(line, type=Orders)
    except msgspec.MsgspecError as error:
        raise OrdersError(f"orders on standard input are not valid: {error}") from error


def command_of(kind: str, *arguments: str) -> tuple[str, ...]:
    """The command of a process of that kind (``process.KINDS``), which then waits for its orders."""
    return (sys.executable, "-m", "saring.process", kind, *arguments)
