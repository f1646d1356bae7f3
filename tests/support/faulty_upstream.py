"""An upstream in a thread of its own that serves a whole program, and has the faults that a test gives it.

It knows every name: honestly each has the address ``TRUE``. What it says when it lies has ``FALSE``.
"""

from __future__ import annotations

import heapq
import itertools
import random
import selectors
import socket
import time
from collections.abc import Callable

from dnswire.constants import HEADER_SIZE
from tests.support import dns_messages as say
from tests.support.ports import free_port
from tests.support.selecting import SelectingThread

TRUE, FALSE = "192.0.2.53", "198.51.100.66"
SLOW_S = 0.4
TRUNCATED = 0x8380
# Names below it are never answered: those of a flood.
DEAF_TO = b"\x06banjir"

Fault = Callable[["FaultyUpstream", bytes, tuple[str, int]], None]


def truth(query: bytes, address: str = TRUE) -> bytes:
    """What an honest server says: every name has this address, and no type but A has anything."""
    question = say.question_of(query)
    if question[-4:-2] != b"\0\1":
        return say.response(question, say.id_of(query), authority=(say.soa("example"),))
    owner = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + socket.inet_aton(address)
    return say.response(question, say.id_of(query), answer=(owner,))


def honest(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(truth(query), peer)


def silent(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    """Dead without saying so."""


def slow(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(truth(query), peer, SLOW_S)


def wrong_id(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(bytes((query[0] ^ 1, query[1])) + truth(query, FALSE)[2:], peer)


def wrong_port(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((server.address, 0))
        other.sendto(truth(query, FALSE), peer)
    server.send(truth(query), peer, 0.05)


def wrong_address(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.99", server.port))
        other.sendto(truth(query, FALSE), peer)
    server.send(truth(query), peer, 0.05)


def wrong_question(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    question = say.question("lain.example")
    server.send(say.response(question, say.id_of(query), answer=(say.a("lain.example", FALSE),)), peer)


def wrong_case(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    """As one who guessed ID and port, and not the case of the name."""
    folded = bytearray(truth(query, FALSE))
    end = HEADER_SIZE + len(say.question_of(query)) - 4
    folded[HEADER_SIZE:end] = bytes(octet ^ 32 if chr(octet).isalpha() else octet for octet in folded[HEADER_SIZE:end])
    server.send(bytes(folded), peer)


def truncating(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(say.response(say.question_of(query), say.id_of(query), flags=TRUNCATED), peer)


def lossy(server: FaultyUpstream, query: bytes, peer: tuple[str, int]) -> None:
    """A tenth of what is sent is lost, each way."""
    if server.chance.random() >= 0.1 and server.chance.random() >= 0.1:
        server.send(truth(query), peer)


class FaultyUpstream(SelectingThread):
    """UDP and TCP on one port. By TCP it is honest, unless it is ``silent``."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        self.address, self.port = "127.0.0.1", free_port()
        self.fault: Fault = honest
        self.asked = 0
        self.chance = random.Random(seed)
        self._numbers = itertools.count()
        self._late: list[tuple[float, int, bytes, tuple[str, int]]] = []
        self._partial: dict[socket.socket, bytes] = {}
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._udp.bind((self.address, self.port))
        self._tcp = socket.create_server((self.address, self.port), backlog=512)
        for sock in (self._udp, self._tcp):
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)

    def send(self, message: bytes, peer: tuple[str, int], delay_s: float = 0.0) -> None:
        """Sends, now or in ``delay_s`` seconds."""
        if delay_s:
            heapq.heappush(self._late, (time.monotonic() + delay_s, next(self._numbers), message, peer))
        else:
            self._udp.sendto(message, peer)

    def ready(self, sock: socket.socket, data: object) -> None:
        """Queries, a new connection, or more of one."""
        if sock is self._udp:
            self._hear()
        elif sock is self._tcp:
            connection, _ = sock.accept()
            connection.settimeout(1.0)
            self._partial[connection] = b""
            self.selector.register(connection, selectors.EVENT_READ)
        else:
            self._read(sock)

    def turn(self) -> None:
        """Sends what is due."""
        while self._late and self._late[0][0] <= time.monotonic():
            _, _, message, peer = heapq.heappop(self._late)
            self._udp.sendto(message, peer)

    def _hear(self) -> None:
        for _ in range(64):
            try:
                query, peer = self._udp.recvfrom(4096)
            except BlockingIOError:
                return
            self.asked += 1
            if DEAF_TO not in query.lower():
                self.fault(self, query, peer)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65_536)
            self._partial[connection] += data
            while data and len(self._partial[connection]) >= 2:
                rest = self._partial[connection]
                size = int.from_bytes(rest[:2], "big") + 2
                if len(rest) < size:
                    break
                self._partial[connection] = rest[size:]
                query = rest[2:size]
                if self.fault is not silent and DEAF_TO not in query.lower():
                    said = truth(query)
                    connection.sendall(len(said).to_bytes(2, "big") + said)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(connection)
            del self._partial[connection]
            connection.close()
