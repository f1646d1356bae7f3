"""The door to a group of upstream servers: one exchange for all who ask the same, no second try of what just failed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from dnswire.answer import Answer
from resolver.coalesce import Coalescer, Flight
from resolver.settings import ServerGroup
from resolver.upstream.dispatch import Dispatcher
from resolver.upstream.exchange import Done
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.upstream.jostle import Load, no_load
from resolver.upstream.limits import GroupSettings
from resolver.upstream.message import question
from resolver.upstream.recent import RecentFailures
from resolver.upstream.server import ServerAddress
from resolver.upstream.tls import Identity
from resolver.upstream.trust import identities

_DO_CD: Final = (b"\x00", b"\x01", b"\x02", b"\x03")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An answer, and the number (from 1, as configured) of the server that gave it."""

    answer: Answer
    upstream: int


class UpstreamGroup:
    """A group of servers. To be made and used within one event loop.

    ``strategy``: one of ``order.STRATEGIES``. ``clock``: seconds, monotonic. ``random_bytes``: the source of all that
    must be unpredictable. ``before``: servers of other groups, whose numbers come before these. ``identities``: of
    encrypted servers, None for plain ones. ``load``: ``jostle.py``. Raises ``ValueError`` for an address that is none.
    """

    def __init__(
        self,
        servers: Sequence[ServerAddress],
        settings: GroupSettings | None = None,
        strategy: str = "strict",
        loop: asyncio.AbstractEventLoop | None = None,
        clock: Callable[[], float] = time.monotonic,
        random_bytes: Callable[[int], bytes] = os.urandom,
        before: int = 0,
        identities: Sequence[Identity | None] = (),
        load: Load = no_load,
    ) -> None:
        settings = settings or GroupSettings()
        self._loop = loop or asyncio.get_running_loop()
        self._clock = clock
        self._coalescer = Coalescer(settings.max_waiting, self._callback_failed)
        self._recent = RecentFailures(settings.failure_s, settings.max_failure_s)
        self._dispatcher = Dispatcher(
            servers, settings, strategy, self._loop, clock, random_bytes, before, identities, self._recent.clear, load
        )

    @classmethod
    def from_settings(
        cls, group: ServerGroup, loop: asyncio.AbstractEventLoop, before: int, load: Load = no_load
    ) -> UpstreamGroup:
        """A group of a worker, behind ``before`` servers of other groups."""
        limits = GroupSettings(
            attempt_s=group.timeout_s,
            deadline_s=group.deadline_s,
            racers=group.racers,
            hedge_share=group.hedge_share,
        )
        return cls(group.servers, limits, group.strategy, loop, before=before, identities=identities(group), load=load)

    @property
    def outstanding(self) -> int:
        """Exchanges under way, probes included."""
        return self._dispatcher.outstanding

    def start(self, asked: bytes, do: bool, cd: bool, done: Done) -> bool:
        """Asks a question (wire form, its name in lower case). True: joined one under way.

        ``done`` is called exactly once; before this returns where nothing can be asked, or the same just failed
        (RFC 9520).
        """
        key = asked + _DO_CD[(1 if do else 0) | (2 if cd else 0)]
        failure = self._recent.get(key, self._clock()) if len(self._recent) else None
        if failure is not None:
            done(failure, 0)
            return False
        flight = self._coalescer.join(key, done)
        if flight is None:
            return True
        self._dispatcher.ask(asked, do, cd, partial(self._landed, key, flight))
        return False

    async def exchange(
        self, name: bytes, rrtype: int, rrclass: int, do: bool, cd: bool, deadline_s: float | None = None
    ) -> Exchanged:
        """``start`` for coroutines, waiting ``deadline_s`` from now at most. Raises ``UpstreamFailure``.

        Cancelling it leaves the exchange to those who wait beside it.
        """
        future: asyncio.Future[Exchanged] = self._loop.create_future()
        self.start(question(name, rrtype, rrclass), do, cd, partial(_settle, future))
        try:
            async with asyncio.timeout(deadline_s):
                return await future
        except TimeoutError:
            raise UpstreamFailure(Reason.TIMEOUT) from None

    def counters(self) -> list[dict[str, object]]:
        """One row for each server, in order; counters since the start."""
        return self._dispatcher.stats()

    def totals(self) -> dict[str, int]:
        """Counters of the group as a whole, since the start; ``outstanding`` as of now."""
        hedges = self._dispatcher.strategy.hedges
        return {
            "started": self._dispatcher.started,
            "failed": self._dispatcher.failed,
            "overloaded": self._dispatcher.overloaded + self._coalescer.refused,
            "evicted": self._dispatcher.evicted,
            "coalesced": self._coalescer.joined,
            "failures_remembered": self._recent.hits,
            "outstanding": self._dispatcher.outstanding,
            "hedges": hedges.asked if hedges is not None else 0,
            "hedges_won": hedges.won if hedges is not None else 0,
        }

    async def drain(self, patience_s: float) -> None:
        """Lets what is under way end, ``patience_s`` at most, then closes."""
        await self._dispatcher.wait_idle(patience_s)
        await self.close()

    async def close(self) -> None:
        """Ends every exchange with reason CLOSED and gives every socket back."""
        await self._dispatcher.close()

    def _landed(self, key: bytes, flight: Flight, result: Answer | UpstreamFailure, upstream: int) -> None:
        if isinstance(result, UpstreamFailure):
            self._recent.put(key, result, self._clock())
        elif len(self._recent):
            self._recent.discard(key)
        flight.landed(result, upstream)

    def _callback_failed(self, error: Exception) -> None:
        context = {"message": "a callback for an upstream's answer failed", "exception": error}
        self._loop.call_exception_handler(context)


def _settle(future: asyncio.Future[Exchanged], result: Answer | UpstreamFailure, upstream: int) -> None:
    if future.done():
        return
    if isinstance(result, UpstreamFailure):
        # A new one: raised twice, the shared one would collect the tracebacks of all who wait.
        future.set_exception(UpstreamFailure(result.reason))
    else:
        future.set_result(Exchanged(result, upstream))
