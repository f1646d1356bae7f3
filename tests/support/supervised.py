"""Tiny child programs for the supervisor's tests, and waiting for what they do."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from saring.child import ChildSpec

_PRELUDE = """
import os, signal, sys, time
name, log = sys.argv[1], sys.argv[2]
orders = sys.stdin.readline().strip()
def note(what):
    with open(log, "a") as file:
        file.write(f"{name} {what} {os.getpid()} {orders}\\n")
def ready():
    # The supervisor holds these back until a process says that it has its handlers.
    note("start")
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGHUP))
"""

STEADY = """
def end(number, frame):
    note("term")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGHUP, lambda number, frame: note("hup"))
ready()
while True:
    signal.pause()
"""

STUBBORN = """
signal.signal(signal.SIGTERM, lambda number, frame: note("ignored"))
ready()
while True:
    signal.pause()
"""

CRASHING = """
note("start")
print("first line", file=sys.stderr)
sys.exit("the database is on fire")
"""

MORTAL = """
from saring.process import die_with_parent
die_with_parent(os.getppid())
def end(number, frame):
    note("term")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
ready()
while True:
    signal.pause()
"""


def program(name: str, body: str, log: Path, stop_s: float = 5.0, orders: bytes = b"none\n") -> ChildSpec:
    """A child that runs ``body``; what it does is noted in ``log``: ``name what pid orders``."""
    return ChildSpec(name, (sys.executable, "-c", _PRELUDE + body, name, str(log)), orders, (), stop_s)


def notes(log: Path) -> list[tuple[str, str, int]]:
    """What was noted so far: (name, what, pid)."""
    if not log.exists():
        return []
    lines = [line.split() for line in log.read_text().splitlines()]
    return [(words[0], words[1], int(words[2])) for words in lines]


async def eventually(condition: Callable[[], bool], within_s: float = 5.0) -> float:
    """Seconds until ``condition`` held; fails the test where it did not."""
    begun_s = time.monotonic()
    while not condition():
        if time.monotonic() - begun_s > within_s:
            raise AssertionError(f"did not happen within {within_s} s: {condition}")
        await asyncio.sleep(0.01)
    return time.monotonic() - begun_s
