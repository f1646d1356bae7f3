"""One question put to the servers of a group until one answers: what to do next, without doing it.

No socket and no clock here. The group tells what happened; each method returns an action, and the group carries it out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from dnswire.answer import Answer
from dnswire.constants import Rcode
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.wheel import Timed

if TYPE_CHECKING:
    from resolver.upstream.carrier import Carrier

# What the group is to do.
WAIT: Final = 0
SEND_UDP: Final = 1  # to ``exchange.server``
SEND_TCP: Final = 2  # to ``exchange.server``
FINISH: Final = 3  # with ``exchange.answer`` or, where that is None, a failure for ``exchange.reason``

Done = Callable[[Answer | UpstreamFailure, int], None]
"""Called once with the answer and the number (from 1) of the server that gave it, or with a failure and 0."""

# A lost datagram is normal, so even a single server is asked more than once.
_MIN_ATTEMPTS: Final = 3
_ROUNDS: Final = 2
# A switch to TCP or to no EDNS is not an attempt of its own. A liar could demand one after another for ever.
_MAX_SENDS: Final = 12

# RFC 8914 codes with which a SERVFAIL is a verdict on the name rather than trouble of the server: DNSSEC validation
# failed (5-12, 25, 27) or the upstream blocks it (15-17). Asking on would shop for a server that does not check.
_FINAL_EDE: Final = frozenset((5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 25, 27))


class Owner(Protocol):
    """Whom an exchange tells that its time is up."""

    def attempt_expired(self, exchange: Exchange, now_s: float) -> None:
        """The deadline of the current attempt, or of the whole, has passed."""


class Exchange(Timed):
    """A question, the plan (server indexes in order), and how far it got.

    ``deadline_s`` ends the whole, ``attempt_s`` is the patience with one server. ``answer`` is the best so far: a
    SERVFAIL is kept while others are asked, and given if they know no better.
    """

    __slots__ = (
        "answer",
        "answered_by",
        "attempt_s",
        "attempts",
        "carrier",
        "cd",
        "deadline_s",
        "do",
        "done",
        "ended",
        "message_id",
        "older",
        "owner",
        "plain",
        "plan",
        "question",
        "reason",
        "redialled",
        "sends",
        "sent_s",
        "server",
        "tcp",
    )

    def __init__(
        self,
        owner: Owner,
        question: bytes,
        do: bool,
        cd: bool,
        plan: tuple[int, ...],
        attempt_s: float,
        deadline_s: float,
        done: Done,
    ) -> None:
        self.due_s = -1.0
        self.slot = -1
        self.owner = owner
        self.question = question
        self.do = do
        self.cd = cd
        self.plan = plan
        self.attempt_s = attempt_s
        self.deadline_s = deadline_s
        self.done = done
        self.attempts = 0
        self.sends = 0
        self.server = -1
        self.tcp = False
        self.redialled = False
        self.plain = 0  # bit per server that was asked without EDNS
        self.sent_s = 0.0
        self.carrier: Carrier | None = None
        self.message_id = 0
        self.older: list[tuple[Carrier, int]] | None = None  # attempts given up that may still be answered
        self.answer: Answer | None = None
        self.answered_by = -1
        self.reason = Reason.TIMEOUT
        self.ended = False

    def expired(self, now_s: float) -> None:
        """Passes the deadline on to the group."""
        self.owner.attempt_expired(self, now_s)

    def next_attempt(self, now_s: float) -> int:
        """On to the next server of the plan, round again where it ends."""
        if now_s >= self.deadline_s or self.sends >= _MAX_SENDS:
            return FINISH
        if self.attempts >= max(_MIN_ATTEMPTS, _ROUNDS * len(self.plan)):
            return self._wait_for_stragglers()
        self.server = self.plan[self.attempts % len(self.plan)]
        self.attempts += 1
        self.tcp = False
        return self._send(SEND_UDP, now_s)

    def attempt_timed_out(self, now_s: float) -> int:
        """The server was silent for ``attempt_s``. What it says later still counts, so its ID stays expected."""
        self._give_up_attempt()
        return self.next_attempt(now_s)

    def attempt_failed(self, reason: Reason, now_s: float) -> int:
        """The server cannot be asked (refused, unreachable, nonsense by TCP)."""
        self.reason = reason
        return self.next_attempt(now_s)

    def by_tcp(self, server: int, now_s: float) -> int:
        """The reply was truncated, or someone guesses at our IDs: this server again, over a connection."""
        self.server = server
        self.tcp = True
        if self.sends >= _MAX_SENDS:
            return FINISH
        return self._send(SEND_TCP, now_s)

    def connection_lost(self, opened: bool, now_s: float) -> int:
        """The connection under a query by TCP went away; ``opened``: it had been established.

        A server may close an idle connection just as a query is on its way, and the query must then be asked again
        (RFC 7766 6.2.4). Once: a server that closes on every query would otherwise keep us dialling.
        """
        if opened and not self.redialled:
            self.redialled = True
            return self.by_tcp(self.server, now_s)
        return self.attempt_failed(Reason.NETWORK, now_s)

    def without_edns(self, server: int, now_s: float) -> int:
        """FORMERR or NOTIMP. RFC 6891 6.2.2: the query may be retried without an OPT RR; once for each server."""
        bit = 1 << server
        if self.plain & bit or self.sends >= _MAX_SENDS:
            return self.attempt_failed(Reason.MALFORMED, now_s)
        self.plain |= bit
        self.server = server
        return self._send(SEND_TCP if self.tcp else SEND_UDP, now_s)

    def accepted(self, answer: Answer, server: int, now_s: float) -> int:
        """A valid response. One that says "I cannot" is kept, and the servers not asked yet are."""
        self.answer = answer
        self.answered_by = server
        if answer.rcode not in (Rcode.SERVFAIL, Rcode.REFUSED):
            return FINISH
        if self.attempts >= len(self.plan) or not _FINAL_EDE.isdisjoint(code for code, _ in answer.ede):
            return FINISH
        return self.next_attempt(now_s)

    def _send(self, action: int, now_s: float) -> int:
        self._give_up_attempt()
        self.sends += 1
        self.sent_s = now_s
        self.due_s = min(now_s + self.attempt_s, self.deadline_s)
        return action

    def _give_up_attempt(self) -> None:
        if self.carrier is None:
            return
        if self.older is None:
            self.older = []
        self.older.append((self.carrier, self.message_id))
        self.carrier = None

    def _wait_for_stragglers(self) -> int:
        """Every attempt is spent: until the deadline, if anyone may still answer."""
        self._give_up_attempt()
        if self.answer is not None or not self.older:
            return FINISH
        if all(carrier.table.get(message_id) is not self for carrier, message_id in self.older):
            return FINISH
        self.due_s = self.deadline_s
        return WAIT
