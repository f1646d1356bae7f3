"""Explanations of answers: what the rehearsal sends is what the pipeline sends, and each hop has its reason."""

from __future__ import annotations

from typing import cast

from blocklists.asker import ANYBODY
from blocklists.index import Index
from dnswire.answer import parse_answer
from dnswire.message_text import answer_text, message_text
from dnswire.name import from_text
from policy.explain import ByAddress, Explainer
from policy.model import Action, Rule, Scope, Target, TargetKind, Verdict, Via
from policy.prepare import prepare
from resolver.hops_explained import explain_hops
from resolver.in_force import InForce
from resolver.inspection import inspect
from resolver.rehearsal import ANY_CLIENT, Rehearsal
from tests.support.dns import answer, ask, heard
from tests.support.fixtures_world import Worlds
from tests.support.plain_index import PlainIndex
from tests.support.world import HEALTH, HEALTH_CLIENT, MONDAY_10, NATIONAL_LIST, agency, sample_policy

LISTS = {NATIONAL_LIST: ["*.judi.example"]}
RULES = (
    Rule(1, agency(HEALTH), Target(TargetKind.NAME, "boleh.example"), Action.ALLOW),
    Rule(2, Scope(), Target(TargetKind.NETWORK, "203.0.113.0/24"), Action.BLOCK),
)
CHAIN = ["{0}. 300 IN CNAME x.judi.example.", "x.judi.example. 300 IN A 203.0.113.7"]


def test_a_rehearsed_query_is_answered_with_the_octets_that_a_worker_sends(world: Worlds) -> None:
    policy = sample_policy(*RULES)
    here = world(policy, LISTS)
    for name in ("judi.example", "cdn.example", "boleh.example", "whoami.saring", "localhost"):
        lines = [line.format(name) for line in CHAIN]
        here.upstream.zones[name] = lines
        index = cast(Index, PlainIndex(LISTS))
        rehearsal = Rehearsal(InForce.begin(1, policy, index, MONDAY_10, {}), MONDAY_10)
        query = ask(name)
        outcome = rehearsal.ask(query, HEALTH_CLIENT)
        if outcome.wanted is not None:
            assert outcome.wanted.name == from_text(name)
            outcome = rehearsal.land(parse_answer(answer(query, *lines)), 1)
        assert outcome.response == here.raw(query)
        assert outcome.row is not None
        assert outcome.row.verdict == here.logged()[-1].verdict
    assert "NXDOMAIN" in message_text(here.raw(ask("judi.example")))
    kept = answer_text(parse_answer(answer(ask("a.example"), "a.example. 60 IN A 192.0.2.1")))
    assert kept.endswith("a.example.  60 IN A 192.0.2.1")


def test_an_agency_s_client_without_an_address_is_rehearsed_too() -> None:
    policy = sample_policy(*RULES)
    in_force = InForce.begin(1, policy, cast(Index, PlainIndex(LISTS)), MONDAY_10, {})
    in_force.stand_in(ANY_CLIENT, HEALTH, 0)
    outcome = Rehearsal(in_force, MONDAY_10).ask(ask("judi.example"), ANY_CLIENT)
    assert outcome.response is not None
    assert heard(outcome.response).rcode == "NXDOMAIN"


def test_each_hop_is_explained_and_the_whole_is_what_the_pipeline_decides() -> None:
    policy = sample_policy(*RULES)
    prepared, index = prepare(policy), cast(Index, PlainIndex(LISTS))
    explainer = Explainer(prepared, index, ByAddress(bytes((10, 1, 0, 5))), MONDAY_10)
    for name, outcomes in (
        ("cdn.example", ["bars the answer", "not asked any more: what came before it bars the answer"]),
        (
            "boleh.example",
            [
                "does not count: the question is let through by agency rules, which only a stronger layer than lists "
                "overrides",
                "does not count: the question is let through by agency rules, which only a stronger layer than regency "
                "rules overrides",
            ],
        ),
    ):
        said = parse_answer(answer(ask(name), *(line.format(name) for line in CHAIN)))
        question, _ = explainer.name(from_text(name), 1, 1)
        decision, hops = explain_hops(explainer, None, question, said, 1)
        assert [hop.outcome for hop in hops] == outcomes
        assert [(hop.via, hop.subject) for hop in hops] == [(Via.ALIAS, "x.judi.example"), (Via.ADDRESS, "203.0.113.7")]
        view = explainer.client.view
        assert decision == inspect(view, index, question, said, 1, ANYBODY)
        assert hops[0].findings[0].list_code == "trustpositif"


def test_an_address_is_explained_with_whose_it_is() -> None:
    explainer = Explainer(prepare(sample_policy(*RULES)), PlainIndex(LISTS), ByAddress(bytes((10, 1, 0, 5))), MONDAY_10)
    found = explainer.answered_address(bytes((203, 0, 113, 7)))
    assert (found.name, found.decision.verdict, found.findings[0].matched) == (
        "203.0.113.7",
        Verdict.BLOCKED,
        "203.0.113.0/24",
    )
    assert explainer.answered_address(bytes((192, 0, 2, 1))).findings[0].outcome == "decides: lets the address through"
    owner = explainer.owner(bytes((10, 2, 0, 5)))
    assert owner is not None
    assert owner.agency == "disdik"
