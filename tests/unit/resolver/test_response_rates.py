"""Response rate limiting: the same answer to one network, again and again."""

from __future__ import annotations

from resolver.response_rates import ResponseRates
from tests.support.dns import answer, ask, heard

VICTIM, NEIGHBOUR, OTHER = bytes((203, 0, 113, 7)), bytes((203, 0, 113, 8)), bytes((198, 51, 100, 7))


def positive(name: str) -> bytes:
    return answer(ask(name), f"{name}. 300 IN A 192.0.2.1")


def negative(name: str) -> bytes:
    return answer(ask(name), authority=("example. 300 IN SOA ns.example. h.example. 1 2 3 4 60",), rcode="NXDOMAIN")


def sent(rates: ResponseRates, responses: list[bytes], address: bytes = VICTIM, now_s: float = 100.0) -> list[str]:
    found = [rates.pass_on(response, address, now_s) for response in responses]
    return ["-" if not one else "tc" if "tc" in heard(one).flags else "+" for one in found]


def test_the_same_answer_to_one_network() -> None:
    rates = ResponseRates(3, slip=2)
    assert sent(rates, [positive("a.example")] * 7) == ["+", "+", "+", "-", "tc", "-", "tc"]
    assert sent(rates, [positive("a.example")], NEIGHBOUR) == ["-"]
    assert sent(rates, [positive("a.example")], OTHER) == ["+"]
    assert sent(rates, [positive("b.example")]) == ["+"]
    assert sent(rates, [positive("a.example")] * 4, now_s=101.0) == ["+", "+", "+", "tc"]


def test_random_names_below_one_zone_are_one_kind() -> None:
    rates = ResponseRates(2, slip=0)
    assert sent(rates, [negative(f"r{number}.korban.example") for number in range(4)]) == ["+", "+", "-", "-"]
    assert sent(rates, [negative("r1.kantor.example")]) == ["+"]


def test_what_slips_is_empty_and_small() -> None:
    rates = ResponseRates(1, slip=1)
    response = positive("a.example")
    rates.pass_on(response, VICTIM, 100.0)
    slipped = rates.pass_on(response, VICTIM, 100.0)
    said = heard(slipped)
    assert (said.answer, said.authority, said.question) == ((), (), "a.example IN A")
    assert len(slipped) < len(response)


def test_a_clock_that_was_set_back() -> None:
    rates = ResponseRates(1, slip=0)
    assert sent(rates, [positive("a.example")] * 2, now_s=100.0) == ["+", "-"]
    assert sent(rates, [positive("a.example")], now_s=50.0) == ["-"]
