"""What an exchange does next, without sockets and without waiting."""

from __future__ import annotations

import pytest

from dnswire.answer import Answer, parse_answer
from resolver.upstream.carrier import Carrier
from resolver.upstream.exchange import FINISH, SEND, SEND_TCP, WAIT, Exchange
from resolver.upstream.failure import Reason
from tests.support import dns_messages as say

ASKED = say.question("a.example")
GOOD = parse_answer(say.response(ASKED, answer=(say.a("a.example"),)))


class FakeCarrier(Carrier):
    __slots__ = ("is_closed",)

    def close(self) -> None:
        self.is_closed = True


class NoOwner:
    def attempt_expired(self, exchange: Exchange, now_s: float) -> None:
        raise AssertionError("no timer runs here")


def exchange(plan: tuple[int, ...] = (0, 1)) -> Exchange:
    return Exchange(NoOwner(), ASKED, ASKED, False, False, plan, 1.5, 4.0, lambda result, upstream: None)


def sent(asked: Exchange, message_id: int = 7) -> Carrier:
    """As the group does after an action to send."""
    carrier = FakeCarrier(asked.server, 0.0)
    carrier.expect(message_id, asked)
    return carrier


def timed_out(asked: Exchange, now_s: float) -> int:
    """As the group does when its timer says so."""
    asked.overdue(now_s)
    return asked.attempt_timed_out(now_s)


def said(asked: Exchange, answer: Answer, server: int, now_s: float) -> int:
    """As the group does with a reply to the current attempt."""
    if asked.carrier is not None:
        asked.carrier.forget(asked.message_id, asked)
        asked.settle(asked.carrier, asked.message_id)
    return asked.accepted(answer, server, now_s)


def servfail(*options: bytes, rcode: int = 2) -> Answer:
    return parse_answer(say.response(ASKED, rcode=rcode, additional=(say.opt(b"".join(options)),)))


def test_the_first_server_first_then_the_next_each_with_its_own_patience() -> None:
    asked = exchange()
    assert (asked.next_attempt(0.0), asked.server, asked.due_s) == (SEND, 0, 1.5)
    sent(asked)
    assert (timed_out(asked, 1.5), asked.server, asked.due_s) == (SEND, 1, 3.0)
    sent(asked)
    # RFC 9520 3.1: three queries by one transport are enough; between them it goes by another.
    assert (timed_out(asked, 3.0), asked.server, asked.due_s) == (SEND_TCP, 0, 4.0)
    sent(asked)
    assert timed_out(asked, 4.0) == FINISH
    assert (asked.answer, asked.reason) == (None, Reason.TIMEOUT)


def test_one_server_alone_is_asked_again() -> None:
    asked = exchange((0,))
    for now_s, way in ((0.0, SEND), (1.5, SEND_TCP), (3.0, SEND)):
        action = asked.next_attempt(now_s) if not now_s else timed_out(asked, now_s)
        assert (action, asked.server) == (way, 0)
        sent(asked)
    assert timed_out(asked, 4.0) == FINISH


def test_a_second_datagram_gives_the_server_no_more_time_and_no_second_blame() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    sent(asked, 1)
    assert (asked.resend(0.4), asked.server, asked.due_s) == (SEND, 0, 1.5)
    second = sent(asked, 2)
    assert [a.carrier for a in asked.overdue(1.5)] == [second]
    assert (asked.attempt_timed_out(1.5), asked.server) == (SEND, 1)
    assert asked.overdue(1.9) == []


def test_what_a_slow_server_says_late_is_still_expected() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    slow = sent(asked)
    timed_out(asked, 1.5)
    assert slow.table[7] is asked
    assert asked.accepted(GOOD, 0, 1.6) == FINISH
    assert asked.answered_by == 0


def test_when_all_is_spent_it_waits_for_stragglers_to_the_deadline() -> None:
    asked = Exchange(NoOwner(), ASKED, ASKED, False, False, (0,), 0.125, 4.0, lambda result, upstream: None)
    asked.next_attempt(0.0)
    sent(asked, 1)
    timed_out(asked, 0.125)
    sent(asked, 2)
    timed_out(asked, 0.25)
    sent(asked, 3)
    assert (timed_out(asked, 0.375), asked.due_s) == (WAIT, 4.0)


def test_where_nobody_is_left_to_answer_it_ends_at_once() -> None:
    asked = exchange((0,))
    action = asked.next_attempt(0.0)
    while action in (SEND, SEND_TCP):
        action = asked.attempt_failed(Reason.NETWORK, 0.0)
    assert (action, asked.reason, asked.attempts) == (FINISH, Reason.NETWORK, 3)


def test_servfail_is_kept_while_the_others_are_asked() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    assert (asked.accepted(servfail(), 0, 0.1), asked.server) == (SEND, 1)
    assert asked.accepted(GOOD, 1, 0.2) == FINISH
    assert (asked.answer, asked.answered_by) == (GOOD, 1)


@pytest.mark.parametrize("rcode", [2, 5])
def test_if_nobody_knows_better_the_refusal_is_the_answer(rcode: int) -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    sent(asked, 1)
    said(asked, servfail(rcode=rcode), 0, 0.1)
    sent(asked, 2)
    assert said(asked, servfail(rcode=rcode), 1, 0.2) == FINISH
    assert asked.answer is not None
    assert asked.answer.rcode == rcode


# RFC 8914 4.7 "DNSSEC Bogus": asking a server that does not validate would get what the first one protects from.
@pytest.mark.parametrize("code", [6, 7, 9, 15, 16, 17])
def test_a_verdict_on_the_name_is_final(code: int) -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    assert asked.accepted(servfail(say.ede(code)), 0, 0.1) == FINISH


def test_a_servers_own_trouble_is_not_final() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    assert asked.accepted(servfail(say.ede(23)), 0, 0.1) == SEND


def test_truncated_goes_to_the_same_server_by_tcp() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    assert (asked.by_tcp(0, 0.2), asked.server, asked.tcp, asked.due_s) == (SEND_TCP, 0, True, 1.7)


def test_a_connection_lost_is_opened_again_once() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    asked.by_tcp(0, 0.0)
    assert asked.connection_lost(True, Reason.NETWORK, 0.1) == SEND_TCP
    assert (asked.connection_lost(True, Reason.NETWORK, 0.2), asked.server) == (SEND, 1)


def test_a_connection_that_never_opened_is_not_tried_twice() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    asked.by_tcp(0, 0.0)
    assert (asked.connection_lost(False, Reason.UNTRUSTED, 0.1), asked.server) == (SEND, 1)


# RFC 6891 6.2.2: "a requestor MAY ... retry without EDNS".
def test_without_edns_each_server_is_asked_once() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    assert (asked.without_edns(0, False, 0.1), asked.server, asked.plain) == (SEND, 0, 1)
    assert (asked.without_edns(0, False, 0.2), asked.server) == (SEND, 1), "FORMERR to a plain query: the next"


def test_without_edns_stays_on_tcp() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    asked.by_tcp(0, 0.0)
    assert asked.without_edns(0, True, 0.1) == SEND_TCP


def test_the_number_of_queries_is_bounded_whatever_the_servers_say() -> None:
    asked = exchange()
    action = asked.next_attempt(0.0)
    sends = 0
    while action in (SEND, SEND_TCP) and sends < 100:
        sends += 1
        sent(asked)
        action = asked.by_tcp(sends % 2, 0.001 * sends)
    assert action == FINISH
    assert sends <= 12


def test_no_attempt_begins_after_the_deadline_or_lasts_beyond_it() -> None:
    asked = exchange()
    asked.next_attempt(3.5)
    assert asked.due_s == 4.0
    assert asked.attempt_failed(Reason.NETWORK, 4.0) == FINISH


# Several at a time: hedges and races.


def test_a_second_server_is_asked_beside_the_first_and_each_has_its_own_time() -> None:
    asked = exchange((0, 1, 2))
    asked.next_attempt(0.0)
    first = sent(asked, 1)
    assert (asked.overlap(0.2), asked.server, asked.due_s) == (SEND, 1, 1.5)
    second = sent(asked, 2)
    assert asked.overdue(1.4) == []
    assert [a.carrier for a in asked.overdue(1.5)] == [first]
    assert (timed_out(asked, 1.5), asked.server, asked.due_s) == (SEND, 2, 1.7), "the second has 0.2 s left"
    sent(asked, 3)
    assert [a.carrier for a in asked.overdue(1.7)] == [second]
    assert asked.overdue(1.8) == [], "nobody is blamed twice"


def test_one_that_cannot_say_waits_for_those_that_still_may() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    first = sent(asked, 1)
    asked.overlap(0.1)
    sent(asked, 2)
    first.forget(1, asked)
    assert asked.settle(first, 1) is not None
    assert (asked.accepted(servfail(), 0, 0.2), asked.due_s) == (WAIT, 1.6)
    assert asked.accepted(GOOD, 1, 0.3) == FINISH


def test_where_all_of_the_plan_are_asked_none_is_asked_beside_them() -> None:
    asked = exchange((0,))
    asked.next_attempt(0.0)
    sent(asked, 1)
    assert (asked.overlap(0.1), asked.due_s, asked.sends) == (WAIT, 1.5, 1)


def test_what_is_still_open_is_known_at_the_end() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    first = sent(asked, 1)
    asked.overlap(0.1)
    second = sent(asked, 2)
    assert [a.message_id for a in asked.open_attempts()] == [1, 2]
    second.forget(2, asked)
    assert [a.message_id for a in asked.open_attempts()] == [1]
    assert [a.message_id for a in asked.abandon(first)] == [1]
    assert asked.abandon(first) == []


# RFC 7873 5.3: BADCOOKIE is answered with the cookie it came with; where that is refused, too, TCP needs none.
def test_a_new_cookie_is_shown_once_then_it_goes_by_tcp() -> None:
    asked = exchange()
    asked.next_attempt(0.0)
    assert (asked.with_new_cookie(0, False, 0.1), asked.tcp) == (SEND, False)
    assert (asked.with_new_cookie(0, False, 0.2), asked.server, asked.tcp) == (SEND_TCP, 0, True)
    assert (asked.with_new_cookie(0, True, 0.3), asked.server) == (SEND, 1)
