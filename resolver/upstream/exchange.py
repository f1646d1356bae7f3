"""One question put to the servers of a group until one answers: what to do next, without doing it.

One attempt is the current one; others, given up or overlapping with it, may still be answered.

No socket and no clock here. The group tells what happened; each method returns an action, and the group carries it out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import cython

from dnswire.answer import Answer
from dnswire.constants import Rcode
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.wheel import Timed

if TYPE_CHECKING:
    from resolver.upstream.carrier import Carrier

# What the group is to do.
WAIT: Final = 0
SEND: Final = 1  # to ``exchange.server``, by its own transport: UDP, or its encrypted connection
SEND_TCP: Final = 2  # to ``exchange.server``, which is a plain one, by TCP
FINISH: Final = 3  # with ``exchange.answer`` or, where that is None, a failure for ``exchange.reason``

Done = Callable[[Answer | UpstreamFailure, int], None]
"""Called once with the answer and the number (from 1) of the server that gave it, or with a failure and 0."""

# A lost datagram is normal, so even a single server is asked more than once. RFC 9520 3.1 allows three queries to a
# server over a transport before it counts as silent: two in the first round (``resend``), one in the last. Between them
# it is asked by TCP, which itself repeats what is lost.
_ROUNDS: Final = 3
_TCP_ROUND: Final = 1
# A switch to TCP or to no EDNS is not an attempt of its own. A liar could demand one after another for ever.
_MAX_SENDS: Final = 12

_CANNOT: Final = frozenset((Rcode.SERVFAIL, Rcode.REFUSED, Rcode.FORMERR, Rcode.NOTIMP))
# RFC 8914 codes with which a SERVFAIL is a verdict on the name rather than trouble of the server: DNSSEC validation
# failed (5-12, 25, 27) or the upstream blocks it (15-17). Asking on would shop for a server that does not check.
_FINAL_EDE: Final = frozenset((5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 25, 27))


class Owner(Protocol):
    """Whom an exchange tells that its time is up."""

    def attempt_expired(self, exchange: Exchange, now_s: float) -> None:
        """The deadline of the current attempt, or of the whole, has passed."""


@cython.no_gc
@cython.cclass
class Attempt:
    """A query that was sent and may still be answered, while another is the current one of its exchange.

    ``until_s``: when the server has had its time; ``blamed``: it was blamed for that, or cannot be.
    """

    __slots__ = ("blamed", "carrier", "message_id", "sent_s", "until_s")

    def __init__(self, carrier: Carrier, message_id: int, sent_s: float, until_s: float, blamed: bool) -> None:
        self.carrier = carrier
        self.message_id = message_id
        self.sent_s = sent_s
        self.until_s = until_s
        self.blamed = blamed


class Exchange(Timed):
    """A question, the plan (server indexes in order), and how far it got.

    ``cased``: the question with the case of its name mixed. ``deadline_s`` ends the whole, ``attempt_s`` is the
    patience with one server; ``hedge_s`` and ``resend_s``: when a second one is asked beside the first, and when the
    first once more (0: not). ``answer`` is the best so far: a SERVFAIL is kept while others are asked, and given if
    they know no better.
    """

    __slots__ = (
        "answer",
        "answered_by",
        "attempt_s",
        "attempts",
        "blamed",
        "carrier",
        "cased",
        "cd",
        "deadline_s",
        "do",
        "done",
        "ended",
        "hedge_s",
        "message_id",
        "others",
        "overlaps",
        "owner",
        "plain",
        "plan",
        "question",
        "reason",
        "redialled",
        "renewed",
        "resend_s",
        "sends",
        "sent_s",
        "server",
        "tcp",
        "until_s",
    )

    def __init__(
        self,
        owner: Owner,
        question: bytes,
        cased: bytes,
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
        self.cased = cased
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
        self.renewed = 0  # bit per server that was asked again with a new cookie
        self.sent_s = 0.0
        self.until_s = 0.0
        self.blamed = False
        self.carrier: Carrier | None = None
        self.message_id = 0
        self.others: list[Attempt] | None = None  # attempts that are not the current one and may still be answered
        self.overlaps = False  # others were asked before the first had had its time
        self.hedge_s = 0.0
        self.resend_s = 0.0
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
        turn, place = divmod(self.attempts, len(self.plan))
        if turn >= _ROUNDS:
            return self._wait(now_s)
        self.server = self.plan[place]
        self.attempts += 1
        self.tcp = turn == _TCP_ROUND
        return self._send(SEND_TCP if self.tcp else SEND, now_s)

    def resend(self, now_s: float) -> int:
        """The same server once more, by another port: the first datagram may be lost. It gets no more time for it."""
        until_s = self.until_s
        self.blamed = True  # for both together, if for any
        action = self._again(SEND, now_s)
        self.until_s = until_s
        self.due_s = min(until_s, self.deadline_s)
        return action

    def overlap(self, now_s: float) -> int:
        """The next server beside the one that is being asked; nothing where all of the plan are."""
        if self.attempts >= len(self.plan) or self.sends >= _MAX_SENDS:
            return self._wait(now_s)
        self.overlaps = True
        return self.next_attempt(now_s)

    def attempt_timed_out(self, now_s: float) -> int:
        """A server was silent for ``attempt_s``. What it says later still counts, so its ID stays expected."""
        if self.carrier is not None and now_s < min(self.until_s, self.deadline_s):
            # Another one was, and this one has its time still.
            return self.overlap(now_s)
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
        return self._again(SEND_TCP, now_s)

    def connection_lost(self, opened: bool, reason: Reason, now_s: float) -> int:
        """The connection under a query went away; ``opened``: it had been established.

        A server may close an idle connection just as a query is on its way, and the query must then be asked again
        (RFC 7766 6.2.4). Once: a server that closes on every query would otherwise keep us dialling.
        """
        if opened and not self.redialled:
            self.redialled = True
            return self._again(SEND_TCP if self.tcp else SEND, now_s)
        return self.attempt_failed(reason, now_s)

    def without_edns(self, server: int, by_tcp: bool, now_s: float) -> int:
        """FORMERR or NOTIMP. RFC 6891 6.2.2: the query may be retried without an OPT RR; once for each server."""
        bit = 1 << server
        if self.plain & bit:
            return self.attempt_failed(Reason.MALFORMED, now_s)
        self.plain |= bit
        self.server = server
        self.tcp = by_tcp
        return self._again(SEND_TCP if by_tcp else SEND, now_s)

    def with_new_cookie(self, server: int, by_tcp: bool, now_s: float) -> int:
        """BADCOOKIE. RFC 7873 5.3: retry with the server cookie just received; if that is refused too, by TCP."""
        bit = 1 << server
        if by_tcp:
            return self.attempt_failed(Reason.MALFORMED, now_s)
        if self.renewed & bit:
            return self.by_tcp(server, now_s)
        self.renewed |= bit
        self.server = server
        self.tcp = False
        return self._again(SEND, now_s)

    def accepted(self, answer: Answer, server: int, now_s: float) -> int:
        """A valid response. One that says "I cannot" is kept, and the servers not asked yet are."""
        self.answer = answer
        self.answered_by = server
        if answer.rcode not in _CANNOT or not _FINAL_EDE.isdisjoint([code for code, _ in answer.ede]):
            return FINISH
        if self.attempts < len(self.plan):
            return self.next_attempt(now_s)
        return self._wait(now_s) if self._someone_has_time() else FINISH

    def settle(self, carrier: Carrier, message_id: int) -> Attempt | None:
        """A reply for this attempt has come, or none can. Returns it; None where it is not one of these."""
        if self.carrier is carrier and self.message_id == message_id:
            self.carrier = None
            return Attempt(carrier, message_id, self.sent_s, self.until_s, self.blamed)
        for other in self.others or ():
            if other.carrier is carrier and other.message_id == message_id:
                assert self.others is not None
                self.others.remove(other)
                return other
        return None

    def abandon(self, carrier: Carrier) -> list[Attempt]:
        """Nothing that was sent on ``carrier`` will be answered. Returns the attempts that were."""
        gone = [other for other in self.others or () if other.carrier is carrier]
        if gone:
            self.others = [other for other in self.others or () if other.carrier is not carrier]
        if self.carrier is carrier:
            gone.append(Attempt(carrier, self.message_id, self.sent_s, self.until_s, self.blamed))
            self.carrier = None
        return gone

    def open_attempts(self) -> list[Attempt]:
        """All that may still be answered."""
        found = [other for other in self.others or () if other.carrier.awaits(other.message_id, self)]
        if self.carrier is not None and self.carrier.awaits(self.message_id, self):
            found.append(Attempt(self.carrier, self.message_id, self.sent_s, self.until_s, self.blamed))
        return found

    def keep_waiting(self, now_s: float) -> int:
        """Nothing new is to be done."""
        return self._wait(now_s)

    def overdue(self, now_s: float) -> list[Attempt]:
        """Attempts that have had their time and were not blamed for it yet; they are from now on.

        An attempt cut short by the deadline of the whole says nothing about its server.
        """
        found = [other for other in self.others or () if not other.blamed and now_s >= other.until_s]
        for other in found:
            other.blamed = True
        if self.carrier is not None and not self.blamed and now_s >= self.until_s:
            self.blamed = True
            found.append(Attempt(self.carrier, self.message_id, self.sent_s, self.until_s, True))
        return found

    def next_event_s(self) -> float:
        """When something is to be done, unless something happens before."""
        due_s = self.due_s
        if self.hedge_s:
            due_s = min(due_s, self.hedge_s)
        if self.resend_s:
            due_s = min(due_s, self.resend_s)
        return due_s

    def _again(self, action: int, now_s: float) -> int:
        if now_s >= self.deadline_s or self.sends >= _MAX_SENDS:
            return FINISH
        return self._send(action, now_s)

    def _send(self, action: int, now_s: float) -> int:
        self._give_up_attempt()
        self.sends += 1
        self.sent_s = now_s
        self.blamed = False
        self.hedge_s = self.resend_s = 0.0
        self.until_s = now_s + self.attempt_s
        self.due_s = self._due(self.until_s)
        return action

    def _due(self, latest_s: float) -> float:
        due_s = min(latest_s, self.deadline_s)
        for other in self.others or ():
            if not other.blamed:
                due_s = min(due_s, other.until_s)
        return due_s

    def _give_up_attempt(self) -> None:
        if self.carrier is None:
            return
        if self.others is None:
            self.others = []
        self.others.append(Attempt(self.carrier, self.message_id, self.sent_s, self.until_s, self.blamed))
        self.carrier = None

    def _someone_has_time(self) -> bool:
        if self.carrier is not None and not self.blamed:
            return True
        return any(not other.blamed and other.carrier.awaits(other.message_id, self) for other in self.others or ())

    def _wait(self, now_s: float) -> int:
        """Nobody more is asked: until the deadline, if anyone may still answer."""
        others = self.others or ()
        if self.carrier is None and not any(other.carrier.awaits(other.message_id, self) for other in others):
            return FINISH
        if self.answer is not None and not self._someone_has_time():
            return FINISH
        latest_s = self.until_s if self.carrier is not None and not self.blamed else self.deadline_s
        self.due_s = self._due(latest_s)
        return WAIT
