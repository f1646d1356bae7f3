"""When a second server is asked, and how often."""

from __future__ import annotations

import pytest

from resolver.upstream.health import Health
from resolver.upstream.hedge import Hedges
from resolver.upstream.latency import Latency
from resolver.upstream.limits import GroupSettings
from resolver.upstream.order import STRATEGIES, Strategy


def test_the_percentile_is_of_the_last_replies_and_unknown_until_there_are_enough() -> None:
    latency = Latency()
    for number in range(15):
        latency.add(number / 1_000)
    assert latency.p95_s == 0.0
    for _ in range(64):
        latency.add(0.010)
    latency.add(0.5)
    for _ in range(63):
        latency.add(0.010)
    assert latency.p95_s == pytest.approx(0.010)
    for _ in range(64):
        latency.add(0.2)
    assert latency.p95_s == pytest.approx(0.2), "what is long ago does not count"


def test_five_slow_ones_of_a_hundred_are_beyond_it() -> None:
    latency = Latency()
    for number in range(64):
        latency.add(1.0 if number % 21 == 20 else 0.01)
    assert latency.p95_s == pytest.approx(0.01)


def health(rtt_s: float) -> Health:
    made = Health()
    for _ in range(16):
        made.measured(rtt_s)
    return made


def test_patience_is_the_percentile_of_the_first_and_not_below_what_matters() -> None:
    hedges = Hedges(0.1)
    assert hedges.patience_s(health(0.05), 1.5) == pytest.approx(0.05)
    assert hedges.patience_s(health(0.001), 1.5) == pytest.approx(0.01)
    assert hedges.patience_s(health(2.0), 1.5) == 0.0, "its time is over before"
    assert hedges.patience_s(Health(), 1.5) == 0.0, "nothing is known of it"


def test_no_more_than_its_share_and_ten_saved_up() -> None:
    hedges = Hedges(0.05)
    slow = health(0.05)
    for _ in range(1_000):
        hedges.patience_s(slow, 1.5)
        hedges.take()
    assert 58 <= hedges.asked <= 61
    for _ in range(10_000):
        hedges.patience_s(slow, 1.5)
    assert sum(hedges.take() for _ in range(100)) == 10


def test_strategies_are_known_by_name() -> None:
    servers = [health(0.02), health(0.01)]
    for name in STRATEGIES:
        strategy = Strategy(name, servers, GroupSettings())
        assert strategy.together == (name != "strict")
        assert strategy.order.plan(0.0)[0] == (0 if name == "strict" else 1)
    with pytest.raises(ValueError, match="there are strict, fastest, race"):
        Strategy("random", servers, GroupSettings())
    assert not Strategy("fastest", servers[:1], GroupSettings()).together
    assert not Strategy("fastest", servers, GroupSettings(hedge_share=0.0)).together
