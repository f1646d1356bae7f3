"""One client's TCP connection: octets to messages, messages to the handler, answers back as they are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from dnswire.constants import HEADER_SIZE, MAX_MESSAGE_SIZE
from resolver.proxy_protocol import Proxies, ProxyHeaderError, read_header
from resolver.tcp_limits import TcpCounters, TcpLimits
from resolver.wheel import Timed, Wheel

Response = bytes | None
Handler = Callable[[bytes, str], Response | Awaitable[Response]]


class Listener(Protocol):
    """What a connection needs of its listener."""

    limits: TcpLimits
    counters: TcpCounters
    proxies: Proxies

    def clock(self) -> float:
        """Seconds, monotonic."""

    def opened(self, connection: Connection) -> bool:
        """Whether the connection may stay."""

    def closed(self, connection: Connection) -> None:
        """It is gone."""

    def idle(self, connection: Connection) -> None:
        """It waits for a query."""

    def busy(self, connection: Connection) -> None:
        """It does not only wait."""


class Connection(Timed, asyncio.Protocol):
    """A connection; as a ``Timed`` it waits for the next octets, the rest of a message, or the client to read.

    ``peer``: the address at its other end; ``address``: of the client, who may be behind a proxy.
    """

    __slots__ = (
        "_buffer",
        "_closing",
        "_handler",
        "_limits",
        "_listener",
        "_outstanding",
        "_partial_since_s",
        "_paused",
        "_proxied",
        "_transport",
        "_waiting",
        "_wheel",
        "_write_stalled",
        "address",
        "peer",
    )

    def __init__(self, listener: Listener, handler: Handler, wheel: Wheel) -> None:
        super().__init__()
        self._listener = listener
        self._limits = listener.limits
        self._handler = handler
        self._wheel = wheel
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._outstanding: dict[asyncio.Future[Response], asyncio.TimerHandle] = {}
        self._partial_since_s = -1.0
        self._paused = False
        self._write_stalled = False
        self._closing = False
        self._proxied = False
        self.address = ""
        self.peer = ""

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is connected."""
        stream = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        peer = stream.get_extra_info("peername")
        self.peer = self.address = str(peer[0]) if peer else ""
        # A client that has gone again before it was accepted has no address.
        if not peer or not self._listener.opened(self):
            stream.abort()
            return
        self._transport = stream
        self._proxied = self._listener.proxies.include(self.peer)
        stream.set_write_buffer_limits(high=self._limits.write_buffer_bytes // 4)
        self._listener.idle(self)
        self._wheel.add(self, self._listener.clock() + self._limits.idle_s)

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        self._buffer += data
        if self._proxied:
            self._read_proxy_header()
        else:
            self._read_messages()

    def eof_received(self) -> bool:
        """The client sends no more; what it asked is still answered (RFC 7766 6.2.4: either side may half-close)."""
        self._closing = True
        self._end_if_done()
        return self._transport is not None

    def pause_writing(self) -> None:
        """The client does not read: it gets ``write_s`` to do so, and no more of its queries are read meanwhile."""
        self._write_stalled = True
        self._pause()
        self._wheel.add(self, self._listener.clock() + self._limits.write_s)

    def resume_writing(self) -> None:
        """The client has read."""
        self._write_stalled = False
        self._wait()
        self._resume_if_possible()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._transport = None
        self._wheel.discard(self)
        self._listener.closed(self)
        self._buffer.clear()
        outstanding, self._outstanding = self._outstanding, {}
        for future, timer in outstanding.items():
            timer.cancel()
            future.cancel()

    # The listener calls these.

    def drain(self) -> None:
        """Reads no more, and ends when what is under way has been answered."""
        self._closing = True
        self._pause()
        self._end_if_done()

    def abort(self) -> None:
        """Ends now, unsent answers included."""
        if self._transport is not None:
            self._transport.abort()

    def expired(self, now_s: float) -> None:
        """The client has kept us waiting too long."""
        counters = self._listener.counters
        if self._write_stalled:
            counters.slow_readers += 1
            self.abort()
        elif self._outstanding:
            # We keep the client waiting, not the other way round; each query has its own deadline.
            self._wait()
        elif self._buffer:
            counters.partial += 1
            self.abort()
        elif self._transport is not None:
            counters.idle += 1
            self._transport.close()

    def _read_proxy_header(self) -> None:
        try:
            header = read_header(self._buffer)
        except ProxyHeaderError:
            self._listener.counters.bad_proxy_headers += 1
            self.abort()
            return
        if header is None:
            self._wait()
            return
        self._proxied = False
        self.address = header.host or self.peer
        del self._buffer[: header.size]
        self._read_messages()

    def _read_messages(self) -> None:
        buffer = self._buffer
        limits = self._limits
        start = 0
        while len(buffer) - start >= 2 and self._may_read():
            size = (buffer[start] << 8) | buffer[start + 1]
            if size < HEADER_SIZE or size > limits.max_query_bytes:
                # No query looks like that, and where the next message starts is anybody's guess.
                self._listener.counters.bad_size += 1
                self.abort()
                return
            end = start + 2 + size
            if end > len(buffer):
                break
            message = bytes(buffer[start + 2 : end])
            start = end
            self._partial_since_s = -1.0
            self._handle(message)
        if self._transport is None:
            return
        if start:
            del buffer[:start]
            if not self._outstanding:
                self._listener.idle(self)  # but not for long: to the end of the queue
        if not self._may_read():
            self._pause()
        self._wait()

    def _may_read(self) -> bool:
        return (
            self._transport is not None
            and not self._transport.is_closing()
            and not self._write_stalled
            and len(self._outstanding) < self._limits.max_outstanding
        )

    def _handle(self, message: bytes) -> None:
        self._listener.counters.queries += 1
        result = self._handler(message, self.address)
        if result is None:
            return
        if isinstance(result, bytes):
            self._write(result)
            return
        future = asyncio.ensure_future(result)
        if future.done():
            self._write_outcome(future)
            return
        self._listener.busy(self)
        loop = future.get_loop()
        self._outstanding[future] = loop.call_later(self._limits.answer_s, self._give_up, future)
        future.add_done_callback(self._answered)

    def _answered(self, future: asyncio.Future[Response]) -> None:
        timer = self._outstanding.pop(future, None)
        if timer is None:
            return  # given up, or the client is gone
        timer.cancel()
        self._write_outcome(future)
        self._after_answer()

    def _give_up(self, future: asyncio.Future[Response]) -> None:
        self._outstanding.pop(future, None)
        future.cancel()
        self._listener.counters.unanswered += 1
        self._after_answer()

    def _after_answer(self) -> None:
        if self._transport is None:
            return
        self._resume_if_possible()
        if not self._outstanding:
            self._listener.idle(self)
            self._wait()
        self._end_if_done()

    def _write_outcome(self, future: asyncio.Future[Response]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            self._listener.counters.unanswered += 1
            context = {"message": "a query by TCP could not be handled", "exception": error, "future": future}
            future.get_loop().call_exception_handler(context)
            return
        response = future.result()
        if response is not None:
            self._write(response)

    def _write(self, response: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if len(response) > MAX_MESSAGE_SIZE:
            raise ValueError(f"a response of {len(response)} octets does not fit a two-octet length (RFC 1035 4.2.2)")
        # RFC 7766 8: length and message in one write, so that they share a segment.
        transport.write(len(response).to_bytes(2, "big") + response)
        if transport.get_write_buffer_size() > self._limits.write_buffer_bytes:
            self._listener.counters.slow_readers += 1
            transport.abort()

    def _wait(self) -> None:
        """Sets the deadline for what comes next."""
        if self._transport is None or self._write_stalled:
            return
        now_s = self._listener.clock()
        if not self._buffer or not self._may_read():
            self._partial_since_s = -1.0
            self._wheel.add(self, now_s + self._limits.idle_s)
            return
        if self._partial_since_s < 0:
            self._partial_since_s = now_s
        self._wheel.add(self, self._partial_since_s + self._limits.partial_s)

    def _pause(self) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume_if_possible(self) -> None:
        if not self._paused or self._closing or not self._may_read():
            return
        self._paused = False
        assert self._transport is not None
        self._transport.resume_reading()
        # Whole messages may have been waiting behind the limit.
        self._read_messages()

    def _end_if_done(self) -> None:
        if self._closing and not self._outstanding and self._transport is not None:
            self._transport.close()
