"""A crowd of clients on loopback addresses: asks questions, asks again what stays unanswered, hears everything.

Loopback is 127.0.0.0/8, so that one machine can be the clients of several agencies. Every datagram that arrives counts,
late copies too: the query log must have at least as many rows.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dnswire import name as wire
from dnswire.constants import HEADER_SIZE

_RETRY_S = 1.0


@dataclass
class Heard:
    """What came of a run. ``rcodes``: question number -> RCODE of its first answer."""

    rcodes: dict[int, int] = field(default_factory=dict)
    answers: dict[int, bytes] = field(default_factory=dict)
    datagrams: int = 0
    sent: int = 0


@dataclass(frozen=True)
class Question:
    """One question of a client at ``host``."""

    host: str
    qname: str
    rrtype: int = 1


def _query(number: int, question: Question) -> bytes:
    header = (number & 0xFFFF).to_bytes(2, "big") + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    return header + wire.from_text(question.qname) + question.rrtype.to_bytes(2, "big") + b"\x00\x01"


class Crowd:
    """Clients at several addresses asking one server. ``window``: questions under way; ``retry_s``: their patience."""

    def __init__(
        self, server: tuple[str, int], questions: Sequence[Question], window: int = 64, retry_s: float = _RETRY_S
    ) -> None:
        self._server = server
        self._questions = questions
        self._window = window
        self._retry_s = retry_s
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[str, socket.socket] = {}
        for host in {question.host for question in questions}:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.bind((host, 0))
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ)
            self._sockets[host] = sock
        self.heard = Heard()
        self._open: dict[int, float] = {}

    def run(self, deadline_s: float, at: dict[int, Callable[[], None]] | None = None) -> Heard:
        """Asks all questions; ``at``: what to do once that many are answered. Fails after ``deadline_s`` seconds."""
        ends_s = time.monotonic() + deadline_s
        todo = dict(sorted((at or {}).items()))
        following = 0
        while following < len(self._questions) or self._open:
            while following < len(self._questions) and len(self._open) < self._window:
                self._send(following)
                following += 1
            for key, _ in self._selector.select(0.05):
                self._receive(key.fileobj)  # type: ignore[arg-type]  # only sockets are registered
            now_s = time.monotonic()
            for number in [number for number, sent_s in self._open.items() if now_s - sent_s > self._retry_s]:
                self._send(number)
            for count in [count for count in todo if len(self.heard.rcodes) >= count]:
                todo.pop(count)()
            if now_s > ends_s:
                raise AssertionError(f"{len(self._open)} questions without an answer after {deadline_s} s")
        return self.heard

    def close(self, settle_s: float = 0.3) -> Heard:
        """Hears late copies for a moment more, then closes."""
        while events := self._selector.select(settle_s):
            for key, _ in events:
                self._receive(key.fileobj)  # type: ignore[arg-type]  # as above
        for sock in self._sockets.values():
            sock.close()
        self._selector.close()
        return self.heard

    def _send(self, number: int) -> None:
        question = self._questions[number]
        self._open[number] = time.monotonic()
        self.heard.sent += 1
        self._sockets[question.host].sendto(_query(number, question), self._server)

    def _receive(self, sock: socket.socket) -> None:
        while True:
            try:
                message = sock.recv(4096)
            except BlockingIOError:
                return
            self.heard.datagrams += 1
            self._note(message)

    def _note(self, message: bytes) -> None:
        low = int.from_bytes(message[:2], "big")
        for number in range(low, len(self._questions), 65_536):
            if number in self._open and message[HEADER_SIZE:].startswith(wire.from_text(self._questions[number].qname)):
                del self._open[number]
                self.heard.rcodes[number] = message[3] & 0x0F
                self.heard.answers[number] = message
                return
