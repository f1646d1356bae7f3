"""The zones among the lists: each primary asked when its SOA's timers say so, or when it sends NOTIFY."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from typing import Final

from admin_api.to_policy import SourceRow
from blocklists.addresses import Resolve, system_resolve
from blocklists.library import Library
from blocklists.source import Source
from blocklists.transfer.failure import TransferError
from blocklists.transfer.key_source import key_of
from blocklists.transfer.notify import Notifications, Notified
from blocklists.transfer.primary import is_zone, parse_primary
from blocklists.transfer.probe import Ask, ask_primary, note_answer, note_failure
from blocklists.transfer.schedule import due_s
from blocklists.transfer.zone_sync import checked_addresses
from saring.config_schema import ListsSection
from saring.list_sync import source_of

_log = logging.getLogger(__name__)

MIN_GAP_S: Final = 2.0
"""Between two questions to one primary, however often it notifies (RFC 1996 lets a secondary delay its query)."""


class ZoneWatch:
    """Asks primaries for their SOA, a question at a time each; says which lists are to be synced."""

    def __init__(
        self,
        library: Library,
        config: ListsSection,
        clock: Callable[[], float],
        ask: Ask = ask_primary,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._library = library
        self._config = config
        self._clock = clock
        self._ask = ask
        self._resolve = resolve
        self._networks = tuple(ip_network(text) for text in config.notify_allow_from)
        self._sources: dict[str, Source] = {}
        self._addresses: dict[str, frozenset[str]] = {}
        self._asked_s: dict[str, float] = {}
        self._notified: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wanted: set[str] = set()
        self._not_before_s = 0.0
        self._notifications = Notifications({})

    def lists_are(self, rows: Sequence[SourceRow]) -> None:
        """Takes the lists as they are now; those that are no zones, or disabled, are left alone."""
        before = self._sources
        self._sources = {
            row.code: source_of(row, self._config.allow_private)
            for row in rows
            if row.enabled and is_zone(row.location)
        }
        for code, source in self._sources.items():
            # A name's addresses are known once the primary was asked for the first time.
            if code not in before or before[code].location != source.location:
                self._addresses[code] = _numeric(parse_primary(source.location).host)
                self._asked_s.pop(code, None)
        self._renew_notifications()

    def notify(self, message: bytes, address: str) -> bytes | None:
        """The response to a NOTIFY; the primary is asked at the next ``tick``."""
        reply = self._notifications.answer(message, address, self._clock())
        if reply.code:
            self._notified.add(reply.code)
            _log.info("notified of a zone", extra={"list": reply.code, "source": address})
        elif reply.why:
            _log.warning("a NOTIFY was not accepted", extra={"source": address, "reason": reply.why})
        return reply.response

    def tick(self, now_s: float, syncing: bool) -> None:
        """Begins to ask the primaries that are due. ``syncing``: a sync runs, after whose end there is time to ask."""
        for code in [code for code, task in self._tasks.items() if task.done()]:
            self._tasks.pop(code).result()
        if syncing:
            return
        for code, source in self._sources.items():
            if code not in self._tasks and self._is_due(code, now_s):
                self._notified.discard(code)
                self._asked_s[code] = now_s
                self._tasks[code] = asyncio.create_task(self._visit(source))

    def take_wanted(self) -> set[str]:
        """Lists to be synced, found since the last call. After some were taken, all wait for a while: each sync ends in
        compiling all lists anew, and zones that change every second must not keep a core busy with that.
        """
        now_s = self._clock()
        if not self._wanted or now_s < self._not_before_s:
            return set()
        wanted = self._wanted & self._sources.keys()  # one may have been deleted while it waited
        self._wanted.clear()
        self._not_before_s = now_s + self._config.zone_gap_s
        return wanted

    async def close(self) -> None:
        """Stops asking."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    def _is_due(self, code: str, now_s: float) -> bool:
        if now_s < self._asked_s.get(code, 0.0) + MIN_GAP_S:
            return False
        state = self._library.state(code)
        if code in self._notified:
            return True
        # Lists never fetched are the scheduler's, which tries them by a rhythm of its own. The others are asked at the
        # start, too: NOTIFYs may have been missed.
        return state.zone is not None and (code not in self._asked_s or now_s >= due_s(state))

    async def _visit(self, source: Source) -> None:
        code = source.code
        state = await asyncio.to_thread(self._library.state, code)
        try:
            addresses = await checked_addresses(source, self._resolve)
            if self._addresses.get(code) != frozenset(addresses):
                self._addresses[code] = frozenset(addresses)
                self._renew_notifications()
            soa = await self._ask(source, addresses)
            found = await asyncio.to_thread(note_answer, source, self._library, state, soa, self._clock())
        except TransferError as error:
            found = await asyncio.to_thread(note_failure, source, self._library, state, error, self._clock())
        except Exception:
            # One zone's trouble, or a library that cannot be written, must not end the watch over the others.
            _log.exception("a zone could not be looked after", extra={"list": code})
            return
        if found.news:
            self._wanted.add(code)
        elif found.sentence:
            _log.warning(
                "a primary could not be asked; the last good version is served",
                extra={"list": code, "detail": found.sentence},
            )

    def _renew_notifications(self) -> None:
        zones: dict[bytes, Notified] = {}
        for source in self._sources.values():
            try:
                key = key_of(source)
            except TransferError:
                key = None  # told when the primary is asked; its address may do meanwhile
            zone = parse_primary(source.location).zone
            zones[zone] = Notified(source.code, self._addresses[source.code], key)
        self._notifications = Notifications(zones, self._networks)


def _numeric(host: str) -> frozenset[str]:
    try:
        return frozenset({str(ip_address(host))})
    except ValueError:
        return frozenset()
