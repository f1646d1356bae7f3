"""The order of a query's steps is the security policy: one test for each pair whose exchange would open a bypass."""

from __future__ import annotations

from policy.model import Action, AnswerKind, BlockAnswer, Rule, Schedule, Scope, Target, TargetKind, Verdict, Window
from querylog.record import CacheState, Transport
from tests.support.dns import ask, heard
from tests.support.fixtures_world import Worlds
from tests.support.world import (
    GAMBLING,
    HEALTH,
    MONDAY_10,
    NATIONAL_LIST,
    SCHOOLS,
    SCHOOLS_CLIENT,
    SOCIAL_LIST,
    STRANGER,
    agency,
    sample_policy,
)

LISTS = {NATIONAL_LIST: ["*.judi.example"], SOCIAL_LIST: ["*.sosial.example"]}
BLOCK_SOCIAL = Rule(1, agency(HEALTH), Target(TargetKind.CATEGORY, "media_sosial"), Action.BLOCK)


def test_admission_before_parsing(world: Worlds) -> None:
    """1 before 2: an address that may not ask costs no parsing and gets no octet, not even FORMERR."""
    here = world(sample_policy(), allow_from=["10.0.0.0/8"])
    assert here.raw(b"\0" * 20, STRANGER) == b""
    assert here.raw(ask("good.example"), STRANGER) == b""
    assert (here.stats.dropped, here.close()) == (2, [])


def test_parsing_before_identity_and_policy(world: Worlds) -> None:
    """2 before 3: a malformed query is refused as such and moves nothing behind the parser."""
    here = world(sample_policy(), LISTS)
    assert heard(here.raw(ask("judi.example") + b"x")).rcode == "FORMERR"
    assert here.upstream.asked == []


def test_identity_before_policy(world: Worlds) -> None:
    """3 before 4: a stranger is refused alike for blocked, allowed and local names, and learns nothing of any list."""
    here = world(sample_policy(), LISTS)
    answers = [here.ask(qname, host=STRANGER) for qname in ("judi.example", "good.example", "localhost")]
    assert [(said.rcode, said.ede) for said in answers] == [
        ("REFUSED", ((18, "This address belongs to no registered network"),))
    ] * 3
    assert here.ask("version.bind", "TXT", host=STRANGER, rrclass="CH").rcode == "REFUSED"


def test_decision_before_cache(world: Worlds) -> None:
    """4 before 5: what one agency's client put into the cache does not answer another whose agency blocks it."""
    here = world(sample_policy(BLOCK_SOCIAL), LISTS)
    here.upstream.zones["sosial.example"] = ["sosial.example. 300 IN A 192.0.2.1"]
    assert here.ask("sosial.example", host=SCHOOLS_CLIENT).addresses == ("192.0.2.1",)
    assert here.ask("sosial.example").rcode == "NXDOMAIN"
    assert here.ask("sosial.example", host=SCHOOLS_CLIENT).addresses == ("192.0.2.1",)


def test_an_edit_holds_from_the_next_query_although_the_answer_is_cached(world: Worlds) -> None:
    here = world(sample_policy(), LISTS)
    here.upstream.zones["sosial.example"] = ["sosial.example. 300 IN A 192.0.2.1"]
    assert here.ask("sosial.example").rcode == "NOERROR"
    here.publish(sample_policy(BLOCK_SOCIAL), LISTS)
    assert here.ask("sosial.example").rcode == "NXDOMAIN"
    here.publish(sample_policy(), LISTS)
    assert here.ask("sosial.example").addresses == ("192.0.2.1",)


def test_decision_before_any_and_special_names(world: Worlds) -> None:
    """4 before the answers of our own: type ANY is no way to learn that a blocked name exists."""
    here = world(sample_policy(), LISTS)
    assert here.ask("judi.example", "ANY").rcode == "NXDOMAIN"
    assert here.ask("good.example", "ANY").answer == (r"good.example 3600 IN HINFO \# 9 075246433834383200",)


def test_inspection_on_cache_hits_too(world: Worlds) -> None:
    """7 behind 5: the answer was cached before the rule came that its alias breaks."""
    here = world(sample_policy())
    here.upstream.zones["cdn.example"] = [
        "cdn.example. 300 IN CNAME x.judi.example.",
        "x.judi.example. 300 IN A 192.0.2.1",
    ]
    assert here.ask("cdn.example").rcode == "NOERROR"
    here.publish(sample_policy(), LISTS)
    assert here.ask("cdn.example").rcode == "NXDOMAIN"
    assert len(here.upstream.asked) == 1
    assert [(row.cache, row.via) for row in here.close()] == [(CacheState.MISS, 0), (CacheState.HIT, 1)]


def test_inspection_of_one_view_does_not_answer_another(world: Worlds) -> None:
    here = world(sample_policy(BLOCK_SOCIAL), LISTS)
    here.upstream.zones["cdn.example"] = [
        "cdn.example. 300 IN CNAME sosial.example.",
        "sosial.example. 300 IN A 192.0.2.1",
    ]
    assert here.ask("cdn.example", host=SCHOOLS_CLIENT).rcode == "NOERROR"
    assert here.ask("cdn.example").rcode == "NXDOMAIN"
    assert here.ask("cdn.example", host=SCHOOLS_CLIENT).rcode == "NOERROR"


def test_a_query_that_waits_keeps_the_policy_it_began_under(world: Worlds) -> None:
    """One reference for one query: an answer never mixes two generations."""
    here = world(sample_policy(), LISTS)
    here.upstream.instant = False
    here.upstream.zones["cdn.example"] = [
        "cdn.example. 300 IN CNAME sosial.example.",
        "sosial.example. 300 IN A 192.0.2.1",
    ]
    assert here.raw(ask("cdn.example")) == b""
    here.publish(sample_policy(BLOCK_SOCIAL), LISTS)
    here.upstream.land()
    assert heard(here.sent[0]).rcode == "NOERROR"
    assert here.close()[0].generation == 1


def test_the_row_is_in_the_spool_when_the_answer_leaves(world: Worlds) -> None:
    """9 before sending: what a client got is in the log, whatever happens next."""
    here = world(sample_policy(), LISTS)
    here.upstream.instant = False
    here.upstream.zones["good.example"] = ["good.example. 300 IN A 192.0.2.1"]
    here.raw(ask("good.example"))
    seen: list[int] = []
    here.send = lambda response, address: seen.append(here.spool.answers)  # type: ignore[method-assign]  # watches the moment
    here.upstream.land()
    assert seen == [1]


def test_an_edge_of_a_schedule_is_exact_to_the_second_and_no_ttl_reaches_over_it(world: Worlds) -> None:
    office = Schedule(1, "kantor", "Jam kantor", windows=(Window((0,), 8 * 60, 12 * 60),))
    rule = Rule(1, agency(HEALTH), Target(TargetKind.CATEGORY, "media_sosial"), Action.BLOCK, schedule_id=1)
    here = world(sample_policy(rule, schedules=[office]), LISTS, now_s=MONDAY_10 - 2 * 3600 - 10)
    here.upstream.zones["sosial.example"] = ["sosial.example. 300 IN A 192.0.2.1"]
    assert here.ask("sosial.example").answer == ("sosial.example 10 IN A 192.0.2.1",)
    here.now_s += 9.999
    assert here.ask("sosial.example").answer == ("sosial.example 0 IN A 192.0.2.1",)
    here.now_s += 0.001
    assert here.ask("sosial.example").rcode == "NXDOMAIN"
    here.now_s += 4 * 3600 - 20
    assert here.ask("sosial.example").authority[0].split()[1] == "20"
    here.now_s += 20
    assert here.ask("sosial.example").rcode == "NOERROR"


def test_every_trick_on_a_blocked_name_is_blocked(world: Worlds) -> None:
    """DESIGN 5, last point: upper case, trailing dot, escapes, CD, ECS, DO, TCP, every type."""
    here = world(sample_policy(), LISTS)
    tricks: list[dict[str, object]] = [
        {"qname": "JuDi.ExAmPlE"},
        {"qname": "judi.example."},
        {"qname": "a.b.c.judi.example"},
        {"qname": "judi.example", "cd": True},
        {"qname": "judi.example", "do": True},
        {"qname": "judi.example", "edns": False},
        {"qname": "judi.example", "options": [(8, b"\0\1\x20\0\x0a\x02\0\5")]},
        {"qname": "judi.example", "transport": Transport.TCP},
        *(
            {"qname": "judi.example", "rrtype": rrtype}
            for rrtype in ("AAAA", "HTTPS", "SVCB", "CNAME", "TXT", "ANY", "NS")
        ),
    ]
    for trick in tricks:
        said = here.ask(**trick)  # type: ignore[arg-type]  # each trick is a set of its keywords
        assert said.rcode == "NXDOMAIN", trick
        assert said.answer == ()
    assert here.upstream.asked == []


def test_a_name_that_only_looks_blocked_is_not(world: Worlds) -> None:
    here = world(sample_policy(), LISTS)
    for qname in ("notjudi.example", "judi.example.com", "example", "xjudi.example"):
        here.upstream.zones[qname] = [f"{qname}. 300 IN A 192.0.2.1"]
        assert here.ask(qname).rcode == "NOERROR", qname


def test_service_binding_targets_are_inspected(world: Worlds) -> None:
    here = world(sample_policy(), LISTS)
    here.upstream.zones["good.example"] = [
        "good.example. 300 IN CNAME other.example.",
        "other.example. 300 IN CNAME judi.example.",
    ]
    assert here.ask("good.example", "HTTPS").rcode == "NXDOMAIN"


def test_an_agency_s_allow_covers_the_chain_but_not_what_is_mandatory(world: Worlds) -> None:
    allow = Rule(1, agency(HEALTH), Target(TargetKind.WILDCARD, "good.example"), Action.ALLOW)
    forbid = Rule(2, Scope(), Target(TargetKind.WILDCARD, "judi.example"), Action.BLOCK, mandatory=True)
    chain = ["good.example. 300 IN CNAME x.judi.example.", "x.judi.example. 300 IN A 192.0.2.1"]
    here = world(sample_policy(allow), LISTS)
    here.upstream.zones["good.example"] = chain
    assert here.ask("good.example").rcode == "NOERROR"
    assert here.ask("good.example", host=SCHOOLS_CLIENT).rcode == "NXDOMAIN"
    here.publish(sample_policy(allow, forbid), LISTS)
    assert here.ask("good.example").rcode == "NXDOMAIN"


def test_the_row_names_the_reason(world: Worlds) -> None:
    here = world(sample_policy(), LISTS)
    here.ask("www.Judi.example")
    row = here.close()[0]
    assert (row.name, row.matched) == (b"\x03www\x04judi\x07example\0", b"\x04judi\x07example\0")
    assert (row.agency_id, row.list_id, row.category_id) == (HEALTH, NATIONAL_LIST, GAMBLING)
    assert (row.verdict, row.generation, row.client[-4:]) == (Verdict.BLOCKED, 1, bytes((10, 1, 0, 5)))


def test_each_agency_is_counted_apart(world: Worlds) -> None:
    here = world(sample_policy(), LISTS)
    here.ask("judi.example")
    here.ask("judi.example", host=SCHOOLS_CLIENT)
    here.ask("good.example", host=SCHOOLS_CLIENT)
    policy = here.pipeline.in_force.policy
    assert here.stats.document(policy)["by_agency"] == {
        "dinkes": {"blocked": 1},
        "disdik": {"allowed": 1, "blocked": 1},
    }
    assert SCHOOLS in here.stats.tallies


def test_a_redirected_name_brings_its_target_s_addresses(world: Worlds) -> None:
    to_portal = BlockAnswer(AnswerKind.REDIRECT, name="portal.contoh.go.id", ttl_s=30)
    rule = Rule(1, agency(HEALTH), Target(TargetKind.NAME, "old.example"), Action.REDIRECT, answer=to_portal)
    here = world(sample_policy(rule), LISTS)
    here.upstream.zones["portal.contoh.go.id"] = ["portal.contoh.go.id. 300 IN A 192.0.2.7"]
    for _ in range(2):
        said = here.ask("old.example")
        assert said.answer == (
            "old.example 30 IN CNAME portal.contoh.go.id",
            "portal.contoh.go.id 30 IN A 192.0.2.7",
        )
    assert len(here.upstream.asked) == 1


def test_a_redirection_whose_target_nobody_can_tell_fails_and_is_not_said_to_be_empty(world: Worlds) -> None:
    """Clients keep NODATA for as long as its SOA says, also when the target has long been there again."""
    to_portal = BlockAnswer(AnswerKind.REDIRECT, name="portal.contoh.go.id", ttl_s=30)
    rule = Rule(1, agency(HEALTH), Target(TargetKind.NAME, "old.example"), Action.REDIRECT, answer=to_portal)
    here = world(sample_policy(rule), LISTS)
    here.upstream.failing = True
    said = here.ask("old.example")
    assert (said.rcode, said.answer, said.ede) == ("SERVFAIL", (), ((22, "no upstream answered in time"),))
    here.upstream.failing = False
    here.upstream.rcode = "SERVFAIL"
    for _ in range(2):  # the second time from the cache
        assert (here.ask("old.example").rcode, here.ask("old.example").answer) == ("SERVFAIL", ())
    here.upstream.rcode = ""
    here.cache.flush_all()
    here.upstream.zones["portal.contoh.go.id"] = []
    said = here.ask("old.example")
    assert (said.rcode, said.answer) == ("NOERROR", ("old.example 30 IN CNAME portal.contoh.go.id",))
