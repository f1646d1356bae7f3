"""A way to a server on which datagrams are lost, each way, as chance has it."""

from __future__ import annotations

import random
import selectors
import socket

from tests.support.selecting import SelectingThread


class LossyPath(SelectingThread):
    """Stands between clients and ``server``. ``share`` of the datagrams is ``lost`` in each direction."""

    def __init__(self, server: tuple[str, int], share: float, seed: int = 1) -> None:
        super().__init__()
        self._server = server
        self._share = share
        self._chance = random.Random(seed)
        self.passed = 0
        self.lost = 0
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._front.bind(("127.0.0.1", 0))
        self._front.setblocking(False)
        self.selector.register(self._front, selectors.EVENT_READ)
        self._behind: dict[tuple[str, int], socket.socket] = {}  # to the server, one for each client

    @property
    def address(self) -> tuple[str, int]:
        """Where clients send to."""
        host, port = self._front.getsockname()
        return host, port

    def ready(self, sock: socket.socket, data: object) -> None:
        """Passes a datagram on, or does not. ``data``: the client whose way to the server ``sock`` is."""
        message, sender = sock.recvfrom(4_096)
        if self._chance.random() < self._share:
            self.lost += 1
            return
        self.passed += 1
        if isinstance(data, tuple):
            self._front.sendto(message, data)
        else:
            self._to_server(sender).send(message)

    def _to_server(self, client: tuple[str, int]) -> socket.socket:
        sock = self._behind.get(client)
        if sock is None:
            sock = self._behind[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(self._server)
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ, client)
        return sock
