"""Random source ports for UDP queries: a pool of connected sockets that is renewed all the time.

Why a pool and not a port a query: docs/adr/0005-upstream-source-ports.md. A socket is *connected*, so the kernel drops
what comes from any other address or port (RFC 5452 9.1), and reports a closed port at once (ICMP) instead of by
timeout. It picks the port at random from its ephemeral range (``udp_lib_get_port`` starts at a random offset).
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from resolver.upstream.carrier import Carrier, Events
from resolver.upstream.datagrams import Datagrams
from resolver.upstream.failure import Reason
from resolver.upstream.message import MALFORMED, WRONG_ID

_KIND: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK


class Port(Carrier):
    """One connected UDP socket. ``local``: our own address, towards this server; ``outbox``: queries not sent yet."""

    __slots__ = ("_loop", "fd", "local", "outbox", "sock", "uses")

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, server: int, opened_s: float) -> None:
        super().__init__(server, opened_s)
        self._loop = loop
        self.sock = sock
        self.fd = sock.fileno()
        self.local: str = sock.getsockname()[0]
        self.uses = 0
        self.outbox: list[bytes] = []

    def close(self) -> None:
        """Gives the socket back. May be called again."""
        if self.fd >= 0:
            self._loop.remove_reader(self.fd)
            self.fd = -1
            self.sock.close()


class PortPool:
    """Open ports towards one server: ``size`` slots (a power of two), filled as they are drawn.

    A port serves ``max_uses`` queries within ``max_age_s`` seconds and is then replaced; at low rates, one query.

    What one turn of the event loop asks goes by one port and leaves at its end, by one system call; replies come
    together as well. An attacker has no less to guess for it (docs/adr/0005).
    """

    __slots__ = (
        "_address",
        "_datagrams",
        "_events",
        "_family",
        "_loop",
        "_max_age_s",
        "_max_uses",
        "_server",
        "_slots",
        "_turns",
        "_unsent",
        "late",
        "open_ports",
        "opened",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        events: Events,
        address: tuple[str, int],
        server: int,
        size: int = 64,
        max_uses: int = 128,
        max_age_s: float = 2.0,
    ) -> None:
        if size & (size - 1) or size < 1:
            raise ValueError(f"the pool's size must be a power of two, not {size}")
        self._loop = loop
        self._events = events
        self._address = address
        self._family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._server = server
        self._max_uses = max_uses
        self._max_age_s = max_age_s
        self._slots: list[Port | None] = [None] * size
        self._datagrams = Datagrams()
        self._turns: Port | None = None
        self._unsent: list[Port] = []
        self.open_ports: set[Port] = set()
        self.opened = 0
        self.late = 0  # replies to exchanges that had ended, and second copies

    def of_turn(self, draw: int, now_s: float) -> Port:
        """The port for what this turn of the loop asks, taken with the first; as ``take``."""
        port = self._turns
        if port is None or port.retired:
            port = self.take(draw, now_s)
            self._turns = port
        else:
            self._use(port)
        return port

    def post(self, port: Port, query: bytes) -> None:
        """Sends ``query`` by ``port`` when this turn ends. A refusal is told as ``lost``."""
        if not self._unsent:
            self._loop.call_soon(self._send)
        if not port.outbox:
            self._unsent.append(port)
        port.outbox.append(query)

    def take(self, draw: int, now_s: float) -> Port:
        """The port for one query; ``draw``: random bits. Raises ``OSError`` where no socket can be had."""
        index = draw & (len(self._slots) - 1)
        port = self._slots[index]
        if port is None or port.retired or now_s - port.opened_s >= self._max_age_s:
            port = self._renew(index, now_s)
        self._use(port)
        return port

    def awaiting(self, message_id: int, but: Carrier) -> Port | None:
        """The port, other than ``but``, on which a reply with this ID is waited for."""
        for port in self.open_ports:
            if port is not but and port.table.get(message_id) is not None:
                return port
        return None

    def close(self) -> None:
        """Closes every socket, whoever waits."""
        for port in self.open_ports:
            port.close()
        self.open_ports.clear()
        self._slots = [None] * len(self._slots)

    def _use(self, port: Port) -> None:
        port.uses += 1
        if port.uses >= self._max_uses:
            # The caller's query is about to wait on it, so it must not close at once.
            port.retired = True

    def _renew(self, index: int, now_s: float) -> Port:
        old = self._slots[index]
        try:
            port = self._open(now_s)
        except OSError:
            # Out of descriptors: a used port is better than no answer.
            for spare in (old, *self._slots):
                if spare is not None and not spare.retired:
                    return spare
            raise
        if old is not None:
            old.retire()
        self._slots[index] = port
        return port

    def _open(self, now_s: float) -> Port:
        sock = socket.socket(self._family, _KIND)
        try:
            sock.connect(self._address)
        except OSError:
            sock.close()
            raise
        port = Port(self._loop, sock, self._server, now_s)
        self._loop.add_reader(port.fd, self._readable, port)
        self.opened += 1
        self._forget_closed()
        self.open_ports.add(port)
        return port

    def _forget_closed(self) -> None:
        # Seldom: the set holds at most twice what is open.
        if len(self.open_ports) > 2 * len(self._slots) and self.opened % len(self._slots) == 0:
            self.open_ports = {port for port in self.open_ports if port.fd >= 0}

    def _send(self) -> None:
        unsent = self._unsent
        self._unsent = []
        self._turns = None
        for port in unsent:
            queries = port.outbox
            port.outbox = []
            if port.fd < 0:
                continue  # nobody waits there any more
            try:
                self._datagrams.send(port.sock, queries)
            except OSError:
                # Either a query cannot leave, or the kernel hands us the ICMP error of an earlier one.
                self._events.lost(port, Reason.NETWORK)

    def _readable(self, port: Port) -> None:
        try:
            messages = self._datagrams.receive(port.sock, port.pending)
        except OSError:
            self._events.lost(port, Reason.NETWORK)
            return
        for message in messages:
            try:
                self._received(port, message)
            except Exception as error:  # a fault of ours in one must not cost the others their answers
                context = {"message": "a reply of an upstream could not be handled", "exception": error}
                self._loop.call_exception_handler(context)

    def _received(self, port: Port, message: bytes) -> None:
        if len(message) < 2:
            self._events.near_miss(port, MALFORMED, -1)
            return
        message_id = (message[0] << 8) | message[1]
        if message_id not in port.table:
            self._events.near_miss(port, WRONG_ID, message_id)
        elif port.table[message_id] is None:
            self.late += 1
        else:
            self._events.replied(port, message_id, message)
