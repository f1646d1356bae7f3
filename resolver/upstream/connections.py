"""The connections to one server: as few as will do (RFC 7766 6.2.2), each used for many queries."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from resolver.upstream.connection import Connection


class Connections:
    """``dial(session)`` makes a connection, resuming a TLS session where there is one; ``most`` are open at a time.

    ``dialled``: since the start. ``why``: the last trouble, in words.
    """

    __slots__ = ("_dial", "_most", "_open", "_resumed", "_session", "dialled", "why")

    def __init__(self, dial: Callable[[ssl.SSLSession | None], Connection], most: int) -> None:
        self._dial = dial
        self._most = most
        self._open: list[Connection] = []
        self._session: ssl.SSLSession | None = None
        self.dialled = 0
        self._resumed = 0
        self.why = ""

    def take(self) -> Connection | None:
        """A connection for one query more; None where all are full."""
        for connection in self._open:
            if connection.usable:
                return connection
        self._forget_closed()
        # One that takes no new queries but still waits for replies holds no place of a new one.
        if sum(not connection.retired for connection in self._open) >= self._most:
            return None
        connection = self._dial(self._session)
        self.dialled += 1
        self._open.append(connection)
        return connection

    def lost(self, connection: Connection) -> None:
        """The connection has failed."""
        self.why = connection.why or self.why
        if connection.tls is not None and not connection.opened:
            self._session = None  # it may have been what the server did not like

    def close(self) -> list[Connection]:
        """Closes all, and gives them back to be waited for."""
        closed = self._open
        for connection in closed:
            connection.close()
        self._open = []
        return closed

    @property
    def resumptions(self) -> int:
        """How many connections, since the start, went on with the TLS session of an earlier one."""
        return self._resumed + sum(map(_is_resumed, self._open))

    def _forget_closed(self) -> None:
        for connection in self._open:
            tls = connection.tls
            if tls is not None and tls.ready:
                # TLS 1.3 gives sessions some time after the handshake, so they are taken late.
                self._session = tls.session or self._session
        self._resumed += sum(_is_resumed(connection) for connection in self._open if connection.closed)
        self._open = [connection for connection in self._open if not connection.closed]


def _is_resumed(connection: Connection) -> bool:
    return connection.tls is not None and connection.tls.ready and connection.tls.resumed
