from __future__ import annotations

from dnswire.answer import Answer, parse_answer
from resolver.coalesce import Coalescer
from resolver.upstream.failure import Reason, UpstreamFailure
from tests.support import dns_messages as say

ANSWER = parse_answer(say.response(say.question("a.example"), answer=(say.a("a.example"),)))


class Asker:
    def __init__(self) -> None:
        self.heard: list[tuple[Answer | UpstreamFailure, int]] = []

    def done(self, result: Answer | UpstreamFailure, upstream: int) -> None:
        self.heard.append((result, upstream))


def coalescer(max_waiting: int = 10) -> tuple[Coalescer, list[Exception]]:
    errors: list[Exception] = []
    return Coalescer(max_waiting, errors.append), errors


def test_those_who_ask_the_same_share_one_exchange() -> None:
    shared, _ = coalescer()
    first, second, other = Asker(), Asker(), Asker()
    flight = shared.join(b"key", first.done)
    assert flight is not None
    assert shared.join(b"key", second.done) is None
    assert shared.join(b"other key", other.done) is not None
    flight.landed(ANSWER, 2)
    assert first.heard == second.heard == [(ANSWER, 2)]
    assert other.heard == []
    assert len(shared) == 1


def test_after_the_answer_the_next_starts_anew() -> None:
    shared, _ = coalescer()
    flight = shared.join(b"key", Asker().done)
    assert flight is not None
    flight.landed(ANSWER, 1)
    assert shared.join(b"key", Asker().done) is not None


def test_too_many_behind_one_exchange_are_refused() -> None:
    shared, _ = coalescer(max_waiting=2)
    shared.join(b"key", Asker().done)
    shared.join(b"key", Asker().done)
    late = Asker()
    assert shared.join(b"key", late.done) is None
    failure, upstream = late.heard[0]
    assert isinstance(failure, UpstreamFailure)
    assert (failure.reason, upstream) == (Reason.OVERLOADED, 0)
    assert shared.refused == 1


def test_a_waiter_that_raises_costs_nobody_else_the_answer() -> None:
    shared, errors = coalescer()
    second = Asker()

    def faulty(result: Answer | UpstreamFailure, upstream: int) -> None:
        raise RuntimeError("faulty")

    flight = shared.join(b"key", faulty)
    shared.join(b"key", second.done)
    assert flight is not None
    flight.landed(ANSWER, 1)
    assert second.heard == [(ANSWER, 1)]
    assert [str(error) for error in errors] == ["faulty"]


def test_asking_the_same_again_from_within_the_answer_starts_a_new_exchange() -> None:
    shared, _ = coalescer()
    flights = []

    def again(result: Answer | UpstreamFailure, upstream: int) -> None:
        flights.append(shared.join(b"key", Asker().done))

    flight = shared.join(b"key", again)
    assert flight is not None
    flight.landed(ANSWER, 1)
    assert flights[0] is not None
    assert flights[0] is not flight
    assert len(shared) == 1
