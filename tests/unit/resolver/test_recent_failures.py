from __future__ import annotations

import pytest

from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.upstream.recent import RecentFailures


# RFC 9520 3.2: a resolution failure is cached for at least one second.
def test_a_failure_answers_for_itself_for_its_span() -> None:
    recent = RecentFailures(span_s=1.0)
    failed = UpstreamFailure(Reason.TIMEOUT)
    recent.put(b"a", failed, 10.0)
    assert recent.get(b"a", 10.9) is failed
    assert recent.get(b"b", 10.9) is None
    assert recent.get(b"a", 11.0) is None


# RFC 9520 3.2: the longer a failure goes on, the longer it is to be remembered, five minutes at most.
def test_it_is_remembered_longer_each_time_it_goes_on_and_no_longer_than_the_most() -> None:
    recent = RecentFailures(span_s=1.0, max_span_s=5.0)
    now_s = 10.0
    for span_s in (1.0, 2.0, 4.0, 5.0, 5.0):
        recent.put(b"a", UpstreamFailure(Reason.TIMEOUT), now_s)
        assert recent.get(b"a", now_s + span_s - 0.1) is not None
        assert recent.get(b"a", now_s + span_s) is None
        now_s += span_s
    recent.put(b"a", UpstreamFailure(Reason.TIMEOUT), now_s + 100)
    assert recent.get(b"a", now_s + 101) is None, "an old failure does not count against a new one"


def test_an_answer_or_a_server_that_comes_back_ends_it() -> None:
    recent = RecentFailures(span_s=1.0)
    for _ in range(3):
        recent.put(b"a", UpstreamFailure(Reason.TIMEOUT), 10.0)
        recent.put(b"b", UpstreamFailure(Reason.TIMEOUT), 10.0)
    recent.discard(b"a")
    assert recent.get(b"a", 10.1) is None
    recent.put(b"a", UpstreamFailure(Reason.TIMEOUT), 10.0)
    assert recent.get(b"a", 11.0) is None, "it begins anew"
    recent.clear()
    assert recent.get(b"b", 10.1) is None


@pytest.mark.parametrize("reason", [Reason.OVERLOADED, Reason.CLOSED])
def test_our_own_trouble_is_not_held_against_the_name(reason: Reason) -> None:
    recent = RecentFailures()
    recent.put(b"a", UpstreamFailure(reason), 10.0)
    assert len(recent) == 0


def test_it_does_not_grow_beyond_its_limit() -> None:
    recent = RecentFailures(span_s=1.0, max_entries=100)
    for number in range(1_000):
        recent.put(str(number).encode(), UpstreamFailure(Reason.NETWORK), number * 0.001)
        assert len(recent) <= 100
    assert recent.get(b"999", 1.0) is not None


def test_stale_ones_make_room_first() -> None:
    recent = RecentFailures(span_s=1.0, max_entries=10)
    for number in range(10):
        recent.put(str(number).encode(), UpstreamFailure(Reason.NETWORK), 0.0 if number < 9 else 5.0)
    recent.put(b"new", UpstreamFailure(Reason.NETWORK), 5.5)
    assert recent.get(b"9", 5.5) is not None


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_an_extended_dns_error_that_names_nobody(reason: Reason) -> None:
    code, text = UpstreamFailure(reason).ede
    assert code in (0, 22, 23)
    assert text
    assert not any(character.isdigit() for character in text)
