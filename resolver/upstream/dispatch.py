"""Carries out what exchanges decide, on real sockets towards the servers of a group.

An exchange costs no task and no timer of its own; a callback brings its end.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Final

from dnswire.answer import Answer
from dnswire.constants import RRClass, RRType
from dnswire.name import ROOT
from resolver.upstream.carrier import Straggler
from resolver.upstream.connection import Connection
from resolver.upstream.exchange import FINISH, SEND, SEND_TCP, WAIT, Done, Exchange
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.upstream.inbox import Inbox
from resolver.upstream.jostle import Load, Places, no_load
from resolver.upstream.limits import GroupSettings
from resolver.upstream.message import (
    mixed_case,
    question,
)
from resolver.upstream.order import Strategy
from resolver.upstream.randomness import Draws
from resolver.upstream.server import Server, ServerAddress
from resolver.upstream.tls import Identity
from resolver.wheel import Timed, Wheel

_PROBE: Final = question(ROOT, RRType.NS, RRClass.IN)


def _nothing() -> None:
    pass


class Dispatcher:
    """The servers, their sockets, and the exchanges under way. To be made and used within one event loop.

    ``strategy``: one of ``order.STRATEGIES``. ``identities``: of encrypted servers, None for plain ones. ``clock``:
    seconds, monotonic; every ``now_s`` here is by it. ``random_bytes``: the source of IDs, ports, cookies and the case
    of names. ``before``: servers of other groups, whose numbers come before these. ``recovered``: called when a server
    that was down answers. ``load``: ``jostle.py``.
    """

    def __init__(
        self,
        servers: Sequence[ServerAddress],
        settings: GroupSettings,
        strategy: str,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float] = time.monotonic,
        random_bytes: Callable[[int], bytes] = os.urandom,
        before: int = 0,
        identities: Sequence[Identity | None] = (),
        recovered: Callable[[], None] = _nothing,
        load: Load = no_load,
    ) -> None:
        self.settings = settings
        self._max_outstanding = settings.max_outstanding
        self._clock = clock
        self._loop = loop
        self._draws = Draws(random_bytes)
        self._servers: list[Server] = []
        self.inbox = Inbox(self, self._servers)
        self._servers += [
            Server(self, self.inbox, loop, self._draws, index, before + index + 1, where, identity, settings)
            for index, (where, identity) in enumerate(zip(servers, identities or [None] * len(servers), strict=True))
        ]
        self.strategy = Strategy(strategy, [server.health for server in self._servers], settings)
        self._order = self.strategy.order
        self._wheel = Wheel(loop.call_later, clock, self.strategy.tick_s)
        self._recovered = recovered
        self._places = Places(self._expected_s, load)
        self._closed = False
        self._idle: asyncio.Future[None] | None = None
        self.started = 0
        self.overloaded = 0
        self.failed = 0

    @property
    def outstanding(self) -> int:
        """Exchanges under way."""
        return len(self._places)

    @property
    def evicted(self) -> int:
        """Exchanges that had to go for others, since the start."""
        return self._places.evicted

    def clock(self) -> float:
        """Seconds, monotonic."""
        return self._clock()

    def ask(self, asked: bytes, do: bool, cd: bool, done: Done) -> Exchange | None:
        """Puts the question ``asked`` (wire form). ``done`` is called once, unless the exchange is cancelled before.

        Where nothing can be asked (overload, stopping) ``done`` is called before this returns, and None is returned.
        """
        now_s = self._clock()
        full = len(self._places) >= self._max_outstanding and not self._makes_room(now_s)
        if self._closed or full or not self._servers:
            self._refuse(done)
            return None
        self.started += 1
        plan = self._order.plan(now_s)
        exchange = self._new(asked, do, cd, plan, self.settings.deadline_s, now_s, done)
        action = exchange.next_attempt(now_s)
        first = self._servers[plan[0]]
        if not first.sealed:
            exchange.resend_s = self.strategy.resend_s(exchange, now_s)
        self.perform(exchange, action, now_s)
        if self.strategy.together:
            self._widen(exchange, now_s)
        return exchange

    def cancel(self, exchange: Exchange) -> None:
        """Forgets an exchange; its ``done`` is not called. Does nothing where it has ended."""
        if not exchange.ended:
            self._release(exchange)

    async def wait_idle(self, patience_s: float) -> None:
        """Until no exchange is under way, ``patience_s`` at most."""
        self._idle = self._loop.create_future()
        if self._places:
            await asyncio.wait((self._idle,), timeout=patience_s)
        self._idle = None

    async def close(self) -> None:
        """Ends every exchange as CLOSED and gives every socket back."""
        self._closed = True
        for exchange in self._places.all():
            exchange.reason = Reason.CLOSED
            exchange.answer = None
            self._finish(exchange)
        self._wheel.close()
        for connection in [connection for server in self._servers for connection in server.close()]:
            await connection.wait_closed()

    def stats(self) -> list[dict[str, object]]:
        """One row for each server, in order."""
        now_s = self._clock()
        return [server.stats(now_s) for server in self._servers]

    # What deadlines bring.

    def attempt_expired(self, exchange: Exchange, now_s: float) -> None:
        """A second server or a second datagram is due, or the time of an attempt or of the whole is over."""
        if (exchange.hedge_s or exchange.resend_s) and now_s < min(exchange.until_s, exchange.deadline_s):
            self.perform(exchange, self._hurry(exchange, now_s), now_s)
            return
        for attempt in exchange.overdue(now_s):
            carrier = attempt.carrier
            self.blame(self._servers[carrier.server], attempt.sent_s, now_s)
            if isinstance(carrier, Connection) and not carrier.closed and carrier.silent_since(attempt.sent_s):
                # No reason to wait for others' deadlines one by one: the connection is dead. This one goes on first,
                # so that it is not asked again over the same connection.
                carrier.forget(attempt.message_id, exchange)
                exchange.abandon(carrier)
                carrier.close()
                self.inbox.lost(carrier, Reason.TIMEOUT)
        self.perform(exchange, exchange.attempt_timed_out(now_s), now_s)

    def straggler_expired(self, straggler: Straggler, now_s: float) -> None:
        """Nobody waits for it; but the server has not answered."""
        carrier = straggler.carrier
        carrier.forget(straggler.message_id, straggler)
        self.blame(self._servers[carrier.server], straggler.sent_s, now_s)

    def probe(self, index: int, now_s: float) -> None:
        """Asks a server that is down whether it is back, with a question of our own: no client waits for it."""
        if self._closed:
            return
        plan = (index,)
        deadline_s = self.settings.attempt_s
        exchange = self._new(_PROBE, False, False, plan, deadline_s, now_s, _ProbeEnd(self, index))
        self.perform(exchange, exchange.next_attempt(now_s), now_s)

    def probe_ended(self, index: int) -> None:
        """The probe has moved the server's health; plan the next one if it is still down."""
        server = self._servers[index]
        if server.health.down and not self._closed:
            now_s = self._clock()
            soonest_s = now_s + self.settings.first_backoff_s
            self._wheel.add(server, max(server.health.retry_s, soonest_s))

    # How it is carried out.

    def _refuse(self, done: Done) -> None:
        if self._closed:
            reason = Reason.CLOSED
        elif not self._servers:
            reason = Reason.NO_UPSTREAM
        else:
            self.overloaded += 1
            reason = Reason.OVERLOADED
        done(UpstreamFailure(reason), 0)

    def _makes_room(self, now_s: float) -> bool:
        evicted = self._places.evict(now_s)
        if evicted is not None:
            evicted.reason = Reason.EVICTED
            self._finish(evicted)
        return len(self._places) < self._max_outstanding

    def _expected_s(self, exchange: Exchange) -> float:
        if isinstance(exchange.done, _ProbeEnd):  # that a server is back is worth more than any place
            return math.inf
        p95_s = self._servers[exchange.plan[0]].health.latency.p95_s
        # Not more than half an attempt: slow zones of an attacker must not buy his floods more time.
        return min(max(p95_s, self.settings.jostle_s), self.settings.attempt_s / 2)

    def _new(
        self, asked: bytes, do: bool, cd: bool, plan: tuple[int, ...], span_s: float, now_s: float, done: Done
    ) -> Exchange:
        cased = mixed_case(asked, self._draws.octets((len(asked) + 7) >> 3))
        exchange = Exchange(self, asked, cased, do, cd, plan, self.settings.attempt_s, now_s + span_s, done)
        self._places.take(exchange, now_s)
        return exchange

    def _widen(self, exchange: Exchange, now_s: float) -> None:
        """Asks further servers beside the first, now (a race) or when the first is late."""
        while self.strategy.wants_another(exchange):
            self.perform(exchange, exchange.overlap(now_s), now_s)
        exchange.hedge_s = self.strategy.hedge_s(exchange, now_s)
        if exchange.hedge_s:
            self._wheel.add(exchange, exchange.next_event_s())

    def _hurry(self, exchange: Exchange, now_s: float) -> int:
        """The first server is late, though it has time still."""
        if exchange.hedge_s and now_s >= exchange.hedge_s:
            exchange.hedge_s = 0.0
            if self.strategy.hedges_now():
                return exchange.overlap(now_s)
        if exchange.resend_s and now_s >= exchange.resend_s:
            return exchange.resend(now_s)
        return exchange.keep_waiting(now_s)

    def perform(self, exchange: Exchange, action: int, now_s: float) -> None:
        """Does what ``exchange`` has decided, and what it decides on that.

        Nothing where it has ended: a lost socket tells many at once, and who of them asks anew from within its ``done``
        may have evicted this one meanwhile.
        """
        while not exchange.ended:
            if action == SEND and not self._servers[exchange.server].sealed:
                action = self._send_udp(exchange, now_s)
            elif action in (SEND, SEND_TCP):
                action = self._send_stream(exchange, now_s)
            elif action == FINISH:
                self._finish(exchange)
                return
            else:
                self._wheel.add(exchange, exchange.next_event_s())
                return

    def _send_udp(self, exchange: Exchange, now_s: float) -> int:
        server = self._servers[exchange.server]
        try:
            server.send_udp(exchange, now_s)
        except OSError:
            return exchange.attempt_failed(Reason.NETWORK, now_s)
        return WAIT

    def _send_stream(self, exchange: Exchange, now_s: float) -> int:
        if self._servers[exchange.server].send_stream(exchange, now_s):
            return WAIT
        return exchange.attempt_failed(Reason.OVERLOADED, now_s)

    def blame(self, server: Server, sent_s: float, now_s: float) -> None:
        """The server has not answered what was sent at ``sent_s``."""
        server.failures += 1
        if server.health.failed(sent_s, now_s, self.settings.attempt_s):
            self._order.changed()
            self._wheel.add(server, server.health.retry_s)

    def came_back(self, server: Server) -> None:
        """The server was down and has answered."""
        self._wheel.discard(server)
        self._order.changed()
        self._recovered()

    def unschedule(self, item: Timed) -> None:
        """Clears a deadline."""
        self._wheel.discard(item)

    def _release(self, exchange: Exchange) -> None:
        exchange.ended = True
        self._places.leave(exchange)
        if self._idle is not None and not self._places and not self._idle.done():
            self._idle.set_result(None)
        self._wheel.discard(exchange)
        if exchange.carrier is None and not exchange.others:
            return
        for attempt in exchange.open_attempts():
            carrier = attempt.carrier
            if exchange.overlaps and not attempt.blamed and not self._closed:
                straggler = Straggler(self, carrier, attempt.message_id, attempt.sent_s, exchange.question)
                carrier.hand_over(attempt.message_id, straggler)
                self._wheel.add(straggler, attempt.until_s)
            else:
                carrier.forget(attempt.message_id, exchange)
        exchange.carrier = None
        exchange.others = None

    def _finish(self, exchange: Exchange) -> None:
        if exchange.ended:
            return
        self._release(exchange)
        try:
            if exchange.answer is not None:
                self.strategy.answered(exchange)
                server = self._servers[exchange.answered_by]
                exchange.done(exchange.answer, server.number)
            else:
                self.failed += 1
                exchange.done(UpstreamFailure(exchange.reason), 0)
        except Exception as error:
            # Others wait behind this one in the same wake-up; a fault of one caller must not cost them their answers.
            context = {"message": "a callback for an upstream's answer failed", "exception": error}
            self._loop.call_exception_handler(context)


class _ProbeEnd:
    """What a probe calls when it ends."""

    __slots__ = ("_dispatcher", "_index")

    def __init__(self, dispatcher: Dispatcher, index: int) -> None:
        self._dispatcher = dispatcher
        self._index = index

    def __call__(self, result: Answer | UpstreamFailure, upstream: int) -> None:
        self._dispatcher.probe_ended(self._index)
