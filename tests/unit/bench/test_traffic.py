"""The synthesised traffic has the shape that its description promises, and is the same in every run."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bench import traffic
from bench.paced import BLOCKED, CACHED, MISS

_COUNT = 20_000
_LISTED = [f"daftar{number}.example" for number in range(500)]


@pytest.fixture(scope="module")
def queries() -> list[traffic.Query]:
    return list(traffic.queries(_COUNT, _LISTED, random.Random(5)))


def test_shares_of_classes_and_types(queries: list[traffic.Query]) -> None:
    kinds = Counter(kind for _, _, kind in queries)
    assert kinds[MISS] / _COUNT == pytest.approx(traffic.MISS_SHARE, abs=0.01)
    assert kinds[BLOCKED] / _COUNT == pytest.approx(traffic.BLOCKED_SHARE, abs=0.005)
    types = Counter(rrtype for _, rrtype, _ in queries)
    assert {rrtype: count / _COUNT for rrtype, count in types.items()} == pytest.approx(traffic.TYPES, abs=0.015)


def test_popularity_falls_as_zipf_says(queries: list[traffic.Query]) -> None:
    ranks = {name: rank for rank, name in enumerate(traffic.popular_names(), 1)}
    counts = Counter(ranks[name] for name, _, kind in queries if kind == CACHED)
    assert counts[1] / counts[10] == pytest.approx(10**traffic.EXPONENT, rel=0.15)
    assert sum(counts[rank] for rank in range(1, 1_001)) / sum(counts.values()) > 0.75


def test_misses_are_new_names_of_many_zones_and_blocked_ones_are_listed(queries: list[traffic.Query]) -> None:
    missed = [name for name, _, kind in queries if kind == MISS]
    assert len(set(missed)) == len(missed)
    assert all(name.startswith(traffic.RUN) for name in missed)
    assert not any(traffic.RUN in name for name, _, kind in queries if kind != MISS)
    assert len({name.split(".", 1)[1] for name in missed}) > traffic.ZONES * 0.9
    assert {name for name, _, kind in queries if kind == BLOCKED} <= set(_LISTED)


def test_the_same_seed_is_the_same_traffic(queries: list[traffic.Query]) -> None:
    assert list(traffic.queries(_COUNT, _LISTED, random.Random(5))) == queries
