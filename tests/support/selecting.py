"""A thread that serves sockets until the end of a block: for servers and paths that real programs talk to."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class SelectingThread:
    """Sockets in ``selector`` are read by ``ready`` when they can be, and closed at the end."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self._stop = False
        self._thread = threading.Thread(target=self._serve)

    def ready(self, sock: socket.socket, data: object) -> None:
        """``sock``, registered with ``data``, can be read."""
        raise NotImplementedError

    def turn(self) -> None:
        """After each look at the sockets, some fifty times a second at least."""

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Serves until the end of the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop = True
            self._thread.join()
            for key in list(self.selector.get_map().values()):
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.close()
            self.selector.close()

    def _serve(self) -> None:
        while not self._stop:
            for key, _ in self.selector.select(0.02):
                assert isinstance(key.fileobj, socket.socket)
                self.ready(key.fileobj, key.data)
            self.turn()
