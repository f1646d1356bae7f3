"""Popular answers are fetched anew before they expire; nobody waits, and a failure costs nothing."""

from __future__ import annotations

from resolver.refresh import MAX_UNDER_WAY
from tests.support.fixtures_world import Worlds
from tests.support.world import World, sample_policy


def popular(world: Worlds, ttl_s: int = 300) -> World:
    """A world that has been asked for a name three times, and its answer in the last tenth of its time."""
    here = world(sample_policy())
    here.upstream.zones["kantor.example"] = [f"kantor.example. {ttl_s} IN A 192.0.2.1"]
    for _ in range(3):
        here.ask("kantor.example")
    here.now_s += ttl_s * 0.95
    here.upstream.asked.clear()
    here.upstream.zones["kantor.example"] = [f"kantor.example. {ttl_s} IN A 192.0.2.2"]
    return here


def test_the_client_gets_the_cached_answer_and_the_next_one_the_new(world: Worlds) -> None:
    here = popular(world)
    assert here.ask("kantor.example").addresses == ("192.0.2.1",)
    assert here.upstream.asked == [("kantor.example", 1)]
    assert (here.ask("kantor.example").addresses, here.ask("kantor.example").ttls) == (("192.0.2.2",), (300,))
    assert here.upstream.asked == [("kantor.example", 1)]


def test_once_however_many_ask(world: Worlds) -> None:
    here = popular(world)
    here.upstream.instant = False
    for _ in range(5):
        assert here.ask("kantor.example").addresses == ("192.0.2.1",)
    assert here.upstream.asked == [("kantor.example", 1)]
    here.upstream.land()
    assert here.ask("kantor.example").addresses == ("192.0.2.2",)


def test_what_is_asked_for_seldom_expires(world: Worlds) -> None:
    here = world(sample_policy())
    here.upstream.zones["jarang.example"] = ["jarang.example. 300 IN A 192.0.2.1"]
    here.ask("jarang.example")
    here.now_s += 290
    here.ask("jarang.example")
    assert here.upstream.asked == [("jarang.example", 1)]


def test_a_failed_refresh_leaves_the_answer(world: Worlds) -> None:
    here = popular(world)
    here.upstream.failing = True
    assert here.ask("kantor.example").addresses == ("192.0.2.1",)
    here.now_s += 20  # expired, and the upstreams failed less than 30 seconds ago: stale, without asking again
    assert here.ask("kantor.example").addresses == ("192.0.2.1",)
    assert here.upstream.asked == [("kantor.example", 1)]


def test_no_flood_of_refreshes(world: Worlds) -> None:
    here = world(sample_policy())
    names = [f"n{number}.example" for number in range(MAX_UNDER_WAY + 10)]
    for name in names:
        here.upstream.zones[name] = [f"{name}. 300 IN A 192.0.2.1"]
        for _ in range(3):
            here.ask(name)
    here.now_s += 290
    here.upstream.asked.clear()
    here.upstream.instant = False
    for name in names:
        assert here.ask(name).addresses == ("192.0.2.1",)
    assert len(here.upstream.asked) == MAX_UNDER_WAY
    here.upstream.land()
