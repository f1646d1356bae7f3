"""A way to a server on which datagrams are lost, each way, as chance has it."""

from __future__ import annotations

import random
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class LossyPath:
    """Stands between clients and ``server``. ``share`` of the datagrams is ``lost`` in each direction."""

    def __init__(self, server: tuple[str, int], share: float, seed: int = 1) -> None:
        self._server = server
        self._share = share
        self._chance = random.Random(seed)
        self.passed = 0
        self.lost = 0
        self._selector = selectors.DefaultSelector()
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._front.bind(("127.0.0.1", 0))
        self._front.setblocking(False)
        self._selector.register(self._front, selectors.EVENT_READ)
        self._behind: dict[tuple[str, int], socket.socket] = {}  # to the server, one for each client
        self._stop = False
        self._thread = threading.Thread(target=self._serve)

    @property
    def address(self) -> tuple[str, int]:
        """Where clients send to."""
        host, port = self._front.getsockname()
        return host, port

    @contextmanager
    def serving(self) -> Iterator[LossyPath]:
        """Passes datagrams on until the end of the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop = True
            self._thread.join()
            for sock in (self._front, *self._behind.values()):
                sock.close()
            self._selector.close()

    def _serve(self) -> None:
        while not self._stop:
            for key, _ in self._selector.select(0.02):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                message, sender = sock.recvfrom(4_096)
                if self._chance.random() < self._share:
                    self.lost += 1
                    continue
                self.passed += 1
                if key.data is None:
                    self._to_server(sender).send(message)
                else:
                    self._front.sendto(message, key.data)

    def _to_server(self, client: tuple[str, int]) -> socket.socket:
        sock = self._behind.get(client)
        if sock is None:
            sock = self._behind[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(self._server)
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ, client)
        return sock
