"""What a primary sends, taken off the wire as fast as it comes, and kept on disk until it is read.

Primaries do not wait: Knot DNS gives up a connection that takes nothing for half a second, which sorting a run of names
on a busy machine takes easily. A thread that only receives and writes is never in the way of that; memory stays the
same, whichever of the two sides is slower.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from pathlib import Path
from typing import Final

_RECEIVE_SIZE: Final = 1 << 18
_READ_SIZE: Final = 1 << 20
_BEYOND_LIMIT: Final = 1 << 20  # so that the reader sees for itself that there is too much


class DrainFailed(Exception):  # noqa: N818 -- names the fact; the cause is an OSError
    """What came could not be kept: this machine's disk, not the primary."""


class Drain:
    """Receives from ``sock`` until it ends, fails, or is silent for ``idle_s``; or more than ``limit_bytes`` came."""

    def __init__(self, sock: socket.socket, directory: Path, idle_s: float, limit_bytes: int) -> None:
        self._sock = sock
        self._limit = limit_bytes + _BEYOND_LIMIT
        self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 -- closed by ``close``
        self._changed = threading.Condition()
        self._written = 0
        self._read = 0
        self._ended = False
        self._error: Exception | None = None
        sock.settimeout(idle_s)
        self._thread = threading.Thread(target=self._run, name="zone-drain", daemon=True)
        self._thread.start()

    def recv(self, timeout_s: float) -> bytes:
        """The next octets; none at the end. Raises what receiving raised (TimeoutError for silence), once all that
        came before was read, and ``TimeoutError`` where nothing comes within ``timeout_s``.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._written > self._read or self._ended, timeout_s):
                raise TimeoutError
            ready = self._written - self._read
            if not ready:
                if self._error is not None:
                    raise self._error
                return b""
        block = os.pread(self._file.fileno(), min(ready, _READ_SIZE), self._read)
        self._read += len(block)
        return block

    def close(self) -> None:
        """Ends receiving, and forgets what came."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._file.close()

    def _run(self) -> None:
        error: Exception | None = None
        try:
            while self._written <= self._limit and (block := self._sock.recv(_RECEIVE_SIZE)):
                self._keep(block)
        except (OSError, DrainFailed) as failure:
            error = failure
        with self._changed:
            self._error = error
            self._ended = True
            self._changed.notify()

    def _keep(self, block: bytes) -> None:
        view = memoryview(block)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise DrainFailed(error.strerror or str(error)) from error
        with self._changed:
            self._written += len(block)
            self._changed.notify()
