"""Carries out what exchanges decide, on real sockets towards the servers of a group.

An exchange costs no task and no timer of its own; a callback brings its end.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Final

from dnswire.answer import Answer, parse_answer
from dnswire.constants import FLAG_TC, RRClass, RRType
from dnswire.errors import WireError
from dnswire.name import ROOT
from resolver.upstream.carrier import Carrier
from resolver.upstream.exchange import FINISH, SEND_TCP, SEND_UDP, WAIT, Done, Exchange
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.upstream.health import Health
from resolver.upstream.message import (
    ACCEPT,
    MALFORMED,
    NEAR_MISS,
    NEAR_MISS_NAMES,
    NO_EDNS,
    TRUNCATED,
    build_query,
    judge,
    question,
)
from resolver.upstream.order import FastestFirst, Order, StrictOrder
from resolver.upstream.ports import Port, PortPool
from resolver.upstream.randomness import Draws
from resolver.upstream.server import GroupSettings, Server, ServerAddress, literal
from resolver.upstream.stream import Stream
from resolver.wheel import Wheel

_PROBE: Final = question(ROOT, RRType.NS, RRClass.IN)
_SEND_FULL: Final = (BlockingIOError, InterruptedError)


class Dispatcher:
    """The servers, their sockets, and the exchanges under way. To be made and used within one event loop.

    ``strategy``: "strict" asks in the order given, "fastest" by measured round-trip time. ``clock``: seconds,
    monotonic; every ``now_s`` here is by it. ``random_bytes``: the source of IDs and ports.
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
    ) -> None:
        self.settings = settings
        self._before = before
        self._clock = clock
        self._loop = loop
        self._draws = Draws(random_bytes)
        self._wheel = Wheel(self._loop.call_later, clock)
        self._servers = [self._server(index, server) for index, server in enumerate(servers)]
        health = [server.health for server in self._servers]
        if strategy not in ("strict", "fastest"):
            raise ValueError(f"unknown upstream strategy {strategy!r}; there are 'strict' and 'fastest'")
        self._order: Order = StrictOrder(health) if strategy == "strict" else FastestFirst(health)
        self._outstanding: set[Exchange] = set()
        self._old_streams: set[Stream] = set()
        self._closed = False
        self._idle: asyncio.Future[None] | None = None
        self.started = 0
        self.overloaded = 0
        self.failed = 0

    @property
    def outstanding(self) -> int:
        """Exchanges under way."""
        return len(self._outstanding)

    def clock(self) -> float:
        """Seconds, monotonic."""
        return self._clock()

    def ask(self, asked: bytes, do: bool, cd: bool, done: Done) -> Exchange | None:
        """Puts the question ``asked`` (wire form). ``done`` is called once, unless the exchange is cancelled before.

        Where nothing can be asked (overload, stopping) ``done`` is called before this returns, and None is returned.
        """
        if self._closed or len(self._outstanding) >= self.settings.max_outstanding or not self._servers:
            self._refuse(done)
            return None
        self.started += 1
        now_s = self._clock()
        return self._begin(asked, do, cd, self._order.plan(now_s), self.settings.deadline_s, now_s, done)

    def cancel(self, exchange: Exchange) -> None:
        """Forgets an exchange; its ``done`` is not called. Does nothing where it has ended."""
        if not exchange.ended:
            self._release(exchange)

    async def wait_idle(self, patience_s: float) -> None:
        """Until no exchange is under way, ``patience_s`` at most."""
        self._idle = self._loop.create_future()
        if self._outstanding:
            await asyncio.wait((self._idle,), timeout=patience_s)
        self._idle = None

    async def close(self) -> None:
        """Ends every exchange as CLOSED and gives every socket back."""
        self._closed = True
        for exchange in list(self._outstanding):
            exchange.reason = Reason.CLOSED
            exchange.answer = None
            self._finish(exchange)
        self._wheel.close()
        streams = list(self._old_streams)
        for server in self._servers:
            server.ports.close()
            if server.stream is not None:
                streams.append(server.stream)
        for stream in streams:
            stream.close()
            await stream.wait_closed()

    def stats(self) -> list[dict[str, object]]:
        """One row for each server, in order."""
        return [server.stats() for server in self._servers]

    # What carriers and deadlines report.

    def replied(self, carrier: Carrier, message_id: int, message: bytes) -> None:
        """A message with an ID that is waited for, from the server's address."""
        exchange = carrier.table[message_id]
        if exchange is None:
            return
        now_s = self._clock()
        server = self._servers[carrier.server]
        by_tcp = not isinstance(carrier, Port)
        verdict = judge(message, exchange.question)
        if verdict == TRUNCATED and by_tcp:
            # Nothing is larger than TCP can carry, so TC is noise here; what came is judged as it is.
            message = message[:2] + bytes((message[2] & ~(FLAG_TC >> 8),)) + message[3:]
            verdict = ACCEPT
        answer: Answer | None = None
        if verdict == ACCEPT:
            try:
                answer = parse_answer(message)
            except WireError:
                verdict = MALFORMED
        if verdict >= NEAR_MISS:
            self._wrong_reply(carrier, message_id, exchange, verdict, now_s)
            return
        self._heard(server, exchange, carrier, message_id, now_s)
        carrier.forget(message_id, exchange)
        if answer is not None:
            action = exchange.accepted(answer, server.index, now_s)
        elif verdict == TRUNCATED:
            server.truncated += 1
            action = exchange.by_tcp(server.index, now_s)
        else:
            assert verdict == NO_EDNS
            server.health.refuse_edns(now_s + self.settings.plain_s)
            action = exchange.without_edns(server.index, now_s)
        self._perform(exchange, action, now_s)

    def near_miss(self, carrier: Carrier, verdict: int) -> None:
        """A message with an ID nobody waits for: somebody may be guessing.

        All that waits on this port goes by TCP, where there is nothing to guess, and the port is not used again: an
        attacker who has found the port has one try at the ID (RFC 5452 9.3 asks to treat it as an attempt to spoof).
        """
        self._count(carrier, verdict)
        if not isinstance(carrier, Port):
            return
        now_s = self._clock()
        waiting = carrier.take_waiting()
        carrier.retire()
        for exchange in waiting:
            self._distrust(exchange, carrier, now_s)

    def lost(self, carrier: Carrier) -> None:
        """A socket or connection failed: refused (ICMP), unreachable, closed, reset."""
        now_s = self._clock()
        waiting = carrier.take_waiting()
        carrier.retire()
        opened = isinstance(carrier, Stream) and carrier.opened
        for exchange in waiting:
            if exchange.ended or exchange.carrier is not carrier:
                continue  # an attempt given up long ago; the one under way goes on
            exchange.carrier = None
            if isinstance(carrier, Port):
                self._blame(exchange, now_s)
                action = exchange.attempt_failed(Reason.NETWORK, now_s)
            else:
                if not opened:
                    self._blame(exchange, now_s)
                action = exchange.connection_lost(opened, now_s)
            self._perform(exchange, action, now_s)

    def attempt_expired(self, exchange: Exchange, now_s: float) -> None:
        """The deadline of the current attempt, or of the whole exchange, has passed."""
        carrier = exchange.carrier
        if carrier is not None:
            # An attempt cut short by the deadline of the whole says nothing about the server.
            if now_s - exchange.sent_s >= exchange.attempt_s:
                self._blame(exchange, now_s)
            if isinstance(carrier, Stream) and carrier.silent_since(exchange.sent_s):
                # No reason to wait for others' deadlines one by one: the connection is dead. This one goes on first,
                # so that it is not asked again over the same connection.
                carrier.forget(exchange.message_id, exchange)
                exchange.carrier = None
                carrier.close()
                self.lost(carrier)
        self._perform(exchange, exchange.attempt_timed_out(now_s), now_s)

    def probe(self, index: int, now_s: float) -> None:
        """Asks a server that is down whether it is back, with a question of our own: no client waits for it."""
        if self._closed:
            return
        plan = (index,)
        deadline_s = self.settings.attempt_s
        self._begin(_PROBE, False, False, plan, deadline_s, now_s, _ProbeEnd(self, index))

    def probe_ended(self, index: int) -> None:
        """The probe has moved the server's health; plan the next one if it is still down."""
        server = self._servers[index]
        if server.health.down and not self._closed:
            now_s = self._clock()
            soonest_s = now_s + self.settings.first_backoff_s
            self._wheel.add(server, max(server.health.retry_s, soonest_s))

    # How it is carried out.

    def _server(self, index: int, configured: ServerAddress) -> Server:
        s = self.settings
        address = literal(configured)
        health = Health(s.failures_to_down, s.first_backoff_s, s.max_backoff_s)
        pool = PortPool(self._loop, self, address, index, s.port_pool_size, s.port_max_uses, s.port_max_age_s)
        return Server(self, index, self._before + index + 1, address, health, pool)

    def _refuse(self, done: Done) -> None:
        if self._closed:
            reason = Reason.CLOSED
        elif not self._servers:
            reason = Reason.NO_UPSTREAM
        else:
            self.overloaded += 1
            reason = Reason.OVERLOADED
        done(UpstreamFailure(reason), 0)

    def _begin(
        self, asked: bytes, do: bool, cd: bool, plan: tuple[int, ...], span_s: float, now_s: float, done: Done
    ) -> Exchange:
        exchange = Exchange(self, asked, do, cd, plan, self.settings.attempt_s, now_s + span_s, done)
        self._outstanding.add(exchange)
        self._perform(exchange, exchange.next_attempt(now_s), now_s)
        return exchange

    def _perform(self, exchange: Exchange, action: int, now_s: float) -> None:
        while True:
            if action == SEND_UDP:
                action = self._send_udp(exchange, now_s)
            elif action == SEND_TCP:
                action = self._send_tcp(exchange, now_s)
            elif action == FINISH:
                self._finish(exchange)
                return
            else:
                self._wheel.add(exchange, exchange.due_s)
                return

    def _send_udp(self, exchange: Exchange, now_s: float) -> int:
        server = self._servers[exchange.server]
        server.sent += 1
        bits = self._draws.bits32()
        try:
            port = server.ports.take(bits >> 16, now_s)
        except OSError:
            return exchange.attempt_failed(Reason.NETWORK, now_s)
        message_id = self._unused_id(port, bits & 0xFFFF)
        edns = self._edns(exchange, server, now_s)
        query = build_query(message_id, exchange.question, exchange.do, exchange.cd, edns)
        try:
            port.sock.send(query)
        except _SEND_FULL:
            pass  # as good as lost on the way: the deadline sees to it
        except OSError:
            # Either this query cannot leave, or the kernel hands us the ICMP error of an earlier one.
            self.lost(port)
            self._blame(exchange, now_s)
            return exchange.attempt_failed(Reason.NETWORK, now_s)
        port.expect(message_id, exchange)
        return WAIT

    def _send_tcp(self, exchange: Exchange, now_s: float) -> int:
        server = self._servers[exchange.server]
        server.sent_tcp += 1
        stream = server.stream
        if stream is None or not stream.usable:
            if stream is not None and not stream.closed:
                if stream.pending >= stream.max_pending:
                    return exchange.attempt_failed(Reason.OVERLOADED, now_s)
                self._old_streams = {old for old in self._old_streams if not old.closed}
                self._old_streams.add(stream)
            s = self.settings
            stream = Stream(self._loop, self, server.address, server.index, s.tcp_idle_s, s.tcp_max_pending)
            server.stream = stream
        message_id = self._unused_id(stream, self._draws.bits32() & 0xFFFF)
        edns = self._edns(exchange, server, now_s)
        stream.send(message_id, build_query(message_id, exchange.question, exchange.do, exchange.cd, edns), exchange)
        return WAIT

    def _unused_id(self, carrier: Carrier, message_id: int) -> int:
        while message_id in carrier.table:
            message_id = self._draws.bits32() & 0xFFFF
        return message_id

    def _edns(self, exchange: Exchange, server: Server, now_s: float) -> bool:
        if exchange.plain >> server.index & 1:
            return False
        if now_s >= server.health.plain_until_s:
            return True
        exchange.plain |= 1 << server.index
        return False

    def _heard(self, server: Server, exchange: Exchange, carrier: Carrier, message_id: int, now_s: float) -> None:
        server.answers += 1
        if exchange.carrier is carrier and exchange.message_id == message_id and not exchange.tcp:
            server.health.measured(now_s - exchange.sent_s)
        if server.health.answered(now_s):
            self._wheel.discard(server)
            self._order.changed()

    def _blame(self, exchange: Exchange, now_s: float) -> None:
        server = self._servers[exchange.server]
        server.failures += 1
        if server.health.failed(exchange.sent_s, now_s, self.settings.attempt_s):
            self._order.changed()
            self._wheel.add(server, server.health.retry_s)

    def _count(self, carrier: Carrier, verdict: int) -> None:
        counts = self._servers[carrier.server].near_misses
        kind = NEAR_MISS_NAMES[verdict]
        counts[kind] = counts.get(kind, 0) + 1

    def _wrong_reply(self, carrier: Carrier, message_id: int, exchange: Exchange, verdict: int, now_s: float) -> None:
        self._count(carrier, verdict)
        carrier.forget(message_id, exchange)
        if isinstance(carrier, Port):
            # The right ID with a wrong rest may be a guess that was nearly right: the port is known to somebody.
            self._distrust(exchange, carrier, now_s)
            carrier.retire()
        elif exchange.carrier is carrier:
            exchange.carrier = None
            self._blame(exchange, now_s)
            self._perform(exchange, exchange.attempt_failed(Reason.MALFORMED, now_s), now_s)

    def _distrust(self, exchange: Exchange, carrier: Carrier, now_s: float) -> None:
        """UDP has become doubtful for this exchange: the same server by TCP, if it is the one being asked."""
        if not exchange.ended and exchange.carrier is carrier:
            exchange.carrier = None
            self._perform(exchange, exchange.by_tcp(carrier.server, now_s), now_s)

    def _release(self, exchange: Exchange) -> None:
        exchange.ended = True
        self._outstanding.discard(exchange)
        if self._idle is not None and not self._outstanding and not self._idle.done():
            self._idle.set_result(None)
        self._wheel.discard(exchange)
        if exchange.carrier is not None:
            exchange.carrier.forget(exchange.message_id, exchange)
            exchange.carrier = None
        if exchange.older is not None:
            for carrier, message_id in exchange.older:
                carrier.forget(message_id, exchange)
            exchange.older = None

    def _finish(self, exchange: Exchange) -> None:
        self._release(exchange)
        try:
            if exchange.answer is not None:
                exchange.done(exchange.answer, self._servers[exchange.answered_by].number)
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
