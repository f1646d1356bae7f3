"""Keeps an eye on workers that run but do not answer, and on ourselves for the service manager.

A worker writes its counters once a second from its event loop's side. One whose counters stand still hangs: it is
killed, and started again like any that died; its queries wait in its sockets meanwhile. The service manager hears from
us only while a query of our own, over the real path, is answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from saring.child import ChildState
from saring.systemd import Notifier

_log = logging.getLogger(__name__)

HANGS_AFTER_S: Final = 20.0
LOOK_EACH_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Eyes:
    """What the watchdog sees and does. ``written_s(name)``: when the worker last wrote its counters, Unix seconds, 0
    never. ``answers()``: whether a query of our own is answered. ``clock``: Unix seconds.
    """

    workers: Callable[[], Iterable[ChildState]]
    written_s: Callable[[str], float]
    kill: Callable[[str], None]
    answers: Callable[[], Awaitable[bool]]
    clock: Callable[[], float]


class Watchdog:
    """Looks at the workers, and tells the service manager that all is well if it is."""

    def __init__(self, eyes: Eyes, notifier: Notifier, interval_s: float) -> None:
        """``interval_s``: how long the service manager waits (``systemd.watchdog_s``); 0: it does not."""
        self._eyes = eyes
        self._notifier = notifier
        self._pause_s = min(LOOK_EACH_S, interval_s / 3) if interval_s > 0 else LOOK_EACH_S

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(self._pause_s)
            await self.look()

    async def look(self) -> None:
        """One look."""
        for name in self.hanging():
            _log.error("worker hangs: its counters stand still; it is killed and started again", extra={"child": name})
            self._eyes.kill(name)
        if await self._eyes.answers():
            self._notifier.alive()
        else:
            _log.warning("a query of our own was not answered in time")

    def hanging(self) -> list[str]:
        """Workers that run for a while and have not written their counters since."""
        now_s = self._eyes.clock()
        found = []
        for state in self._eyes.workers():
            if not state.pid or now_s - state.started_s < HANGS_AFTER_S:
                continue
            if now_s - max(self._eyes.written_s(state.name), state.started_s) > HANGS_AFTER_S:
                found.append(state.name)
        return found
