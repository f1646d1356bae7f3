"""Messages over TCP (RFC 7766 8), each wait bounded, and all of them together."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.transfer.drain import Drain, DrainFailed
from blocklists.transfer.failure import TransferError, TransferFailure

_CONNECT_TIMEOUT_S: Final = 10.0
_RECEIVE_SIZE: Final = 1 << 18  # several messages at once: a primary fills them to 16 or 64 KiB


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect to: numeric addresses that were checked, tried in their order. ``where`` is for people."""

    addresses: tuple[str, ...]
    port: int
    where: str


@dataclass(frozen=True, slots=True)
class Patience:
    """``idle_s``: how long a primary may be silent. ``deadline_s``: until when, by ``clock``, all must be over."""

    idle_s: float
    deadline_s: float
    clock: Callable[[], float]


class Connection:
    """An open connection. Every failure is a ``TransferError``."""

    def __init__(self, sock: socket.socket, where: str, patience: Patience) -> None:
        self._sock = sock
        self._where = where
        self._patience = patience
        self._buffer = bytearray()
        self._drain: Drain | None = None
        self.received_bytes = 0

    def send(self, message: bytes) -> None:
        """Sends one message."""
        self._sock.settimeout(min(self._patience.idle_s, self._left_s()))
        try:
            self._sock.sendall(len(message).to_bytes(2, "big") + message)
        except TimeoutError as error:
            raise self._silent() from error
        except OSError as error:
            raise self._cut(str(error)) from error

    def receive(self) -> bytes:
        """The next message. The connection's end in its place is an error: the query is answered with one, at least."""
        size = int.from_bytes(self._take(2), "big")
        return self._take(size)

    def drain(self, directory: Path, limit_bytes: int) -> None:
        """From now on takes whatever comes at once, into a file below ``directory``; nothing can be sent any more."""
        self._drain = Drain(self._sock, directory, self._patience.idle_s, limit_bytes)

    def close(self) -> None:
        """Closes it."""
        if self._drain is not None:
            self._drain.close()
        self._sock.close()

    def _take(self, size: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < size:
            block = self._receive()
            self.received_bytes += len(block)
            buffer += block
        taken = bytes(buffer[:size])
        del buffer[:size]
        return taken

    def _receive(self) -> bytes:
        left_s = self._left_s()
        try:
            if self._drain is not None:
                block = self._drain.recv(left_s)
            else:
                self._sock.settimeout(min(self._patience.idle_s, left_s))
                block = self._sock.recv(_RECEIVE_SIZE)
        except TimeoutError as error:
            self._left_s()
            raise self._silent() from error
        except DrainFailed as error:
            sentence = f"{self._where} sends what cannot be kept on this machine: {error}. Check disk space."
            raise TransferError(TransferFailure.DISK, sentence) from error
        except OSError as error:
            raise self._cut(str(error)) from error
        if not block:
            raise self._cut("the connection was closed")
        return block

    def _left_s(self) -> float:
        left_s = self._patience.deadline_s - self._patience.clock()
        if left_s <= 0:
            raise TransferError(
                TransferFailure.TIMEOUT,
                f"{self._where} takes longer than the list's timeout_s allows. The transfer is discarded.",
            )
        return left_s

    def _silent(self) -> TransferError:
        sentence = f"{self._where} is silent for {self._patience.idle_s:g} s. It is tried again later."
        return TransferError(TransferFailure.TIMEOUT, sentence)

    def _cut(self, how: str) -> TransferError:
        sentence = f"{self._where} broke off before the end ({how}). What came is discarded; it is tried again."
        return TransferError(TransferFailure.CUT, sentence)


def connect(target: Target, patience: Patience) -> Connection:
    """A connection to the first address that takes one. Raises ``TransferError``."""
    last = "no address"
    for address in target.addresses:
        left_s = patience.deadline_s - patience.clock()
        try:
            sock = socket.create_connection((address, target.port), max(0.001, min(_CONNECT_TIMEOUT_S, left_s)))
        except OSError as error:
            last = f"{address}: {error.strerror or error}"
            continue
        return Connection(sock, target.where, patience)
    sentence = f"{target.where} cannot be reached over TCP ({last}). Check address, port and firewall."
    raise TransferError(TransferFailure.UNREACHABLE, sentence)
