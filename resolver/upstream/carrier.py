"""What queries to an upstream travel on, a UDP socket or a connection, and which of them wait there."""

from __future__ import annotations

from typing import Protocol

from resolver.upstream.exchange import Exchange
from resolver.upstream.failure import Reason
from resolver.wheel import Timed


class StragglerOwner(Protocol):
    """Whom a straggler tells that its time is up."""

    def straggler_expired(self, straggler: Straggler, now_s: float) -> None:
        """The server did not answer in time, though nobody waits for it any more."""


class Straggler(Timed):
    """A query whose exchange another server has answered meanwhile. Its reply still tells how its own server fares.

    ``sent_s``: when it was sent; ``cased``: the question as it was sent.
    """

    __slots__ = ("_owner", "carrier", "cased", "message_id", "sent_s")

    def __init__(self, owner: StragglerOwner, carrier: Carrier, message_id: int, sent_s: float, cased: bytes) -> None:
        super().__init__()
        self._owner = owner
        self.carrier = carrier
        self.message_id = message_id
        self.sent_s = sent_s
        self.cased = cased

    def expired(self, now_s: float) -> None:
        """Passes it on to the group."""
        self._owner.straggler_expired(self, now_s)


Waiter = Exchange | Straggler


class Carrier:
    """One socket or connection to the server with index ``server``.

    ``table``: message ID (or what a connection tells its replies apart by) -> who waits for it, or ``None`` for an ID
    whose exchange has ended, so that a reply that comes late or twice is not taken for an attack.
    """

    __slots__ = ("opened_s", "pending", "retired", "server", "table")

    def __init__(self, server: int, opened_s: float) -> None:
        self.server = server
        self.opened_s = opened_s
        self.table: dict[int, Waiter | None] = {}
        self.pending = 0
        self.retired = False  # takes no new queries; closes when nothing waits any more

    def expect(self, message_id: int, exchange: Exchange) -> None:
        """A query with this ID goes out for ``exchange``. The ID is not in the table."""
        self.table[message_id] = exchange
        self.pending += 1
        exchange.carrier = self
        exchange.message_id = message_id

    def awaits(self, message_id: int, waiter: Waiter) -> bool:
        """Whether ``waiter`` waits here for this ID."""
        return self.table.get(message_id) is waiter

    def hand_over(self, message_id: int, straggler: Straggler) -> None:
        """From now on ``straggler`` waits in place of who did."""
        self.table[message_id] = straggler

    def forget(self, message_id: int, waiter: Waiter) -> None:
        """``waiter`` does not wait for this ID any more."""
        if self.table.get(message_id) is waiter:
            self.table[message_id] = None
            self.pending -= 1
            if not self.pending and self.retired:
                self.close()

    def retire(self) -> None:
        """Takes no new queries from now on."""
        self.retired = True
        if not self.pending:
            self.close()

    def take_waiting(self) -> list[Waiter]:
        """All who wait here; they do not any more."""
        waiting = [waiter for waiter in self.table.values() if waiter is not None]
        self.table = dict.fromkeys(self.table)
        self.pending = 0
        return waiting

    def close(self) -> None:
        """Gives the socket back. May be called again."""
        raise NotImplementedError


class Delivery:
    """A reply on a connection. ``message``: None where the server will not give one for this query alone.

    ``age_s``: for how long a cache on the way has kept it (RFC 8484 5.1).
    """

    __slots__ = ("age_s", "key", "message")

    def __init__(self, key: int, message: bytes | None, age_s: int = 0) -> None:
        self.key = key
        self.message = message
        self.age_s = age_s


class Events(Protocol):
    """What carriers tell their group."""

    def replied(self, carrier: Carrier, message_id: int, message: bytes) -> None:
        """A UDP message came whose ID is in the table."""

    def delivered(self, carrier: Carrier, delivery: Delivery) -> None:
        """A reply came by a connection, whose key is in the table."""

    def near_miss(self, carrier: Carrier, verdict: int, message_id: int) -> None:
        """A message came that answers none of the queries that wait here. ``message_id``: -1 where it has none."""

    def lost(self, carrier: Carrier, reason: Reason) -> None:
        """The carrier failed under the queries that wait on it."""

    def clock(self) -> float:
        """Seconds, monotonic."""
