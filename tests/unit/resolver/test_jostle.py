"""Who gives up his place, on a clock of the test's own."""

from __future__ import annotations

import math

from dnswire.name import from_text
from resolver.upstream.exchange import Exchange
from resolver.upstream.jostle import Places
from resolver.zone_pressure import ZonePressure, suffixes
from tests.support import dns_messages as say
from tests.unit.resolver.test_exchange import NoOwner

PATIENCE_S = 0.2


def exchange(name: str) -> Exchange:
    asked = say.question(name)
    return Exchange(NoOwner(), asked, asked, False, False, (0,), 1.5, 4.0, lambda result, upstream: None)


def places(*names: tuple[str, float], load: ZonePressure | None = None) -> tuple[Places, list[Exchange]]:
    """All these under way, each with the second it began."""
    pressure = load or ZonePressure(256)
    made = Places(lambda exchange: PATIENCE_S, pressure.load)
    exchanges = [exchange(name) for name, _ in names]
    for one, (name, since_s) in zip(exchanges, names, strict=True):
        made.take(one, since_s)
        pressure.enter(suffixes(from_text(name)))
    return made, exchanges


def test_who_has_time_still_keeps_his_place() -> None:
    made, (first,) = places(("a.satu.example", 10.0))
    assert made.evict(10.0 + PATIENCE_S) is None
    assert made.evict(10.001 + PATIENCE_S) is first


def test_among_like_zones_the_longest_overdue_goes() -> None:
    made, (first, second) = places(("a.satu.example", 10.0), ("a.dua.example", 10.1))
    assert made.evict(11.0) is first
    assert made.evict(11.0) is first, "the caller ends it, and only then has it left"
    made.leave(first)
    assert made.evict(11.0) is second
    assert made.evicted == 3


def test_a_slow_name_outlives_those_of_a_flooded_zone() -> None:
    flood = [(f"r{number}.korban.example", 10.0 + number / 100) for number in range(5)]
    made, (slow, *victims) = places(("lambat.kantor.example", 9.9), *flood)
    for victim in victims:
        assert made.evict(11.0) is victim
        made.leave(victim)
    assert made.evict(11.0) is slow


def test_many_slow_names_outlive_them_too() -> None:
    """Those that were spared once do not stand in the way of looking at others."""
    mixed = [f"r{n}.korban.example" if n % 3 else f"lambat.kantor-{n}.example" for n in range(150)]
    made, exchanges = places(*((name, 10.0 + number / 1_000) for number, name in enumerate(mixed)))
    for _ in range(100):
        victim = made.evict(11.0)
        assert victim is not None
        made.leave(victim)
    assert set(made.all()) == set(exchanges[::3])


def test_how_long_each_may_take_is_its_own() -> None:
    far, near = exchange("a.jauh.example"), exchange("a.dekat.example")
    made = Places(lambda one: 2.0 if one is far else PATIENCE_S)
    made.take(far, 10.0)
    made.take(near, 10.5)
    assert made.evict(11.0) is near
    made.leave(near)
    assert made.evict(11.0) is None


def test_those_that_always_keep_their_place_do_not_stand_in_the_way() -> None:
    """Probes: as many as there are servers, and the oldest of all while the servers stay dead."""
    probes = [exchange(".") for _ in range(8)]
    late = exchange("a.satu.example")
    made = Places(lambda one: math.inf if one in probes else PATIENCE_S)
    for one in (*probes, late):
        made.take(one, 10.0)
    assert [made.evict(11.0) for _ in range(3)] == [None, None, late]
    made.leave(late)
    assert [made.evict(11.0) for _ in range(3)] == [None, None, None]


def test_the_work_is_bounded_however_many_wait() -> None:
    asked: list[Exchange] = []

    def expected_s(exchange: Exchange) -> float:
        asked.append(exchange)
        return PATIENCE_S

    made = Places(expected_s)
    for number in range(1_000):
        made.take(exchange(f"a.z{number}.example"), 10.0)
    assert made.evict(11.0) is not None
    assert len(asked) == 4


def test_some_of_the_evicted_are_still_waited_for_on_the_side() -> None:
    """Or a flood would hide that a server is dead."""
    made = Places(lambda exchange: PATIENCE_S)
    for number in range(64):
        made.take(exchange(f"a.z{number}.example"), 10.0)
    watched = 0
    while (victim := made.evict(11.0)) is not None:
        made.leave(victim)
        watched += victim.overlaps
    assert (watched, made.evicted, len(made)) == (4, 64, 0)
