"""The signals by which the supervisor steers its processes, and when a process lets them in.

A new process inherits them held back. It lets them in when it has its handlers; before, they would end it on the spot:
a loader told to stop while it still starts must load what is left, and a reload must kill nobody.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

STEERING: Final = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held() -> Iterator[None]:
    """Holds them back in what is started inside, and in this thread meanwhile."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STEERING)
    try:
        yield
    finally:
        release()


def release(*numbers: signal.Signals) -> None:
    """Lets in those (all by default): what came meanwhile arrives now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers or STEERING)


def stop_event() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set, in a running loop; SIGHUP, which is the workers' affair, does nothing."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    release()
    return stop
