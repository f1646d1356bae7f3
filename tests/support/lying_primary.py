"""A primary that a test writes: it answers each query on a connection with whatever octets the test tells it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dnswire.constants import RRType
from tests.support.zone_wire import ZONE, answer, soa

# What is sent for a query (its octets): messages, each framed by the helper; ``RAW`` in front: octets as they are.
Script = Callable[[bytes], Iterable[bytes]]
RAW = b"\xff<raw>"


def query_type(query: bytes) -> int:
    """The type that a query for the zone asks for."""
    at = 12 + len(ZONE)
    return int.from_bytes(query[at : at + 2], "big")


def message_id(query: bytes) -> int:
    """A query's ID."""
    return int.from_bytes(query[:2], "big")


def soa_then(serial: int, transfer: Script) -> Script:
    """Answers SOA queries with ``serial`` and all others by ``transfer``."""

    def script(query: bytes) -> Iterable[bytes]:
        if query_type(query) == RRType.SOA:
            return [answer(message_id(query), RRType.SOA, [soa(serial)])]
        return transfer(query)

    return script


@dataclass(slots=True)
class LyingPrimary:
    """Where it listens, and the types that it was asked for."""

    port: int
    asked: list[int] = field(default_factory=list)

    @property
    def location(self) -> str:
        """As a list's location."""
        return f"rpz://127.0.0.1:{self.port}/rpz.test"


@contextmanager
def lying_primary(script: Script) -> Iterator[LyingPrimary]:
    """Listens on a free port of loopback for the length of a ``with`` block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        primary = LyingPrimary(listener.getsockname()[1])
        open_ones: list[socket.socket] = []
        thread = threading.Thread(target=_serve, args=(listener, script, primary, open_ones))
        thread.start()
        try:
            yield primary
        finally:
            # It wakes whoever waits in accept or recv, or fills a connection without end.
            listener.shutdown(socket.SHUT_RDWR)
            for one in open_ones:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            assert not thread.is_alive()


def _serve(listener: socket.socket, script: Script, primary: LyingPrimary, open_ones: list[socket.socket]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        open_ones.append(connection)
        with connection, contextlib.suppress(OSError):
            # One query a connection, then it is closed: what was promised and does not come is seen as missing.
            query = _receive(connection)
            if query:
                primary.asked.append(query_type(query))
                for message in script(query):
                    size = b"" if message.startswith(RAW) else len(message).to_bytes(2, "big")
                    connection.sendall(size + message.removeprefix(RAW))


def _receive(connection: socket.socket) -> bytes:
    head = _exactly(connection, 2)
    return _exactly(connection, int.from_bytes(head, "big")) if head else b""


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        block = connection.recv(size - len(data))
        if not block:
            return b""
        data += block
    return data
