"""DNS over TCP for clients (RFC 7766): a listener with a limit on everything a client could hold on to."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence

from resolver.proxy_protocol import NO_PROXIES, Proxies
from resolver.tcp_connection import Connection, Handler
from resolver.tcp_limits import TcpCounters, TcpLimits
from resolver.wheel import Wheel

__all__ = ["TcpCounters", "TcpLimits", "TcpListener"]


class TcpListener:
    """Serves DNS on listening stream sockets, which it owns from then on.

    ``handler(message, client_address)`` returns the response, ``None`` for no response, or an awaitable of either.
    Queries of one connection are handled as they come and answered as they are ready (RFC 7766 6.2.1.1 and 7).
    ``clock``: seconds, monotonic. ``proxies``: peers that say on whose behalf they ask.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        handler: Handler,
        limits: TcpLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        proxies: Proxies | None = None,
    ) -> None:
        self.proxies = proxies or NO_PROXIES
        self.limits = limits or TcpLimits()
        self.counters = TcpCounters()
        self.clock = clock
        self._sockets = list(sockets)
        self._handler = handler
        self._servers: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        # Those with nothing under way, the longest idle first: what is closed when room is needed.
        self._idle: dict[Connection, None] = {}
        self._by_peer: dict[str, int] = {}
        self._draining = False
        self._empty = asyncio.Event()
        self.wheel: Wheel | None = None

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    async def start(self) -> None:
        """Begins to accept."""
        loop = asyncio.get_running_loop()
        self.wheel = Wheel(loop.call_later, self.clock, tick_s=self.limits.tick_s)
        for sock in self._sockets:
            sock.setblocking(False)
            self._servers.append(await loop.create_server(self._connection, sock=sock, backlog=self.limits.backlog))

    async def drain(self, patience_s: float) -> None:
        """Accepts no more, lets queries under way be answered for up to ``patience_s``, then closes everything."""
        self._draining = True
        for server in self._servers:
            server.close()
        self._empty.clear()
        for connection in list(self._connections):
            connection.drain()
        if self._connections:
            try:
                await asyncio.wait_for(self._empty.wait(), patience_s)
            except TimeoutError:
                self.counters.cut_by_drain += len(self._connections)
        for connection in list(self._connections):
            connection.abort()
        if self._connections:
            await self._empty.wait()
        if self.wheel is not None:
            self.wheel.close()

    # What connections report.

    def opened(self, connection: Connection) -> bool:
        """Admits a new connection, or says that it must go."""
        limits = self.limits
        key = _peer_key(connection.peer)
        full = self._by_peer.get(key, 0) >= limits.max_per_address and not self.proxies.include(connection.peer)
        if self._draining or full:
            self.counters.refused_per_address += not self._draining
            return False
        if len(self._connections) >= limits.max_connections and not self._make_room():
            self.counters.refused_full += 1
            return False
        self.counters.accepted += 1
        self._connections.add(connection)
        self._by_peer[key] = self._by_peer.get(key, 0) + 1
        return True

    def closed(self, connection: Connection) -> None:
        """Forgets a connection that was admitted."""
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        self._idle.pop(connection, None)
        key = _peer_key(connection.peer)
        left = self._by_peer[key] - 1
        if left:
            self._by_peer[key] = left
        else:
            del self._by_peer[key]
        if not self._connections:
            self._empty.set()

    def idle(self, connection: Connection) -> None:
        """Nothing is under way on ``connection`` any more."""
        self._idle.pop(connection, None)
        self._idle[connection] = None

    def busy(self, connection: Connection) -> None:
        """Something is under way on ``connection`` again."""
        self._idle.pop(connection, None)

    def _make_room(self) -> bool:
        """Closes the longest idle connection: RFC 7766 6.2.3 lets a server do so when resources are short."""
        for connection in self._idle:
            self.counters.closed_for_room += 1
            self.closed(connection)
            connection.abort()
            return True
        return False

    def _connection(self) -> Connection:
        assert self.wheel is not None
        return Connection(self, self._handler, self.wheel)


def _peer_key(address: str) -> str:
    """IPv6 by /64: one host is usually given a whole one, and with it 2**64 addresses."""
    if ":" not in address or address.startswith("::ffff:"):
        return address
    packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    return packed[:8].hex()
