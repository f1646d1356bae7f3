"""RFC 8767, serving stale data: only when upstreams fail, marked as such, and under the policy of now."""

from __future__ import annotations

from policy.model import Action, Rule, Target, TargetKind
from querylog.record import CacheState
from tests.support.fixtures_world import Worlds
from tests.support.world import HEALTH, NATIONAL_LIST, SOCIAL_LIST, World, agency, sample_policy

OLD = "upstreams do not answer; this is what they said before"
LISTS = {NATIONAL_LIST: ["*.judi.example"], SOCIAL_LIST: ["*.sosial.example"]}
BLOCK_SOCIAL = Rule(1, agency(HEALTH), Target(TargetKind.CATEGORY, "media_sosial"), Action.BLOCK)


def learnt(world: Worlds, ttl_s: int = 300) -> World:
    """A world that has an answer, a minute past its end, and upstreams that keep silent."""
    here = world(sample_policy(), LISTS)
    here.upstream.zones["kantor.example"] = [f"kantor.example. {ttl_s} IN A 192.0.2.1"]
    assert here.ask("kantor.example").addresses == ("192.0.2.1",)
    here.now_s += ttl_s + 60
    here.upstream.failing = True
    here.upstream.asked.clear()
    return here


def test_a_fresh_answer_is_asked_for_before_a_stale_one_is_used(world: Worlds) -> None:
    """4: "the recursive resolver SHOULD attempt to refresh"."""
    here = learnt(world)
    here.upstream.failing = False
    here.upstream.zones["kantor.example"] = ["kantor.example. 300 IN A 192.0.2.2"]
    said = here.ask("kantor.example")
    assert (said.addresses, said.ede) == (("192.0.2.2",), ())


def test_a_stale_answer_where_upstreams_fail(world: Worlds) -> None:
    """4: "If the recursive server is unable to contact the authoritative servers"; 5: "a TTL of 30 seconds"."""
    here = learnt(world)
    said = here.ask("kantor.example")
    assert (said.rcode, said.addresses, said.ttls, said.ede) == ("NOERROR", ("192.0.2.1",), (30,), ((3, OLD),))
    assert here.upstream.asked == [("kantor.example", 1)]
    assert [record.cache for record in here.close()] == [CacheState.MISS, CacheState.STALE]


def test_an_upstreams_servfail_is_such_a_failure(world: Worlds) -> None:
    """4: a response with another RCODE than NOERROR or NXDOMAIN "is considered a failure"."""
    here = learnt(world)
    here.upstream.failing = False
    here.upstream.rcode = "SERVFAIL"
    assert here.ask("kantor.example").addresses == ("192.0.2.1",)
    here.now_s += 6  # the failure is not cached in place of what is stale
    assert here.ask("kantor.example").addresses == ("192.0.2.1",)


def test_nxdomain_is_an_answer(world: Worlds) -> None:
    """4: an NXDOMAIN from upstream replaces what was known, however good it was."""
    here = learnt(world)
    here.upstream.failing = False
    del here.upstream.zones["kantor.example"]
    assert here.ask("kantor.example").rcode == "NXDOMAIN"
    here.upstream.failing = True
    here.now_s += 300
    said = here.ask("kantor.example")
    assert (said.rcode, said.ede) == ("NXDOMAIN", ((19, OLD),))


def test_upstreams_that_just_failed_are_left_alone(world: Worlds) -> None:
    """5: the failure recheck timer."""
    here = learnt(world)
    for _ in range(3):
        assert here.ask("kantor.example").addresses == ("192.0.2.1",)
        here.now_s += 9
    assert here.upstream.asked == [("kantor.example", 1)]
    here.now_s += 9
    here.ask("kantor.example")
    assert here.upstream.asked == [("kantor.example", 1)] * 2


def test_a_client_waits_no_longer_than_the_client_response_timer(world: Worlds) -> None:
    """5: 1.8 seconds, "just before typical retransmission"; what comes later still goes into the cache."""
    here = learnt(world)
    here.upstream.instant = here.upstream.failing = False
    here.upstream.zones["kantor.example"] = ["kantor.example. 300 IN A 192.0.2.2"]
    assert here.ask_later("kantor.example") is None
    assert here.wait(1.7) == b""
    assert here.heard(here.wait(0.2)).addresses == ("192.0.2.1",)
    here.upstream.land()
    assert here.sent == []
    assert here.ask("kantor.example").addresses == ("192.0.2.2",)
    assert [record.cache for record in here.close()] == [CacheState.MISS, CacheState.STALE, CacheState.HIT]


def test_too_old_is_not_better_than_nothing(world: Worlds) -> None:
    """5: the maximum stale timer."""
    here = learnt(world)
    here.now_s += 86_400
    assert here.ask("kantor.example").rcode == "SERVFAIL"


def test_the_policy_is_applied_anew_to_the_name(world: Worlds) -> None:
    here = learnt(world)
    here.publish(sample_policy(), {NATIONAL_LIST: ["kantor.example"]})
    assert here.ask("kantor.example").rcode == "NXDOMAIN"
    assert here.upstream.asked == []


def test_the_policy_is_applied_anew_to_where_it_leads(world: Worlds) -> None:
    """Step 7 holds for stale answers too: an alias to a name that was listed since."""
    here = world(sample_policy(), LISTS)
    here.upstream.zones["toko.example"] = [
        "toko.example. 60 IN CNAME cdn.example.",
        "cdn.example. 60 IN A 192.0.2.1",
    ]
    here.ask("toko.example")
    here.now_s += 61
    here.upstream.failing = True
    assert here.ask("toko.example").addresses == ("cdn.example", "192.0.2.1")
    here.publish(sample_policy(), {NATIONAL_LIST: ["cdn.example"]})
    said = here.ask("toko.example")
    assert (said.rcode, said.addresses) == ("NXDOMAIN", ())


def test_one_agencys_stale_answer_is_not_anothers(world: Worlds) -> None:
    here = world(sample_policy(BLOCK_SOCIAL), LISTS)
    here.upstream.zones["sosial.example"] = ["sosial.example. 60 IN A 192.0.2.1"]
    assert here.ask("sosial.example", host="10.2.0.5").addresses == ("192.0.2.1",)
    here.now_s += 61
    here.upstream.failing = True
    assert here.ask("sosial.example", host="10.2.0.5").addresses == ("192.0.2.1",)
    assert here.ask("sosial.example").rcode == "NXDOMAIN"


def test_nothing_stale_where_it_is_switched_off(world: Worlds) -> None:
    here = learnt(world)
    here.cache._stale_max_s = 0
    assert here.ask("kantor.example").rcode == "SERVFAIL"
