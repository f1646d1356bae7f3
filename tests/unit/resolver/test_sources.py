"""Rates of sources, and how many questions may wait for one zone."""

from __future__ import annotations

import pytest

from dnswire.name import from_text, to_text
from resolver.sources import MAX_SOURCES, Judgement, SourceLimits, Sources
from resolver.zone_pressure import ZonePressure, suffixes

A, B = bytes((10, 1, 0, 5)), bytes((10, 1, 0, 6))


def judged(sources: Sources, address: bytes, times: int, now_s: float) -> list[Judgement]:
    source = sources.of(address, now_s)
    return [Judgement(source.judge(now_s)) for _ in range(times)]


def test_a_burst_then_the_rate() -> None:
    sources = Sources(SourceLimits(client_qps=2, burst_s=2, slip=0))
    assert judged(sources, A, 5, 0) == [Judgement.PASS] * 4 + [Judgement.DROP]
    assert judged(sources, A, 3, 1) == [Judgement.PASS] * 2 + [Judgement.DROP]
    assert judged(sources, B, 4, 1) == [Judgement.PASS] * 4
    assert judged(sources, A, 5, 100) == [Judgement.PASS] * 4 + [Judgement.DROP]


def test_every_so_many_th_over_the_limit_slips() -> None:
    sources = Sources(SourceLimits(client_qps=1, burst_s=1, slip=3))
    assert judged(sources, A, 7, 0)[1:] == [Judgement.DROP, Judgement.DROP, Judgement.SLIP] * 2


def test_a_clock_that_is_set_back_gives_nothing_and_takes_nothing() -> None:
    sources = Sources(SourceLimits(client_qps=1, burst_s=1, slip=0))
    assert judged(sources, A, 1, 100) == [Judgement.PASS]
    assert judged(sources, A, 1, 50) == [Judgement.DROP]
    assert judged(sources, A, 1, 51) == [Judgement.PASS]


def test_a_prefix_counts_all_its_addresses() -> None:
    sources = Sources(SourceLimits(prefix_qps=3, burst_s=1, slip=0))
    assert judged(sources, A, 2, 0) + judged(sources, B, 2, 0) == [Judgement.PASS] * 3 + [Judgement.DROP]
    assert judged(sources, bytes((10, 1, 1, 5)), 1, 0) == [Judgement.PASS]
    six = bytes.fromhex("20010db8000000000000000000000001")
    other = bytes.fromhex("20010db80000001f0000000000000002")
    assert judged(sources, six, 2, 0) + judged(sources, other, 2, 0) == [Judgement.PASS] * 3 + [Judgement.DROP]


def test_exempt_and_mapped_addresses() -> None:
    sources = Sources(SourceLimits(client_qps=1, burst_s=1, slip=0, exempt=("10.1.0.5/32",)))
    mapped = bytes(10) + b"\xff\xff" + A
    assert judged(sources, A, 50, 0) + judged(sources, mapped, 50, 0) == [Judgement.PASS] * 100
    assert sources.of(mapped, 0) is sources.of(A, 0)


def test_no_rate_costs_no_look_and_a_wrong_network_is_named() -> None:
    assert not Sources(SourceLimits()).limiting
    with pytest.raises(ValueError, match=r"10\.0\.0\.300"):
        Sources(SourceLimits(exempt=("10.0.0.300",)))


def test_forged_sources_fill_no_memory() -> None:
    sources = Sources(SourceLimits(client_qps=1, prefix_qps=1))
    for number in range(MAX_SOURCES + 10):
        sources.of(number.to_bytes(4, "big"), 0)
    assert len(sources._sources) == 10


@pytest.mark.parametrize(
    ("name", "near", "far"),
    [
        ("x1.korban.example", "korban.example", ""),
        ("a.b.c.korban.example", "c.korban.example", "korban.example"),
        ("a.b.korban.example", "b.korban.example", "korban.example"),
        ("korban.example", "korban.example", ""),
        ("a.b.c.korban.go.id", "c.korban.go.id", "korban.go.id"),
        ("a.b.korban.go.id", "b.korban.go.id", "korban.go.id"),
        ("www.korban.go.id", "korban.go.id", ""),
        ("korban.go.id", "korban.go.id", ""),
        ("go.id", "go.id", ""),
        ("x.korban.id", "korban.id", ""),
        ("a.b.go.example", "b.go.example", "go.example"),
        ("example", "example", ""),
        (".", ".", ""),
    ],
)
def test_suffixes(name: str, near: str, far: str) -> None:
    found = suffixes(from_text(name))
    assert tuple(to_text(one) if one else "" for one in found) == (near, far)


def test_a_flood_below_one_zone_leaves_room_for_others() -> None:
    pressure = ZonePressure(3)
    entered = [suffixes(from_text(f"r{number}.korban.example")) for number in range(3)]
    for pair in entered:
        pressure.enter(pair)
    assert not pressure.admits(from_text("r9.korban.example"))
    assert pressure.admits(from_text("www.kantor.example"))
    assert pressure.refused == 1
    pressure.leave(entered[0])
    assert pressure.admits(from_text("r9.korban.example"))


@pytest.mark.parametrize("shape", ["r{}.example", "www.r{}.example", "www.r{}.go.id", "a.b.r{}.go.id"])
def test_a_flood_of_zones_is_no_zone(shape: str) -> None:
    """However many there are: who has the places then is not decided here (``upstream/jostle.py``)."""
    pressure = ZonePressure(3)
    for number in range(100):
        pair = pressure.admits(from_text(shape.format(number)))
        assert pair
        pressure.enter(pair)
    assert len(pressure) >= 100


def test_a_flood_that_varies_more_than_the_first_label() -> None:
    pressure = ZonePressure(3)
    names = [from_text(f"a.r{number}.korban.example") for number in range(12)]
    entered = []
    for name in names:
        pair = pressure.admits(name)
        assert pair
        pressure.enter(pair)
        entered.append(pair)
    assert not pressure.admits(from_text("a.r99.korban.example"))
    for pair in entered:
        pressure.leave(pair)
    assert len(pressure) == 0
