"""Becoming a newer version without losing a query: what the old image of the supervisor leaves to the new one.

On SIGUSR2 the supervisor executes its program anew (execve(2)): the process stays, and with it its sockets, its
children and, for systemd, its identity. Sockets and the children's pipes are inherited; which is which stands in one
environment variable. The new image starts new workers beside the old ones, on the same sockets, and sends the old ones
away when the new ones answer.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

VARIABLE: Final = "SARING_HANDOVER"
HELD: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)


@dataclass(frozen=True, slots=True)
class Predecessor:
    """A child of the image before. ``slot``: a worker's (``lineup.py``). ``stderr_fd``: our end of its pipe, or -1."""

    name: str
    pid: int
    slot: int
    stderr_fd: int


@dataclass(frozen=True, slots=True)
class Handover:
    """``dns``: addresses as they are written; ``workers``: of each, UDP sockets and TCP sockets in the same order;
    ``api_fd`` -1: no API.
    """

    dns: tuple[str, ...]
    workers: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    api_fd: int
    children: tuple[Predecessor, ...]

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Everything that must outlive the old image."""
        sockets = [number for udp, tcp in self.workers for number in (*udp, *tcp)]
        pipes = [child.stderr_fd for child in self.children]
        return tuple(number for number in (*sockets, self.api_fd, *pipes) if number >= 0)


def take(environ: Mapping[str, str]) -> Handover | None:
    """What the image before left; None at an ordinary start. Raises ``ValueError`` where it cannot be read."""
    text = environ.get(VARIABLE)
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Handover)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{VARIABLE} is not what the version before should have left: {error}") from error


def command(arguments: Sequence[str]) -> list[str]:
    """How this program was started, so that it can be started again: through the same link, which by now may lead to a
    newer version. ``arguments`` stand in for those it was given.
    """
    started = Path(sys.argv[0])
    if started.suffix != ".py" and os.access(started, os.X_OK):
        return [str(started.absolute()), *arguments]
    return [sys.executable, "-m", "saring.cli", *arguments]


def become(program: Sequence[str], environ: Mapping[str, str], handover: Handover) -> None:
    """Executes ``program`` in our place; returns only by ``OSError``.

    Signals wait until the new image has its handlers: the first thing a SIGTERM meets must not be the default action.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        for number in handover.descriptors:
            os.set_inheritable(number, True)
        text = msgspec.json.encode(handover).decode()
        os.execve(program[0], list(program), {**environ, VARIABLE: text})
    finally:
        for number in handover.descriptors:
            os.set_inheritable(number, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
