"""Rules of lists on a query's way: types, clients, addresses, nameservers, transports, and the answers they state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blocklists.formats.adblock_line import Line, read_line
from blocklists.rule import Datum, Kind, ListRule, RuleAction, Trigger
from blocklists.rules_index import RulesIndex
from dnswire.constants import RRType
from policy.model import (
    Action,
    AnswerKind,
    BlockAnswer,
    Layer,
    Rule,
    Scope,
    ScopeKind,
    Target,
    TargetKind,
    Verdict,
    Via,
)
from querylog.record import NO_RESPONSE, LogRecord, Transport
from tests.support.dns import ask
from tests.support.fixtures_world import Worlds
from tests.support.world import (
    GAMBLING,
    HEALTH,
    HEALTH_CLIENT,
    NATIONAL_LIST,
    SCHOOLS_CLIENT,
    SOCIAL_LIST,
    World,
    agency,
    sample_policy,
)

A, CNAME, TXT = int(RRType.A), int(RRType.CNAME), int(RRType.TXT)
NAME = "situs.example"
REGENCY = Scope(ScopeKind.REGENCY, 0)
OTHER_LIST = 3


def rule(line: str) -> ListRule:
    """A rule as an adblock line."""
    found = read_line(line, 1)
    assert isinstance(found, Line)
    assert isinstance(found.said, ListRule)
    return found.said


def national(*rules: ListRule | str) -> RulesIndex:
    """These rules of the national list of gambling."""
    return RulesIndex([(NATIONAL_LIST, [rule(one) if isinstance(one, str) else one for one in rules])])


def on(kind: Kind, pattern: str, action: RuleAction, trigger: Trigger = Trigger.QNAME, **more: object) -> ListRule:
    return ListRule(kind, pattern, action, trigger, **more)  # type: ignore[arg-type]  # passed on as they are


def told(row: LogRecord) -> tuple[Verdict, Layer, int, Via]:
    return Verdict(row.verdict), Layer(row.layer), row.list_id, Via(row.via)


def passing(here: World, *names: str, address: str = "192.0.2.1") -> World:
    """The world with these names on the Internet."""
    for name in names or (NAME,):
        here.upstream.zones[name] = [f"{name}. 300 IN A {address}"]
    return here


BLOCKED = (Verdict.BLOCKED, Layer.LISTS, NATIONAL_LIST, Via.QUESTION)
ALLOWED = (Verdict.ALLOWED, Layer.DEFAULT, 0, Via.QUESTION)


def test_a_rule_on_a_type_bars_that_type(world: Worlds) -> None:
    here = passing(world(sample_policy(), rules=national(f"||{NAME}^$dnstype=AAAA")))
    assert here.ask(NAME).addresses == ("192.0.2.1",)
    assert here.ask(NAME, "AAAA").rcode == "NXDOMAIN"
    assert [told(row) for row in here.close()] == [ALLOWED, BLOCKED]


def test_what_was_decided_for_one_client_is_not_given_to_another_of_his_agency(world: Worlds) -> None:
    here = passing(world(sample_policy(), rules=national(f"||{NAME}^$client={HEALTH_CLIENT}|dinas pendidikan")))
    for _ in range(2):  # the second time from memory
        assert here.ask(NAME, host=HEALTH_CLIENT).rcode == "NXDOMAIN"
        assert here.ask(NAME, host="10.1.0.6").addresses == ("192.0.2.1",)
        assert here.ask(NAME, host=SCHOOLS_CLIENT).rcode == "NXDOMAIN"
    known = here.pipeline.in_force.known
    assert known[HEALTH_CLIENT].plans is not known["10.1.0.6"].plans


def test_without_rules_on_clients_all_of_one_view_share_what_is_remembered(world: Worlds) -> None:
    here = passing(world(sample_policy(), rules=national(f"||{NAME}^$dnstype=TXT")))
    here.ask(NAME, host=HEALTH_CLIENT)
    here.ask(NAME, host="10.1.0.6")
    known = here.pipeline.in_force.known
    assert known[HEALTH_CLIENT].plans is known["10.1.0.6"].plans


def test_a_client_that_a_list_names_gets_nothing_but_what_the_list_passes(world: Worlds) -> None:
    rules = national(on(Kind.NETWORK, "10.1.0.0/24", RuleAction.NODATA, Trigger.CLIENT_IP))
    here = passing(world(sample_policy(), rules=rules))
    assert (here.ask(NAME).rcode, here.ask(NAME).answer) == ("NOERROR", ())
    assert here.ask(NAME, host="10.1.1.5").addresses == ("192.0.2.1",)


def test_an_address_in_an_answer_bars_it_on_cache_hits_too(world: Worlds) -> None:
    rules = national(on(Kind.NETWORK, "192.0.2.0/24", RuleAction.BLOCK, Trigger.RESPONSE_IP))
    here = passing(world(sample_policy(), rules=None))
    assert here.ask(NAME).addresses == ("192.0.2.1",)
    here.pipeline.in_force = here._in_force(sample_policy(), {}, rules)
    said = here.ask(NAME)
    assert (said.rcode, said.ede[0][0]) == ("NXDOMAIN", 16)
    assert told(here.close()[1]) == (Verdict.BLOCKED, Layer.LISTS, NATIONAL_LIST, Via.ADDRESS)
    assert len(here.upstream.asked) == 1


def test_an_allowed_name_may_have_a_listed_address(world: Worlds) -> None:
    rules = national(on(Kind.NETWORK, "192.0.2.0/24", RuleAction.BLOCK, Trigger.RESPONSE_IP))
    allow = Rule(1, agency(HEALTH), Target(TargetKind.NAME, NAME), Action.ALLOW)
    assert passing(world(sample_policy(allow), rules=rules)).ask(NAME).addresses == ("192.0.2.1",)
    protected = passing(world(sample_policy(protected=[NAME]), rules=rules))
    assert protected.ask(NAME).addresses == ("192.0.2.1",)


@pytest.mark.parametrize(
    "listed",
    [
        on(Kind.SUBTREE, "ns.jahat.example", RuleAction.BLOCK, Trigger.NSDNAME),
        on(Kind.NETWORK, "203.0.113.53/32", RuleAction.BLOCK, Trigger.NSIP),
    ],
)
@pytest.mark.parametrize("rrtype", ["A", "TXT"])
def test_a_listed_nameserver_bars_what_it_serves(world: Worlds, listed: ListRule, rrtype: str) -> None:
    here = passing(world(sample_policy(), rules=national(listed)))
    here.upstream.zones[NAME] = [f"{NAME}. 300 IN {rrtype} {'192.0.2.1' if rrtype == 'A' else 'halo'}"]
    assert here.ask(NAME, rrtype).answer
    here.cache.flush_all()
    here.upstream.servers = ["situs.example. 300 IN NS NS.jahat.example."]
    here.upstream.glue = ["ns.jahat.example. 300 IN A 203.0.113.53"]
    assert here.ask(NAME, rrtype).rcode == "NXDOMAIN"
    assert told(here.close()[1]) == (Verdict.BLOCKED, Layer.LISTS, NATIONAL_LIST, Via.NAMESERVER)


def test_an_alias_is_weighed_as_a_cname(world: Worlds) -> None:
    answer = [f"{NAME}. 300 IN CNAME canon.example.", "canon.example. 300 IN A 192.0.2.1"]
    for line, rcode in (("||canon.example^$dnstype=~CNAME", "NOERROR"), ("||canon.example^$dnstype=CNAME", "NXDOMAIN")):
        here = world(sample_policy(), rules=national(line))
        here.upstream.zones[NAME] = answer
        assert here.ask(NAME).rcode == rcode, line


def test_a_dropped_query_gets_no_answer_over_udp_and_a_row_in_the_log(world: Worlds) -> None:
    here = world(sample_policy(), rules=national(on(Kind.EXACT, NAME, RuleAction.DROP)))
    assert here.raw(ask(NAME)) == b""
    assert here.ask(NAME, transport=Transport.TCP).rcode == "REFUSED"
    udp, tcp = here.close()
    assert (told(udp), udp.rcode) == (BLOCKED, NO_RESPONSE)
    assert (told(tcp), tcp.rcode) == (BLOCKED, 5)
    assert here.spool.answers == 2
    assert here.stats.document(sample_policy())["rcodes"] == {"NONE": 1, "REFUSED": 1}


def test_what_is_dropped_for_its_answer_is_not_answered_late(world: Worlds) -> None:
    rules = national(on(Kind.NETWORK, "192.0.2.0/24", RuleAction.DROP, Trigger.RESPONSE_IP))
    here = passing(world(sample_policy(), rules=rules))
    here.upstream.instant = False
    assert here.raw(ask(NAME)) == b""
    here.upstream.land()
    assert here.sent == []
    assert [row.rcode for row in here.close()] == [NO_RESPONSE]


def test_tcp_only_asks_for_tcp_and_answers_there(world: Worlds) -> None:
    here = passing(world(sample_policy(), rules=national(on(Kind.EXACT, NAME, RuleAction.TCP_ONLY))))
    for _ in range(2):
        said = here.ask(NAME)
        assert (said.rcode, "tc" in said.flags, said.answer, said.authority) == ("NOERROR", True, (), ())
        said = here.ask(NAME, transport=Transport.TCP)
        assert ("tc" in said.flags, said.addresses) == (False, ("192.0.2.1",))


def test_tcp_only_is_no_way_around_another_list(world: Worlds) -> None:
    rules = national(on(Kind.EXACT, NAME, RuleAction.TCP_ONLY))
    policy = sample_policy()
    other = replace(policy.lists[0], id=OTHER_LIST, code="judi")
    here = passing(world(replace(policy, lists=(*policy.lists, other)), {OTHER_LIST: [NAME]}, rules=rules))
    assert here.ask(NAME, transport=Transport.TCP).rcode == "NXDOMAIN"


@pytest.mark.parametrize(
    ("action", "data", "rrtype", "rcode", "answer"),
    [
        (RuleAction.NODATA, (), "A", "NOERROR", ()),
        (RuleAction.NXDOMAIN, (), "A", "NXDOMAIN", ()),
        (RuleAction.REFUSED, (), "A", "REFUSED", ()),
        (RuleAction.REWRITE, (Datum(A, "10.0.0.9"), Datum(A, "10.0.0.10")), "A", "NOERROR", ("10.0.0.9", "10.0.0.10")),
        (RuleAction.REWRITE, (Datum(A, "10.0.0.9"),), "AAAA", "NOERROR", ()),
        (RuleAction.REWRITE, (Datum(TXT, '"tanya dinas"'),), "TXT", "NOERROR", ('dinas"',)),
        (RuleAction.REWRITE, (Datum(CNAME, "laman.example"),), "A", "NOERROR", ("laman.example", "192.0.2.80")),
        (RuleAction.REWRITE, (Datum(CNAME, "laman.example"),), "TXT", "NOERROR", ("laman.example",)),
    ],
)
def test_the_answer_that_a_list_states(
    world: Worlds,
    action: RuleAction,
    data: tuple[Datum, ...],
    rrtype: str,
    rcode: str,
    answer: tuple[str, ...],
) -> None:
    here = world(sample_policy(), rules=national(on(Kind.EXACT, NAME, action, data=data)))
    passing(here, "laman.example", address="192.0.2.80")
    said = here.ask(NAME, rrtype)
    assert (said.rcode, said.addresses, said.ede[0][0]) == (rcode, answer, 16)
    row = here.close()[0]
    assert Verdict(row.verdict) is (Verdict.REDIRECTED if data else Verdict.BLOCKED)
    assert (row.list_id, row.category_id) == (NATIONAL_LIST, GAMBLING)


def test_a_plain_rule_is_answered_as_its_category_says(world: Worlds) -> None:
    policy = sample_policy()
    page = BlockAnswer(AnswerKind.PAGE, 30, "10.0.0.9")
    categories = (replace(policy.categories[0], answer=page), policy.categories[1])
    here = world(replace(policy, categories=categories), rules=national(f"||{NAME}^$important"))
    assert here.ask(NAME).addresses == ("10.0.0.9",)


def test_a_person_s_answer_goes_before_the_list_s(world: Worlds) -> None:
    listed = national(on(Kind.EXACT, NAME, RuleAction.NODATA))
    target = Target(TargetKind.CATEGORY, "perjudian")
    stated = Rule(1, agency(HEALTH), target, Action.BLOCK, answer=BlockAnswer(AnswerKind.REFUSED))
    assert world(sample_policy(stated), rules=listed).ask(NAME).rcode == "REFUSED"
    silent = Rule(1, agency(HEALTH), target, Action.BLOCK)
    here = world(sample_policy(silent), rules=listed)
    assert (here.ask(NAME).rcode, here.ask(NAME).answer) == ("NOERROR", ())


# The order of layers holds for rules as for entries.


def test_a_rule_of_a_conditional_category_waits_for_a_person_s_rule(world: Worlds) -> None:
    rules = RulesIndex([(SOCIAL_LIST, [rule(f"||{NAME}^$important")])])
    assert passing(world(sample_policy(), rules=rules)).ask(NAME).addresses
    block = Rule(1, agency(HEALTH), Target(TargetKind.CATEGORY, "media_sosial"), Action.BLOCK)
    here = passing(world(sample_policy(block), rules=rules))
    assert here.ask(NAME, host=HEALTH_CLIENT).rcode == "NXDOMAIN"
    assert here.ask(NAME, host=SCHOOLS_CLIENT).addresses


@pytest.mark.parametrize(
    "allow",
    [
        Rule(1, agency(HEALTH), Target(TargetKind.NAME, NAME), Action.ALLOW),
        Rule(1, REGENCY, Target(TargetKind.NAME, NAME), Action.ALLOW),
        Rule(1, REGENCY, Target(TargetKind.NAME, NAME), Action.ALLOW, exception=True, approver="budi"),
    ],
)
def test_no_rule_of_a_list_outvotes_a_person(world: Worlds, allow: Rule) -> None:
    lines = f"||{NAME}^$important", f"||{NAME}^$dnsrewrite=192.0.2.66"
    assert passing(world(sample_policy(allow), rules=national(*lines))).ask(NAME).addresses == ("192.0.2.1",)


def test_no_rule_of_a_list_reaches_a_protected_name(world: Worlds) -> None:
    lines = f"||{NAME}^$important", "/.*/", "*$denyallow=com", f"||{NAME}^$dnsrewrite=192.0.2.66"
    here = passing(world(sample_policy(protected=[NAME]), rules=national(*lines)))
    assert here.ask(NAME).addresses == ("192.0.2.1",)


def test_no_rule_of_a_list_undoes_a_mandatory_rule(world: Worlds) -> None:
    block = Rule(1, REGENCY, Target(TargetKind.NAME, NAME), Action.BLOCK, mandatory=True)
    here = passing(world(sample_policy(block), rules=national(f"@@||{NAME}^$important")))
    assert here.ask(NAME).rcode == "NXDOMAIN"


@pytest.mark.parametrize(
    ("line", "rcode"), [("@@||situs.example^", "NXDOMAIN"), ("@@||situs.example^$important", "NOERROR")]
)
def test_across_lists_important_goes_before_allow(world: Worlds, line: str, rcode: str) -> None:
    policy = sample_policy()
    other = replace(policy.lists[0], id=OTHER_LIST, code="izin", category_ids=())
    lists = {OTHER_LIST: ["@@situs.example"]} if line == "@@||situs.example^" else {}
    rules = RulesIndex(
        [
            (NATIONAL_LIST, [rule("||situs.example^$important")]),
            (OTHER_LIST, [] if lists else [rule(line)]),
        ]
    )
    here = passing(world(replace(policy, lists=(*policy.lists, other)), lists, rules=rules))
    assert here.ask(NAME).rcode == rcode


def test_an_allow_of_one_list_takes_the_name_off_that_list_only(world: Worlds) -> None:
    policy = sample_policy()
    other = replace(policy.lists[0], id=OTHER_LIST, code="judi")
    rules = RulesIndex([(SOCIAL_LIST, [rule("@@/^situs/$important")])])
    here = passing(world(replace(policy, lists=(*policy.lists, other)), {OTHER_LIST: [NAME]}, rules=rules))
    # The allow's list is of a conditional category, and not in force: its allow says nothing.
    assert here.ask(NAME).rcode == "NXDOMAIN"


def test_a_schedule_s_edge_keeps_rules_on_clients_apart(world: Worlds) -> None:
    here = passing(world(sample_policy(), rules=national(f"||{NAME}^$client={HEALTH_CLIENT}")))
    assert here.ask(NAME, host=HEALTH_CLIENT).rcode == "NXDOMAIN"
    here.pipeline.in_force = here.pipeline.in_force.later(here.now_s)
    assert here.ask(NAME, host="10.1.0.6").addresses == ("192.0.2.1",)
    assert here.ask(NAME, host=HEALTH_CLIENT).rcode == "NXDOMAIN"
