"""One TCP connection to an upstream, shared by all queries that go there by TCP (RFC 7766)."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from dnswire.constants import HEADER_SIZE
from resolver.upstream.carrier import Carrier, Events
from resolver.upstream.exchange import Exchange
from resolver.upstream.message import MALFORMED, WRONG_ID

# Of the 65,536 IDs of a connection so many may be spent on queries that were given up; then a new one is opened.
_MAX_GIVEN_UP: Final = 1_024


class Stream(Carrier, asyncio.Protocol):
    """A connection being opened, open, or closed. Queries sent while it opens leave when it is open.

    RFC 7766 6.2.1.1: "it SHOULD NOT wait for an outstanding reply before sending the next query". ``max_pending``
    bounds what waits, ``idle_s`` closes it when nothing does.
    """

    __slots__ = (
        "_buffer",
        "_dialling",
        "_events",
        "_idle_s",
        "_idle_timer",
        "_loop",
        "_transport",
        "_unsent",
        "closed",
        "heard_s",
        "max_pending",
        "opened",
        "used_s",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        events: Events,
        address: tuple[str, int],
        server: int,
        idle_s: float = 5.0,
        max_pending: int = 1_024,
    ) -> None:
        now_s = events.clock()
        super().__init__(server, now_s)
        self._loop = loop
        self._events = events
        self._idle_s = idle_s
        self.max_pending = max_pending
        self._buffer = bytearray()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self.opened = False
        self.closed = False
        self.heard_s = float("-inf")  # when it opened, or octets came last
        self.used_s = now_s
        self._dialling: asyncio.Task[None] | None = loop.create_task(self._dial(address))

    @property
    def usable(self) -> bool:
        """Whether one more query may go this way."""
        return not self.closed and not self.retired and self.pending < self.max_pending

    def send(self, message_id: int, query: bytes, exchange: Exchange) -> None:
        """Sends ``query`` for ``exchange``, now or once the connection is open."""
        self.expect(message_id, exchange)
        self.used_s = self._events.clock()
        # RFC 7766 8: length and message in one write, so that they share a segment.
        framed = len(query).to_bytes(2, "big") + query
        if self._transport is None:
            self._unsent.append(framed)
        else:
            self._transport.write(framed)

    def forget(self, message_id: int, exchange: Exchange) -> None:
        """As for every carrier; here an answered ID may be used again, one given up may not."""
        super().forget(message_id, exchange)
        if len(self.table) - self.pending > _MAX_GIVEN_UP:
            self.retire()

    def silent_since(self, sent_s: float) -> bool:
        """Whether nothing has come since ``sent_s``: then the connection itself is dead, not one query slow."""
        return self.heard_s < sent_s

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
        self.opened = True
        self.heard_s = self._events.clock()
        stream.write(b"".join(self._unsent))
        self._unsent.clear()
        self._idle_timer = self._loop.call_later(self._idle_s, self._close_if_idle)

    def data_received(self, data: bytes) -> None:
        """asyncio: octets came. Messages end where they like; the buffer holds less than one and a read."""
        self.heard_s = self._events.clock()
        buffer = self._buffer
        buffer += data
        start = 0
        while not self.closed and len(buffer) - start >= 2:
            end = start + 2 + ((buffer[start] << 8) | buffer[start + 1])
            if end > len(buffer):
                break
            self._message(bytes(buffer[start + 2 : end]))
            start = end
        if start:
            del buffer[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the other side closed, or the network did."""
        if not self.closed:
            self._fail()

    def _message(self, message: bytes) -> None:
        if len(message) < HEADER_SIZE:
            self._refuse(MALFORMED)
            return
        message_id = (message[0] << 8) | message[1]
        if message_id not in self.table:
            self._refuse(WRONG_ID)
            return
        exchange = self.table.get(message_id)
        if exchange is not None:
            self._events.replied(self, message_id, message)
        # TCP delivers nothing twice, so an answered ID is free again.
        if self.table.get(message_id) is None:
            self.table.pop(message_id, None)

    def _refuse(self, verdict: int) -> None:
        """Nobody but the server can write here, so it is broken, and so is the framing from here on."""
        self._events.near_miss(self, verdict)
        self._fail()

    def _fail(self) -> None:
        if not self.closed:
            self.close()
            self._events.lost(self)

    def _close_if_idle(self) -> None:
        idle_s = self._events.clock() - self.used_s
        if not self.pending and idle_s >= self._idle_s:
            self.close()
            return
        pause_s = self._idle_s if self.pending else self._idle_s - idle_s
        self._idle_timer = self._loop.call_later(max(pause_s, 0.01), self._close_if_idle)

    async def _dial(self, address: tuple[str, int]) -> None:
        try:
            await self._loop.create_connection(lambda: self, address[0], address[1])
        except OSError:
            self._dialling = None
            self._fail()
        finally:
            self._dialling = None
