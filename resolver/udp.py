"""UDP: datagrams from a socket to the pipeline and back, in batches from the event loop.

A reader of the loop drains up to four batches a wake, so that one system call of the poller serves many queries and no
client's burst starves timers, upstreams and TCP; compiled, a batch is one system call each way (``mmsg.py``), and what
the fast lane knows is answered first (``fast_lane.py``). The socket comes from the supervisor, which keeps it open:
what is queued in it outlives a killed worker.

Memory is fixed: what we cannot take from the socket in time waits in the kernel's buffer, and what does not fit there
is lost, the newest first, as a flood should be.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any, Final, Protocol

from querylog.record import Transport
from resolver.fast_lane import FastLane
from resolver.stats import Stats
from resolver.turn import Sender

try:
    from resolver.mmsg import Batch, BatchPort
except ImportError:  # interpreted: the same, one datagram a system call
    Batch = None  # type: ignore[assignment,misc]  # the name stands for "not there"

BATCHED: Final = Batch is not None  # otherwise there is no place for a fast lane

_log = logging.getLogger(__name__)

BATCH: Final = 64

# A query is a name and an OPT RR, with room for any cookie and padding: what needs more than one frame of Ethernet is
# none. Longer ones are cut by the kernel and fail the parser.
MAX_QUERY_SIZE: Final = 1_472

_UDP: Final = int(Transport.UDP)

# Linux's numbers; Python's socket module names only some of them (ip(7), ipv6(7)).
_IP_PKTINFO: Final = 8
_IPV6_RECVPKTINFO: Final = 49
_IPV6_PKTINFO: Final = 50
_PKTINFO4: Final = struct.Struct("=I4s4s")
_CONTROL_SIZE: Final = socket.CMSG_SPACE(20)

# The response; empty: none is due; None: the sender gets it later.
Answerer = Callable[[bytes, str, int, Sender, object], bytes | None]


class UdpPort(Protocol):
    """A listening UDP socket of a worker."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to read."""

    def stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stops reading; responses can still be sent."""

    def send(self, response: bytes, address: object) -> None:
        """Sends a response to the address that came with its query."""

    def close(self) -> None:
        """Closes the socket (the supervisor's copy stays open)."""


def open_port(sock: socket.socket, answer: Answerer, stats: Stats, lane: FastLane | None = None) -> UdpPort:
    """The port for a bound socket; one on a wildcard address answers from the address that was asked.

    What ``lane`` knows it answers; the rest goes to ``answer``.
    """
    sock.setblocking(False)
    wildcard = sock.getsockname()[0] in ("0.0.0.0", "::")
    if wildcard:
        _ask_for_destination(sock)
    if Batch is not None:
        return BatchPort(sock, Batch(sock.fileno(), wildcard, lane), answer, stats)
    return (_WildcardPort if wildcard else _PlainPort)(sock, answer, stats)


def _ask_for_destination(sock: socket.socket) -> None:
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)


class _PlainPort:
    """A socket bound to one address: the kernel knows where responses come from."""

    def __init__(self, sock: socket.socket, answer: Answerer, stats: Stats) -> None:
        self._sock = sock
        self._answer = answer
        self._stats = stats

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to read."""
        loop.add_reader(self._sock.fileno(), self._drain)

    def stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stops reading."""
        loop.remove_reader(self._sock.fileno())

    def close(self) -> None:
        """Closes the socket."""
        self._sock.close()

    def _drain(self) -> None:
        receive = self._sock.recvfrom
        send = self._sock.sendto
        answer = self._answer
        try:
            for _ in range(BATCH):
                message, address = receive(MAX_QUERY_SIZE)
                response = answer(message, address[0], _UDP, self, address)
                if response:
                    try:
                        send(response, address)
                    except OSError:  # a full buffer or an unroutable client: he asks again, others must not wait
                        self._stats.send_failures += 1
        except BlockingIOError:
            return
        except OSError as error:
            _log.warning("receiving on %s failed: %s", self._sock.getsockname(), error)

    def send(self, response: bytes, address: Any) -> None:
        """Sends a response to ``address`` as ``recvfrom`` gave it."""
        try:
            self._sock.sendto(response, address)
        except OSError:
            self._stats.send_failures += 1


class _WildcardPort(_PlainPort):
    """A socket bound to all addresses: each response must leave from the address that was asked.

    Without this a host with several addresses answers from the one its routing table prefers, and clients discard the
    response as forged.
    """

    def _drain(self) -> None:
        try:
            for _ in range(BATCH):
                message, control, _, address = self._sock.recvmsg(MAX_QUERY_SIZE, _CONTROL_SIZE)
                origin = (address, [_from_where_asked(item) for item in control])
                response = self._answer(message, address[0], _UDP, self, origin)
                if response:
                    self.send(response, origin)
        except BlockingIOError:
            return
        except OSError as error:
            _log.warning("receiving on %s failed: %s", self._sock.getsockname(), error)

    def send(self, response: bytes, address: Any) -> None:
        """Sends a response to the (address, control messages) that came with its query."""
        try:
            self._sock.sendmsg([response], address[1], 0, address[0])
        except OSError:
            self._stats.send_failures += 1


def _from_where_asked(control: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    level, kind, data = control
    if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
        # The interface is left to routing: an answer may have to leave by another one than the query came in by.
        return level, kind, _PKTINFO4.pack(0, _PKTINFO4.unpack(data)[1], bytes(4))
    return level, _IPV6_PKTINFO, data
