"""What comes back from servers: each reply, near miss and lost socket brought to the exchange that waits for it."""

from __future__ import annotations

from typing import Protocol

from resolver.upstream import reply
from resolver.upstream.carrier import Carrier, Delivery, Straggler
from resolver.upstream.connection import Connection
from resolver.upstream.exchange import Attempt, Exchange
from resolver.upstream.failure import Reason
from resolver.upstream.message import (
    BAD_COOKIE,
    NEAR_MISS,
    NEAR_MISS_NAMES,
    NO_EDNS,
    TRUNCATED,
    WRONG_ID,
    WRONG_PORT,
    judge,
)
from resolver.upstream.ports import Port
from resolver.upstream.server import Server
from resolver.wheel import Timed


class Desk(Protocol):
    """Who carries out what follows: the dispatcher."""

    def clock(self) -> float:
        """Seconds, monotonic."""

    def perform(self, exchange: Exchange, action: int, now_s: float) -> None:
        """Does what ``exchange`` has decided."""

    def blame(self, server: Server, sent_s: float, now_s: float) -> None:
        """The server has not answered what was sent at ``sent_s``."""

    def came_back(self, server: Server) -> None:
        """The server was down and has answered."""

    def unschedule(self, item: Timed) -> None:
        """Clears a deadline."""


class Inbox:
    """Hears what sockets and connections tell (``carrier.Events``). ``servers``: filled as they are made."""

    __slots__ = ("_desk", "_servers")

    def __init__(self, desk: Desk, servers: list[Server]) -> None:
        self._desk = desk
        self._servers = servers

    def clock(self) -> float:
        """Seconds, monotonic."""
        return self._desk.clock()

    def replied(self, carrier: Carrier, message_id: int, message: bytes) -> None:
        """A datagram with an ID that is waited for, from the server's address."""
        waiter = carrier.table[message_id]
        now_s = self._desk.clock()
        server = self._servers[carrier.server]
        if isinstance(waiter, Exchange):
            exchange = waiter
            plain = bool(exchange.plain >> server.index & 1)
            heard = reply.by_udp(message, exchange.question, exchange.cased, not plain, server.dialect, now_s)
            if heard.verdict < NEAR_MISS:
                self._judged(carrier, message_id, exchange, heard, now_s)
                return
            self._count(carrier, heard.verdict)
            carrier.forget(message_id, exchange)
            # The right ID with a wrong rest may be a guess that was nearly right: the port is known to somebody.
            self._distrust(exchange, carrier, message_id, now_s)
            carrier.retire()
        elif waiter is not None:
            self._straggled(waiter, judge(message, waiter.cased, True), now_s)

    def delivered(self, carrier: Carrier, delivery: Delivery) -> None:
        """A reply by a connection, to a query that is waited for."""
        waiter = carrier.table[delivery.key]
        now_s = self._desk.clock()
        server = self._servers[carrier.server]
        message = delivery.message
        if isinstance(waiter, Straggler):
            self._straggled(waiter, NEAR_MISS if message is None else judge(message, waiter.cased, True), now_s)
        elif waiter is not None and message is None:
            self._failed(carrier, delivery.key, waiter, now_s)
        elif waiter is not None and message is not None:
            if server.sealed:
                heard = reply.sealed(message, waiter.question, delivery.age_s)
            else:
                plain = bool(waiter.plain >> server.index & 1)
                heard = reply.by_tcp(message, waiter.question, waiter.cased, not plain, server.dialect, now_s)
            if heard.keep_s >= 0 and isinstance(carrier, Connection):
                carrier.keep_for(heard.keep_s)
            if heard.verdict < NEAR_MISS:
                self._judged(carrier, delivery.key, waiter, heard, now_s)
                return
            self._count(carrier, heard.verdict)
            self._failed(carrier, delivery.key, waiter, now_s)

    def near_miss(self, carrier: Carrier, verdict: int, message_id: int) -> None:
        """A message with an ID nobody waits for here: somebody may be guessing.

        All that waits on this port goes by TCP, where there is nothing to guess, and the port is not used again: an
        attacker who has found the port has one try at the ID (RFC 5452 9.3 asks to treat it as an attempt to spoof).
        Who waits for that ID on another port goes by TCP too: the ID is known to somebody.
        """
        if not isinstance(carrier, Port):
            self._count(carrier, verdict)
            return
        now_s = self._desk.clock()
        meant = self._servers[carrier.server].ports.awaiting(message_id, carrier) if verdict == WRONG_ID else None
        self._count(carrier, verdict if meant is None else WRONG_PORT)
        ids = [known for known, waiter in carrier.table.items() if waiter is not None]
        waiting = carrier.take_waiting()
        carrier.retire()
        for known, waiter in zip(ids, waiting, strict=True):
            if isinstance(waiter, Exchange):
                self._distrust(waiter, carrier, known, now_s)
            else:
                self._desk.unschedule(waiter)
        if meant is not None:
            guessed = meant.table[message_id]
            if isinstance(guessed, Exchange):
                meant.forget(message_id, guessed)
                self._distrust(guessed, meant, message_id, now_s)

    def lost(self, carrier: Carrier, reason: Reason) -> None:
        """A socket or connection failed: refused (ICMP), unreachable, closed, reset, not trusted."""
        now_s = self._desk.clock()
        server = self._servers[carrier.server]
        opened = False
        if isinstance(carrier, Connection):
            server.connections.lost(carrier)
            opened = carrier.opened
            if not opened and not server.sealed:
                server.dialect.has_no_tcp(now_s)
        waiting = carrier.take_waiting()
        carrier.retire()
        for waiter in waiting:
            if isinstance(waiter, Straggler):
                self._desk.unschedule(waiter)
            elif not waiter.ended:
                self._carrier_gone(waiter, carrier, opened, reason, now_s)

    def _judged(self, carrier: Carrier, message_id: int, exchange: Exchange, heard: reply.Heard, now_s: float) -> None:
        """The server's own reply, whatever it says."""
        server = self._servers[carrier.server]
        by_udp = isinstance(carrier, Port)
        carrier.forget(message_id, exchange)
        attempt = exchange.settle(carrier, message_id)
        self._heard(server, attempt, carrier, now_s)
        if heard.answer is not None:
            action = exchange.accepted(heard.answer, server.index, now_s)
        elif heard.verdict == TRUNCATED:
            server.truncated += 1
            action = exchange.by_tcp(server.index, now_s)
        elif heard.verdict == BAD_COOKIE:
            action = exchange.with_new_cookie(server.index, not by_udp, now_s)
        else:
            assert heard.verdict == NO_EDNS
            if by_udp:
                server.dialect.refuses_edns(now_s)
            action = exchange.without_edns(server.index, not by_udp, now_s)
        self._desk.perform(exchange, action, now_s)

    def _heard(self, server: Server, attempt: Attempt | None, carrier: Carrier, now_s: float) -> None:
        server.answers += 1
        if isinstance(carrier, Connection) and not server.sealed:
            return  # that a plain server is well by TCP must not hide that it is not by UDP
        if attempt is not None and attempt.sent_s >= carrier.opened_s:  # dialling is not counted
            server.health.measured(now_s - attempt.sent_s)
        if server.health.answered(now_s):
            self._desk.came_back(server)

    def _straggled(self, straggler: Straggler, verdict: int, now_s: float) -> None:
        carrier = straggler.carrier
        carrier.forget(straggler.message_id, straggler)
        self._desk.unschedule(straggler)
        if verdict >= NEAR_MISS:
            self._count(carrier, verdict)
            carrier.retire()
            return
        attempt = Attempt(carrier, straggler.message_id, straggler.sent_s, straggler.due_s, False)
        self._heard(self._servers[carrier.server], attempt, carrier, now_s)

    def _failed(self, carrier: Carrier, message_id: int, exchange: Exchange, now_s: float) -> None:
        """Nonsense, or a refusal, by a connection: this server has had its turn."""
        carrier.forget(message_id, exchange)
        attempt = exchange.settle(carrier, message_id)
        if attempt is not None:
            self._desk.blame(self._servers[carrier.server], attempt.sent_s, now_s)
            if exchange.carrier is None:
                self._desk.perform(exchange, exchange.attempt_failed(Reason.MALFORMED, now_s), now_s)

    def _carrier_gone(self, exchange: Exchange, carrier: Carrier, opened: bool, reason: Reason, now_s: float) -> None:
        current = exchange.carrier is carrier
        gone = exchange.abandon(carrier)
        if gone and not opened and not gone[-1].blamed:
            self._desk.blame(self._servers[carrier.server], gone[-1].sent_s, now_s)
        if current and isinstance(carrier, Connection):
            self._desk.perform(exchange, exchange.connection_lost(opened, reason, now_s), now_s)
        elif gone and exchange.carrier is None:
            self._desk.perform(exchange, exchange.attempt_failed(reason, now_s), now_s)

    def _distrust(self, exchange: Exchange, carrier: Carrier, message_id: int, now_s: float) -> None:
        """UDP has become doubtful for this exchange: the same server by TCP, if it is still being asked."""
        attempt = exchange.settle(carrier, message_id)
        if attempt is not None and not exchange.ended and not attempt.blamed:
            self._desk.perform(exchange, exchange.by_tcp(carrier.server, now_s), now_s)

    def _count(self, carrier: Carrier, verdict: int) -> None:
        self._servers[carrier.server].count_near_miss(NEAR_MISS_NAMES[verdict])
