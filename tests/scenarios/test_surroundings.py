"""Routes to other upstreams, records of our own, private addresses from outside: each through the whole pipeline."""

from __future__ import annotations

from policy.model import (
    Action,
    AnswerKind,
    BlockAnswer,
    Layer,
    Rule,
    Schedule,
    Scope,
    Target,
    TargetKind,
    Verdict,
    Via,
    Window,
)
from querylog.record import CacheState
from resolver.rebinding import Guard
from resolver.settings import LocalRecord, Route, ServerGroup
from tests.support.dns import Said
from tests.support.fixtures_world import Worlds
from tests.support.world import (
    HEALTH,
    MONDAY_10,
    NATIONAL_LIST,
    SCHOOLS_CLIENT,
    STRANGER,
    World,
    agency,
    sample_policy,
)

GROUPS = (ServerGroup("default", ()), ServerGroup("inside", (), internal=True), ServerGroup("schools", ()))
ROUTES = (
    Route("kantor.example", "inside"),
    Route("10.in-addr.arpa", "inside"),
    Route(".", "schools", agency="disdik"),
)
LISTS = {NATIONAL_LIST: ["*.judi.example"]}


def address(name: str, text: str, rrtype: str = "A") -> list[str]:
    return [f"{name}. 300 IN {rrtype} {text}"]


# Routes


def test_a_suffix_is_asked_of_its_group_and_everything_else_of_the_first(world: Worlds) -> None:
    here = world(sample_policy(), groups=GROUPS, routes=ROUTES)
    default, inside, _ = here.upstreams
    inside.zones["www.kantor.example"] = address("www.kantor.example", "10.0.0.1")
    default.zones["www.example"] = address("www.example", "192.0.2.1")
    assert here.ask("WWW.Kantor.Example").addresses == ("10.0.0.1",)
    assert here.ask("www.example").addresses == ("192.0.2.1",)
    assert (default.asked, inside.asked) == ([("www.example", 1)], [("www.kantor.example", 1)])


def test_no_client_gets_from_the_cache_what_another_group_said(world: Worlds) -> None:
    here = world(sample_policy(), groups=GROUPS, routes=ROUTES)
    default, _, schools = here.upstreams
    default.zones["split.example"] = address("split.example", "192.0.2.1")
    schools.zones["split.example"] = address("split.example", "192.0.2.2")
    for _ in range(2):
        assert here.ask("split.example").addresses == ("192.0.2.1",)
        assert here.ask("split.example", host=SCHOOLS_CLIENT).addresses == ("192.0.2.2",)
    assert len(default.asked) == len(schools.asked) == 1
    states = [(row.agency_id, row.cache) for row in here.close()]
    assert states == [(1, CacheState.MISS), (2, CacheState.MISS), (1, CacheState.HIT), (2, CacheState.HIT)]


def test_a_policy_edit_keeps_routes_of_agencies(world: Worlds) -> None:
    here = world(sample_policy(), groups=GROUPS, routes=ROUTES)
    here.upstreams[2].zones["x.example"] = address("x.example", "192.0.2.2")
    assert here.ask("x.example", host=SCHOOLS_CLIENT).addresses == ("192.0.2.2",)
    here.publish(sample_policy(), LISTS)
    assert here.ask("x.example", host=SCHOOLS_CLIENT).addresses == ("192.0.2.2",)
    here.pipeline.in_force = here.pipeline.in_force.later(here.now_s)
    assert here.ask("x.example", host=SCHOOLS_CLIENT).addresses == ("192.0.2.2",)
    assert here.upstreams[0].asked == []


def test_a_popular_name_is_fetched_anew_from_its_own_group(world: Worlds) -> None:
    here = world(sample_policy(), groups=GROUPS, routes=ROUTES)
    here.upstreams[1].zones["www.kantor.example"] = address("www.kantor.example", "10.0.0.1")
    for _ in range(4):
        here.ask("www.kantor.example")
    here.now_s += 280
    here.ask("www.kantor.example")
    assert len(here.upstreams[1].asked) == 2
    assert here.upstreams[0].asked == []


def test_private_reverse_zones_exist_only_where_a_route_leads_inside(world: Worlds) -> None:
    here = world(sample_policy(), groups=GROUPS, routes=ROUTES)
    name = "5.0.0.10.in-addr.arpa"
    here.upstreams[1].zones[name] = [f"{name}. 60 IN PTR pc5.kantor.example."]
    assert here.ask(name, "PTR").answer == (f"{name} 60 IN PTR pc5.kantor.example",)
    assert here.ask("5.1.168.192.in-addr.arpa", "PTR").rcode == "NXDOMAIN"
    # The schools' catch-all leads to a public group: it is not told of addresses inside.
    assert here.ask("5.1.168.192.in-addr.arpa", "PTR", host=SCHOOLS_CLIENT).rcode == "NXDOMAIN"
    assert [len(group.asked) for group in here.upstreams] == [0, 1, 0]


def test_a_blocked_name_is_blocked_whatever_its_route(world: Worlds) -> None:
    here = world(sample_policy(), LISTS, groups=GROUPS, routes=(Route("judi.example", "inside"),))
    assert here.ask("judi.example").rcode == "NXDOMAIN"
    assert here.upstreams[1].asked == []


# Rebinding


def guarded(world: Worlds, *rules: Rule) -> World:
    return world(sample_policy(*rules), LISTS, groups=GROUPS, routes=ROUTES, guard=Guard(allow=("allowed.example",)))


def kept_back(said: Said) -> bool:
    return (
        (said.rcode, said.answer) == ("NOERROR", ())
        and said.authority[0].split()[1] == "60"
        and said.ede[0][0] == 15
        and "rebinding" in said.ede[0][1]
    )


def test_a_private_address_from_outside_is_kept_back_on_cache_hits_too(world: Worlds) -> None:
    here = guarded(world)
    here.upstream.zones["evil.example"] = address("evil.example", "192.168.1.1")
    assert kept_back(here.ask("evil.example"))
    assert kept_back(here.ask("evil.example"))
    assert len(here.upstream.asked) == 1, "the answer is upstream truth, and cached; it is kept back each time"
    rows = here.close()
    assert [(row.verdict, row.via, row.layer, row.cache) for row in rows] == [
        (Verdict.BLOCKED, Via.REBINDING, Layer.NONE, CacheState.MISS),
        (Verdict.BLOCKED, Via.REBINDING, Layer.NONE, CacheState.HIT),
    ]


def test_a_private_address_among_public_ones_behind_an_alias_and_in_hints(world: Worlds) -> None:
    here = guarded(world)
    zones = here.upstream.zones
    zones["mixed.example"] = [*address("mixed.example", "192.0.2.1"), *address("mixed.example", "127.0.0.1")]
    zones["chain.example"] = ["chain.example. 60 IN CNAME x.example.", *address("x.example", "10.0.0.1")]
    zones["six.example"] = address("six.example", "::ffff:a00:1", "AAAA")
    zones["nat64.example"] = address("nat64.example", "64:ff9b::a00:1", "AAAA")
    zones["hint4.example"] = ["hint4.example. 60 IN HTTPS 1 . ipv4hint=10.0.0.1"]
    zones["hint6.example"] = ["hint6.example. 60 IN HTTPS 1 . ipv6hint=fd00::1"]
    for name, rrtype in (
        ("mixed", "A"), ("chain", "A"), ("six", "AAAA"), ("nat64", "AAAA"), ("hint4", "HTTPS"), ("hint6", "HTTPS"),
    ):  # fmt: skip
        assert kept_back(here.ask(f"{name}.example", rrtype)), name


def test_what_is_allowed_and_what_comes_from_inside_passes(world: Worlds) -> None:
    here = guarded(world)
    here.upstream.zones["www.allowed.example"] = address("www.allowed.example", "10.0.0.1")
    here.upstreams[1].zones["www.kantor.example"] = address("www.kantor.example", "10.0.0.2")
    here.upstream.zones["public.example"] = address("public.example", "192.0.2.1")
    assert here.ask("www.allowed.example").addresses == ("10.0.0.1",)
    assert here.ask("www.kantor.example").addresses == ("10.0.0.2",)
    assert here.ask("public.example").addresses == ("192.0.2.1",)


def test_a_private_address_of_a_nameserver_goes_and_the_answer_stays(world: Worlds) -> None:
    """Nobody has asked for the additional section: what is wrong with it is no reason to keep the answer back."""
    here = guarded(world)
    here.upstream.zones["public.example"] = address("public.example", "192.0.2.1")
    here.upstream.servers = ["example. 60 IN NS ns.example."]
    here.upstream.glue = ["ns.example. 60 IN A 10.0.0.1"]
    for _ in range(2):  # from the upstream, and from the cache
        said = here.ask("public.example")
        assert (said.addresses, len(said.authority), said.additional) == (("192.0.2.1",), 1, ())
    here.upstream.glue = ["ns.example. 60 IN A 192.0.2.2"]
    here.upstream.zones["other.example"] = address("other.example", "192.0.2.1")
    assert here.ask("other.example").additional == ("ns.example 60 IN A 192.0.2.2",)
    assert {row.verdict for row in here.close()} == {Verdict.ALLOWED}


def test_no_rule_of_the_policy_lets_a_rebinding_pass(world: Worlds) -> None:
    allow = Rule(1, agency(HEALTH), Target(TargetKind.NAME, "evil.example"), Action.ALLOW, important=True)
    here = guarded(world, allow)
    here.upstream.zones["evil.example"] = address("evil.example", "192.168.1.1")
    assert kept_back(here.ask("evil.example"))


def test_a_stale_answer_is_guarded_too(world: Worlds) -> None:
    here = guarded(world)
    here.upstream.zones["evil.example"] = address("evil.example", "192.168.1.1")
    here.ask("evil.example")
    here.now_s += 400
    here.upstream.failing = True
    assert kept_back(here.ask("evil.example"))


# Records of our own

RECORDS = (
    LocalRecord("portal.kantor.example", "A", "10.0.0.5", 3_600),
    LocalRecord("portal.kantor.example", "A", "10.0.0.6", 3_600),
    LocalRecord("portal.kantor.example", "MX", "10 mail.kantor.example"),
    LocalRecord("intra.example", "CNAME", "portal.kantor.example"),
    LocalRecord("cdn.example", "CNAME", "edge.example.net"),
    LocalRecord("promo.example", "CNAME", "x.judi.example"),
    LocalRecord("mine.judi.example", "A", "10.0.0.7"),
    LocalRecord("loop.example", "CNAME", "pool.example"),
    LocalRecord("pool.example", "CNAME", "loop.example"),
    LocalRecord("5.0.0.10.in-addr.arpa", "PTR", "portal.kantor.example"),
    LocalRecord("*.apps.example", "A", "10.0.0.8"),
    LocalRecord("own.apps.example", "TXT", "hello"),
    LocalRecord("_sip._tcp.kantor.example", "SRV", "1 2 5060 portal.kantor.example"),
)


def with_records(world: Worlds, *rules: Rule, **options: object) -> World:
    return world(sample_policy(*rules), LISTS, records=RECORDS, guard=Guard(), **options)


def test_records_are_answered_without_asking_anybody(world: Worlds) -> None:
    here = with_records(world)
    assert here.ask("Portal.Kantor.Example").answer == (
        "Portal.Kantor.Example 3600 IN A 10.0.0.5",
        "Portal.Kantor.Example 3600 IN A 10.0.0.6",
    )
    assert here.ask("portal.kantor.example", "MX").answer == ("portal.kantor.example 300 IN MX 10 mail.kantor.example",)
    assert here.ask("_sip._tcp.kantor.example", "SRV").answer[0].endswith("SRV 1 2 5060 portal.kantor.example")
    assert here.ask("5.0.0.10.in-addr.arpa", "PTR").answer[0].endswith("PTR portal.kantor.example")
    assert here.upstream.asked == []
    assert {row.verdict for row in here.close()} == {Verdict.LOCAL}


def test_another_type_of_such_a_name_has_no_data(world: Worlds) -> None:
    here = with_records(world)
    said = here.ask("portal.kantor.example", "AAAA")
    assert (said.rcode, said.answer, len(said.authority)) == ("NOERROR", (), 1)
    assert here.upstream.asked == []


def test_wildcards_stand_for_names_without_records_of_their_own(world: Worlds) -> None:
    here = with_records(world)
    assert here.ask("a.b.apps.example").addresses == ("10.0.0.8",)
    assert here.ask("own.apps.example").answer == ()
    assert here.ask("apps.example").rcode == "NXDOMAIN", "not of the wildcard: asked of upstreams"


def test_aliases_within_our_records_and_out_of_them(world: Worlds) -> None:
    here = with_records(world)
    assert here.ask("intra.example").answer == (
        "intra.example 300 IN CNAME portal.kantor.example",
        "portal.kantor.example 3600 IN A 10.0.0.5",
        "portal.kantor.example 3600 IN A 10.0.0.6",
    )
    here.upstream.zones["edge.example.net"] = address("edge.example.net", "192.0.2.9")
    for _ in range(2):
        assert here.ask("cdn.example").answer == (
            "cdn.example 300 IN CNAME edge.example.net",
            "edge.example.net 300 IN A 192.0.2.9",
        )
    assert here.upstream.asked == [("edge.example.net", 1)]
    assert here.ask("cdn.example", "CNAME").answer == ("cdn.example 300 IN CNAME edge.example.net",)


def test_a_loop_of_aliases_ends(world: Worlds) -> None:
    here = with_records(world)
    assert len(here.ask("loop.example").answer) == 8
    assert here.upstream.asked == []


def test_a_record_is_no_way_around_a_rule(world: Worlds) -> None:
    """Records stand behind step 4: neither the name, nor where its alias leads, nor what is found there."""
    here = with_records(world)
    assert here.ask("mine.judi.example").rcode == "NXDOMAIN"
    assert here.ask("promo.example").rcode == "NXDOMAIN"
    assert here.upstream.asked == []
    here.upstream.zones["edge.example.net"] = [
        "edge.example.net. 60 IN CNAME y.judi.example.",
        *address("y.judi.example", "192.0.2.9"),
    ]
    assert here.ask("cdn.example").rcode == "NXDOMAIN"
    assert here.ask("cdn.example").rcode == "NXDOMAIN"
    assert [(row.verdict, row.via) for row in here.close()] == [
        (Verdict.BLOCKED, Via.QUESTION),
        (Verdict.BLOCKED, Via.ALIAS),
        (Verdict.BLOCKED, Via.ALIAS),
        (Verdict.BLOCKED, Via.ALIAS),
    ]


def test_an_alias_into_the_internet_is_guarded(world: Worlds) -> None:
    here = with_records(world)
    here.upstream.zones["edge.example.net"] = address("edge.example.net", "10.0.0.1")
    assert kept_back(here.ask("cdn.example"))


def test_a_stranger_sees_no_record(world: Worlds) -> None:
    here = with_records(world)
    assert here.ask("portal.kantor.example", host=STRANGER).rcode == "REFUSED"


def test_without_an_upstream_an_alias_fails_and_is_not_said_to_be_empty(world: Worlds) -> None:
    here = with_records(world)
    here.upstream.failing = True
    assert here.ask("cdn.example").rcode == "SERVFAIL"


def test_ttls_of_records_end_at_the_policy_s_edge(world: Worlds) -> None:
    office = Schedule(1, "kantor", "Jam kantor", windows=(Window((0,), 8 * 60, 10 * 60 + 1),))
    rule = Rule(1, Scope(), Target(TargetKind.NAME, "portal.kantor.example"), Action.ALLOW, schedule_id=1)
    here = world(sample_policy(rule, schedules=[office]), records=RECORDS, now_s=MONDAY_10 + 50)
    assert here.ask("portal.kantor.example").ttls == (10, 10)
    assert here.ask("intra.example").ttls == (10, 10, 10)


def test_a_redirection_to_a_name_of_our_own(world: Worlds) -> None:
    answer = BlockAnswer(AnswerKind.REDIRECT, 60, name="portal.kantor.example")
    rule = Rule(1, Scope(), Target(TargetKind.NAME, "old.example"), Action.REDIRECT, answer=answer)
    here = with_records(world, rule)
    assert here.ask("old.example").addresses == ("portal.kantor.example", "10.0.0.5", "10.0.0.6")
    assert here.upstream.asked == []
