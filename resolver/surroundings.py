"""What a worker knows of the network it stands in, beside the policy: routes, the guard of answers, records of our own.

It comes from the configuration and a hosts file, not from a snapshot. One object holds all of it, since a decision that
is remembered rests on it: another one begins with nothing remembered (``InForce.amid``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resolver.hosts_file import HostsFile
from resolver.local_records import LocalRecords
from resolver.proxy_protocol import NO_PROXIES, Proxies
from resolver.rebinding import UNGUARDED, Guard
from resolver.routing import ONE_GROUP, Routing
from resolver.settings import WorkerSettings

_log = logging.getLogger(__name__)

_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where questions go, which answers are kept back, what needs no upstream, and who speaks for others only."""

    routing: Routing
    guard: Guard
    records: LocalRecords
    proxies: Proxies = NO_PROXIES


NONE: Final = Surroundings(ONE_GROUP, UNGUARDED, LocalRecords())
"""One group for all, nothing guarded, no records."""


class SurroundingsKeeper:
    """Makes the surroundings from a worker's settings, and again whenever the hosts file changes.

    ``settle``: called in the event loop with each new one.
    """

    def __init__(self, settings: WorkerSettings, settle: Callable[[Surroundings], Awaitable[None]]) -> None:
        self._settle = settle
        self._records = settings.local_records
        self._routing = Routing(settings.upstreams, settings.routes)
        self._guard = Guard.from_settings(settings.rebinding)
        self._proxies = Proxies(settings.proxy_from)
        self._hosts = HostsFile(Path(settings.hosts_path), settings.hosts_ttl_s) if settings.hosts_path else None
        self.current = self._look()

    async def run(self) -> None:
        """Looks at the hosts file once a second, for ever."""
        hosts = self._hosts
        while hosts is not None:
            await asyncio.sleep(_LOOK_S)
            if hosts.changed():
                self.current = await asyncio.to_thread(self._look)
                await self._settle(self.current)

    def _look(self) -> Surroundings:
        records = LocalRecords(self._records)
        if self._hosts is not None:
            try:
                self._hosts.read()
            except (OSError, ValueError) as fault:
                _log.warning("the hosts file is not used as it is now", extra={"reason": str(fault)})
            for problem in self._hosts.fill(records):
                _log.warning("a line of the hosts file is left out", extra={"reason": problem})
        return Surroundings(self._routing, self._guard, records, self._proxies)
