"""The scheduler: lists every night and on request, what time has ended, and publishing what an edit left unpublished.

The sync itself runs in a process of its own with a low priority: it may use a core and a gigabyte for a while, and must
neither slow DNS down nor take the scheduler with it when it dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from admin_api.expiry import note_what_has_passed
from saring.config_schema import Config
from saring.control import Control, open_control
from saring.list_health import watch
from saring.list_insight import insight_is_current
from saring.notify_listener import NotifyListener
from saring.one_shot import OneShotError, run_one_shot
from saring.orders import Orders
from saring.publisher import Publisher, PublishError, needs_compiling
from saring.schedule import next_run_s
from saring.state_dir import StateDir, write_json
from saring.status import newest_revision
from saring.stop_signals import stop_event
from saring.sync_request import ALL, take_requests
from saring.zone_watch import ZoneWatch

_log = logging.getLogger(__name__)

TICK_S = 0.5
REPAIR_AFTER_S = 1.0
REPAIR_BACKOFF_S = 10.0
RETRY_NEVER_FETCHED_S = 900.0
RETRY_LISTEN_S = 60.0
EXPIRY_EVERY_S = 5.0


def run_sync_process(orders: Orders) -> int:
    """Runs the scheduler until SIGTERM."""
    asyncio.run(_main(orders))
    return 0


async def _main(orders: Orders) -> None:
    config = Config.model_validate_json(orders.config)
    state = StateDir(Path(orders.state_dir))
    stop = stop_event()
    async with open_control(config, state) as control:

        async def run_sync(told: Orders) -> Mapping[str, object]:
            return await run_one_shot("sync-run", told, stop)

        await Scheduler(config, state, control, orders, stop, time.time, run_sync).run()


class Scheduler:
    """Looks at the clock, at requests and at the database twice a second."""

    def __init__(
        self,
        config: Config,
        state: StateDir,
        control: Control,
        orders: Orders,
        stop: asyncio.Event,
        clock: Callable[[], float],
        run_sync: Callable[[Orders], Awaitable[Mapping[str, object]]],
    ) -> None:
        self._config = config
        self._state = state
        self._control = control
        self._orders = dataclasses.replace(orders, parent_pid=os.getpid())
        self._stop = stop
        self._clock = clock
        self._run_sync = run_sync
        self._publisher = Publisher(state, control.sessions, clock)
        self._zones = ZoneWatch(control.library, config.lists, clock)
        self._listener = NotifyListener(config.lists.notify_listen, self._zones.notify)
        self._listen_not_before_s = 0.0
        self._nightly_s = next_run_s(clock(), config.lists.sync_at, config.lists.zone)
        self._retry_s = 0.0
        self._looked_at_revision = -1
        self._behind_since_s = 0.0
        self._repair_not_before_s = 0.0
        self._expiry_not_before_s = 0.0
        self._running: asyncio.Task[None] | None = None
        self._wanted: set[str] = set()
        self._to_compile = False
        self._told: dict[str, object] = {}

    async def run(self) -> None:
        """Until told to stop."""
        while not self._stop.is_set():
            try:
                await self.tick()
            except (SQLAlchemyError, OSError) as error:
                _log.error("the control database does not answer; it is tried again", extra={"error": _short(error)})
                await self._pause(REPAIR_BACKOFF_S)
            await self._pause(TICK_S)
        await self._listener.close()
        await self._zones.close()
        if self._running is not None:
            await self._running

    async def tick(self) -> None:
        """Looks once, and does what is due. Raises ``SQLAlchemyError`` while the database does not answer."""
        now_s = self._clock()
        self._wanted.update(take_requests(self._state))
        if now_s >= self._nightly_s:
            self._nightly_s = next_run_s(now_s, self._config.lists.sync_at, self._config.lists.zone)
            self._wanted.add(ALL)
        # The sync needs no database of ours to begin; what follows does, and may fail.
        self._begin_sync()
        await self._note_expiry(now_s)
        revision = await self._control.revision()
        await self._look_for_new_lists(revision, now_s)
        await self._look_after_zones(now_s)
        self._begin_sync()
        await self._repair(revision, now_s)
        self._tell(revision)

    def _begin_sync(self) -> None:
        if self._running is not None and self._running.done():
            self._running = None
        if self._running is not None or not (self._wanted or self._to_compile):
            return
        codes = None if ALL in self._wanted else sorted(self._wanted)
        self._wanted.clear()
        self._to_compile = False
        self._running = asyncio.create_task(self._sync(codes))

    async def _sync(self, codes: list[str] | None) -> None:
        """All lists (``None``), some, or none: then only what is in the library is compiled and published."""
        _log.info("sync begins", extra={"lists": "all" if codes is None else codes})
        orders = dataclasses.replace(self._orders, code=",".join(codes or ()), force_all=codes is None)
        try:
            result = await self._run_sync(orders)
        except OneShotError as error:
            _log.error("sync failed", extra={"error": str(error)})
            self._retry_s = self._clock() + RETRY_NEVER_FETCHED_S
            return
        _log.info("sync ended", extra=_counts(result))
        if result.get("never_fetched"):
            self._retry_s = self._clock() + RETRY_NEVER_FETCHED_S

    async def _note_expiry(self, now_s: float) -> None:
        """What has ended by itself gets its last entry in the journal, and leaves the policy."""
        if now_s < self._expiry_not_before_s:
            return
        self._expiry_not_before_s = now_s + EXPIRY_EVERY_S
        noted = await note_what_has_passed(self._control.sessions, now_s)
        if noted:
            _log.info("exceptions, requests or pauses have ended by themselves", extra={"number": noted})

    async def _look_for_new_lists(self, revision: int, now_s: float) -> None:
        """Lists that were never fetched are fetched now: after an edit, at the start, and again after a failure."""
        retry = 0 < self._retry_s <= now_s
        if revision == self._looked_at_revision and not retry:
            return
        self._looked_at_revision = revision
        self._retry_s = 0.0
        self._wanted.update(await self._control.never_fetched())
        # A list that was switched on again, or whose compilation was cut short, is in the library already.
        sources = await self._control.sources()
        await asyncio.to_thread(watch, self._state, sources)
        self._zones.lists_are(sources)
        self._to_compile = await asyncio.to_thread(
            needs_compiling, self._state.snapshots, sources, self._control.library
        ) or not await asyncio.to_thread(insight_is_current, sources, self._control.library)

    async def _look_after_zones(self, now_s: float) -> None:
        """Primaries are asked by their SOA's timers and when they send NOTIFY."""
        if self._listener.missing and now_s >= self._listen_not_before_s:
            self._listen_not_before_s = now_s + RETRY_LISTEN_S
            await self._listener.listen()
        self._zones.tick(now_s, syncing=self._running is not None)
        self._wanted.update(self._zones.take_wanted())

    async def _repair(self, revision: int, now_s: float) -> None:
        """Publishes what the one who edited could not: he was killed, or the disk was full."""
        if revision <= newest_revision(self._state.snapshots):
            self._behind_since_s = 0.0
            return
        self._behind_since_s = self._behind_since_s or now_s
        if now_s < max(self._behind_since_s + REPAIR_AFTER_S, self._repair_not_before_s):
            return
        try:
            outcome = await self._publisher.publish()
        except (PublishError, OSError) as error:
            self._repair_not_before_s = now_s + REPAIR_BACKOFF_S
            _log.error("edits cannot be published; the generation in force stays", extra={"error": str(error)})
            return
        _log.info("published what an edit had left", extra={"generation": outcome.generation, "revision": revision})

    def _tell(self, revision: int) -> None:
        told: dict[str, object] = {
            "database_revision": revision,
            "next_sync_s": self._nightly_s,
            "syncing": self._running is not None,
        }
        if told != self._told:
            write_json(self._state.run / "sync.json", told)
            self._told = told

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)


def _counts(result: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in result.items() if isinstance(value, int | str)}


def _short(error: Exception) -> str:
    # SQLAlchemy's texts carry the statement and a link over several lines.
    return (str(error).splitlines() or [""])[0][:300]
