"""One connection to an upstream, shared by all queries that go there by TCP, TLS or HTTPS (RFC 7766, 7858, 8484)."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from resolver.upstream.carrier import Carrier, Delivery, Events, Waiter
from resolver.upstream.exchange import Exchange
from resolver.upstream.failure import Reason
from resolver.upstream.framing import Framing, FramingError
from resolver.upstream.message import MALFORMED, WRONG_ID
from resolver.upstream.tls import TlsPipe, TlsRefused

# Of the 65,536 IDs of a connection so many may be spent on queries that were given up; then a new one is opened.
_MAX_GIVEN_UP: Final = 1_024
# A server that does not read is one that is not there.
_MAX_UNSENT_BYTES: Final = 1_048_576


class Connection(Carrier, asyncio.Protocol):
    """A connection being opened, open, or closed. Queries sent while it opens leave when it is open.

    RFC 7766 6.2.1.1: "it SHOULD NOT wait for an outstanding reply before sending the next query". ``max_pending``
    bounds what waits, ``idle_s`` closes it when nothing does. ``tls``: None in clear text. ``why``: the last trouble.
    """

    __slots__ = (
        "_dialling",
        "_events",
        "_idle_timer",
        "_loop",
        "_transport",
        "_unsent",
        "closed",
        "framing",
        "heard_s",
        "idle_s",
        "max_pending",
        "opened",
        "tls",
        "used_s",
        "why",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        events: Events,
        address: tuple[str, int],
        server: int,
        framing: Framing,
        tls: TlsPipe | None = None,
        idle_s: float = 5.0,
        max_pending: int = 1_024,
    ) -> None:
        now_s = events.clock()
        super().__init__(server, now_s)
        self._loop = loop
        self._events = events
        self.idle_s = idle_s
        self.max_pending = max_pending
        self.framing = framing
        self.tls = tls
        self._unsent: list[bytes] = [framing.opening()]
        self._transport: asyncio.Transport | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self.opened = False
        self.closed = False
        self.why = ""
        self.heard_s = float("-inf")  # when it opened, or octets came last
        self.used_s = now_s
        self._dialling: asyncio.Task[None] | None = loop.create_task(self._dial(address))

    @property
    def usable(self) -> bool:
        """Whether one more query may go this way."""
        if self.closed or self.retired or self.framing.closing:
            return False
        return self.pending < self.max_pending and self.pending < self.framing.capacity

    def send(self, key: int, query: bytes, exchange: Exchange) -> None:
        """Sends ``query`` for ``exchange``, now or once the connection is open."""
        self.expect(key, exchange)
        self.used_s = self._events.clock()
        try:
            octets = self.framing.query(key, query)
        except FramingError as error:
            self.why = str(error)
            # Not now: whoever sends is in the middle of it.
            self._loop.call_soon(self._fail, Reason.NETWORK)
            return
        if self.opened:
            self._write(octets)
        else:
            self._unsent.append(octets)

    def forget(self, message_id: int, waiter: Waiter) -> None:
        """As for every carrier; here an answered ID may be used again, one given up may not."""
        super().forget(message_id, waiter)
        if len(self.table) - self.pending > _MAX_GIVEN_UP:
            self.retire()

    def silent_since(self, sent_s: float) -> bool:
        """Whether nothing has come since ``sent_s``: then the connection itself is dead, not one query slow."""
        return self.heard_s < sent_s

    def keep_for(self, span_s: float) -> None:
        """The server closes after so many seconds of silence (RFC 7828 3.2.2): be the first."""
        if span_s <= 0:
            self.retire()
        else:
            self.idle_s = min(self.idle_s, span_s)

    def close(self) -> None:
        """Closes at once; what waits is not told."""
        self.closed = True
        if self._dialling is not None:
            self._dialling.cancel()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    async def wait_closed(self) -> None:
        """After ``close``: until no task of it is left."""
        if self._dialling is not None:
            await asyncio.gather(self._dialling, return_exceptions=True)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection is open."""
        stream = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        if self.closed:
            stream.abort()
            return
        self._transport = stream
        if self.tls is None:
            self._open()
            return
        try:
            self.tls.begin()
        except TlsRefused as refusal:
            self._refuse(refusal)
            return
        stream.write(self.tls.to_send())

    def data_received(self, data: bytes) -> None:
        """asyncio: octets came."""
        self.heard_s = self._events.clock()
        try:
            deliveries = self._understand(data)
        except TlsRefused as refusal:
            self._refuse(refusal)
            return
        except FramingError as error:
            self.why = str(error)
            self._events.near_miss(self, MALFORMED, -1)
            self._fail(Reason.MALFORMED)
            return
        for delivery in deliveries:
            if self.closed:
                return
            self._deliver(delivery)
        if self.closed:
            return
        octets = self.framing.to_send()
        if octets:
            self._write(octets)
        if self.tls is not None and self.tls.closed:
            self._fail(Reason.NETWORK)
        elif self.framing.closing and not self.retired:
            self.retire()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the other side closed, or the network did."""
        self._fail(Reason.NETWORK)

    def _understand(self, data: bytes) -> list[Delivery]:
        tls = self.tls
        if tls is not None:
            data = tls.received(data)
            octets = tls.to_send()
            if octets and self._transport is not None:
                self._transport.write(octets)
            if tls.ready and not self.opened:
                self._open()
        return self.framing.received(data) if data else []

    def _open(self) -> None:
        self.opened = True
        self.opened_s = self.heard_s = self._events.clock()
        unsent = [octets for octets in self._unsent if octets]
        self._unsent.clear()
        if unsent:
            self._write(*unsent)
        if not self.closed:
            self._idle_timer = self._loop.call_later(self.idle_s, self._close_if_idle)

    def _write(self, *messages: bytes) -> None:
        if self.tls is None:
            octets = b"".join(messages)
        else:
            # Each in a TLS record of its own: dnsdist 1.7 overlooks what else is in the record that it has read.
            for message in messages:
                self.tls.write(message)
            octets = self.tls.to_send()
        transport = self._transport
        if transport is None:
            return
        transport.write(octets)
        if transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            self.why = "the server reads nothing"
            self._loop.call_soon(self._fail, Reason.NETWORK)

    def _deliver(self, delivery: Delivery) -> None:
        key = delivery.key
        if key not in self.table:
            # Nobody but the server can write here, so it is broken, and so is what it says from here on.
            self.why = "a reply to no query"
            self._events.near_miss(self, WRONG_ID, key)
            self._fail(Reason.MALFORMED)
            return
        if self.table[key] is not None:
            self._events.delivered(self, delivery)
        # Nothing is delivered twice here, so an answered ID is free again.
        if self.table.get(key) is None:
            self.table.pop(key, None)

    def _refuse(self, refusal: TlsRefused) -> None:
        self.why = str(refusal)
        self._fail(Reason.UNTRUSTED)

    def _fail(self, reason: Reason) -> None:
        if not self.closed:
            self.close()
            self._events.lost(self, reason)

    def _close_if_idle(self) -> None:
        idle_s = self._events.clock() - self.used_s
        if not self.pending and idle_s >= self.idle_s:
            self.close()
            return
        pause_s = self.idle_s if self.pending else self.idle_s - idle_s
        self._idle_timer = self._loop.call_later(max(pause_s, 0.01), self._close_if_idle)

    async def _dial(self, address: tuple[str, int]) -> None:
        try:
            await self._loop.create_connection(lambda: self, address[0], address[1])
        except OSError as error:
            self._dialling = None
            self.why = f"cannot be reached: {error.strerror or error}"
            self._fail(Reason.NETWORK)
        finally:
            self._dialling = None
