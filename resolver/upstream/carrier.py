"""What queries to an upstream travel on, a UDP socket or a TCP connection, and which of them wait there."""

from __future__ import annotations

from typing import Protocol

from resolver.upstream.exchange import Exchange


class Carrier:
    """One socket or connection to the server with index ``server``.

    ``table``: message ID -> the exchange that waits for it, or ``None`` for an ID whose exchange has ended, so that a
    reply that comes late or twice is not taken for an attack.
    """

    __slots__ = ("opened_s", "pending", "retired", "server", "table")

    def __init__(self, server: int, opened_s: float) -> None:
        self.server = server
        self.opened_s = opened_s
        self.table: dict[int, Exchange | None] = {}
        self.pending = 0
        self.retired = False  # takes no new queries; closes when nothing waits any more

    def expect(self, message_id: int, exchange: Exchange) -> None:
        """A query with this ID goes out for ``exchange``. The ID is not in the table."""
        self.table[message_id] = exchange
        self.pending += 1
        exchange.carrier = self
        exchange.message_id = message_id

    def forget(self, message_id: int, exchange: Exchange) -> None:
        """``exchange`` does not wait for this ID any more."""
        if self.table.get(message_id) is exchange:
            self.table[message_id] = None
            self.pending -= 1
            if not self.pending and self.retired:
                self.close()

    def retire(self) -> None:
        """Takes no new queries from now on."""
        self.retired = True
        if not self.pending:
            self.close()

    def take_waiting(self) -> list[Exchange]:
        """All exchanges that wait here; they do not any more."""
        waiting = [exchange for exchange in self.table.values() if exchange is not None]
        self.table = dict.fromkeys(self.table)
        self.pending = 0
        return waiting

    def close(self) -> None:
        """Gives the socket back. May be called again."""
        raise NotImplementedError


class Events(Protocol):
    """What carriers tell their group."""

    def replied(self, carrier: Carrier, message_id: int, message: bytes) -> None:
        """A message came whose ID is in the table."""

    def near_miss(self, carrier: Carrier, verdict: int) -> None:
        """A message came that answers none of the queries that wait here."""

    def lost(self, carrier: Carrier) -> None:
        """The carrier failed under the queries that wait on it."""

    def clock(self) -> float:
        """Seconds, monotonic."""
