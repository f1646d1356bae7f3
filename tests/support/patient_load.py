"""Clients that ask a running program the same thing over and over, each waiting for its answer, from many ports."""

from __future__ import annotations

import socket
import threading

from tests.support.dns import ask


class PatientLoad:
    """For a ``with`` block. ``asked`` questions; ``again``: those put more than once; ``lost``: those never answered.

    A client waits ``patience_s``, then asks again ``retries`` times. New ports now and then, so that all workers are
    asked.
    """

    def __init__(self, port: int, qname: str, rrtype: str = "A", patience_s: float = 5.0, retries: int = 0) -> None:
        self.asked = 0
        self.again = 0
        self.lost = 0
        self._query = ask(qname, rrtype)
        self._patience_s = patience_s
        self._attempts = retries + 1
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(port,)) for _ in range(4)]

    def __enter__(self) -> PatientLoad:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, port: int) -> None:
        while not self._stop.is_set():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(self._patience_s)
                client.connect(("127.0.0.1", port))
                for _ in range(20):
                    attempts = self._once(client)
                    with self._lock:
                        self.asked += 1
                        self.again += attempts > 1
                        self.lost += attempts > self._attempts
                    self._stop.wait(0.002)

    def _once(self, client: socket.socket) -> int:
        """How often it had to ask; one more than it may where nothing came."""
        for attempt in range(1, self._attempts + 1):
            try:
                client.send(self._query)
                client.recv(1_232)
            except OSError:
                continue
            return attempt
        return self._attempts + 1
