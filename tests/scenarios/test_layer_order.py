"""DESIGN 5, the order: each layer against the one behind it, and places inside one layer.

The names of the tests are the sentences of the order. Every test also asks the other way round where that can be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policy.model import Action, Agency, Decision, Layer, Regency, Rule, Unit, Verdict
from tests.support.deciding import (
    DISDIK,
    GAMBLING,
    IGD,
    IGD_SCOPE,
    NATIONAL,
    PRIVATE,
    PURE_ALLOW,
    REGENCY_SCOPE,
    RSUD,
    RSUD_SCOPE,
    SOCIAL,
    SOCIAL_LIST,
    ask,
    government,
    rule,
)

BLOCK, ALLOW, OBSERVE = Action.BLOCK, Action.ALLOW, Action.OBSERVE
NAME = "name:www.contoh.example"
WWW = "www.contoh.example"


def told(decision: Decision) -> tuple[Verdict, Layer, int]:
    return decision.verdict, decision.layer, decision.rule_id


# The places of the order: for each, what makes a policy block (or allow) the name there, as changes of a policy.
PLACES = (
    "mandatory rules",
    "exceptions of the unit",
    "exceptions of the agency",
    "exceptions of the regency",
    "protected names",
    "unit rules",
    "agency rules",
    "regency rules",
    "lists",
    "default",
)
_SCOPES = {"unit": IGD_SCOPE, "agency": RSUD_SCOPE, "regency": REGENCY_SCOPE, "mandatory": REGENCY_SCOPE}


def _said_at(place: str, action: Action, number: int, important: bool) -> tuple[list[Rule], dict[str, Any]]:
    """Rules, and other changes, by which that place blocks or allows ``WWW``."""
    if place == "protected names":
        return [], {"protected": ["contoh.example"]}
    if place == "default":
        return [], {"regency": Regency("Contoh", allow_list_only=action is BLOCK)}
    if place == "lists":
        return [], {"lists": {PURE_ALLOW: ["@@" + WWW]} if action is ALLOW else {NATIONAL: [WWW]}}
    more = {"mandatory": place == "mandatory rules", "exception": place.startswith("exceptions")}
    scope = _SCOPES[place.split()[-1] if place.startswith("exceptions") else place.split()[0]]
    return [rule(number, scope, NAME, action, important=important, **more)], {}


def _pairs() -> list[tuple[str, str, Action]]:
    """Every pair of places, each way round that there is: protection only allows."""
    found = []
    for position, first in enumerate(PLACES):
        for second in PLACES[position + 1 :]:
            for action in (BLOCK, ALLOW):
                opposite = ALLOW if action is BLOCK else BLOCK
                impossible = (first == "protected names" and action is BLOCK) or (
                    second == "protected names" and opposite is BLOCK
                )
                if not impossible:
                    found.append((first, second, action))
    return found


@pytest.mark.parametrize(
    ("first", "second", "action"), _pairs(), ids=lambda one: str(one.value if isinstance(one, Action) else one)
)
def test_of_two_layers_the_first_decides(first: str, second: str, action: Action) -> None:
    """The second is important where it can be, for that reaches no further than its own layer."""
    rules, changes = _said_at(first, action, 1, False)
    others, more = _said_at(second, ALLOW if action is BLOCK else BLOCK, 2, True)
    lists = changes.pop("lists", None) or more.pop("lists", None)
    decision = ask(government(*rules, *others, **changes, **more), WWW, lists)
    layer = Layer.EXCEPTION if first.startswith("exceptions") else _LAYERS[first]
    assert told(decision) == (Verdict.BLOCKED if action is BLOCK else Verdict.ALLOWED, layer, 1 if rules else 0)


_LAYERS = {
    "mandatory rules": Layer.MANDATORY,
    "protected names": Layer.PROTECTED,
    "unit rules": Layer.UNIT,
    "agency rules": Layer.AGENCY,
    "regency rules": Layer.REGENCY,
    "lists": Layer.LISTS,
}


def test_mandatory_rules_before_exceptions() -> None:
    policy = government(
        rule(1, REGENCY_SCOPE, NAME, BLOCK, mandatory=True),
        rule(2, IGD_SCOPE, NAME, ALLOW, exception=True, important=True),
    )
    assert told(ask(policy, WWW)) == (Verdict.BLOCKED, Layer.MANDATORY, 1)


def test_exceptions_of_the_unit_before_those_of_the_agency() -> None:
    policy = government(
        rule(1, RSUD_SCOPE, NAME, ALLOW, exception=True, important=True),
        rule(2, IGD_SCOPE, NAME, BLOCK, exception=True),
    )
    assert told(ask(policy, WWW)) == (Verdict.BLOCKED, Layer.EXCEPTION, 2)
    assert told(ask(policy, WWW, unit=0)) == (Verdict.ALLOWED, Layer.EXCEPTION, 1)


def test_exceptions_of_the_agency_before_those_of_the_regency() -> None:
    policy = government(
        rule(1, REGENCY_SCOPE, NAME, ALLOW, exception=True, important=True),
        rule(2, RSUD_SCOPE, NAME, BLOCK, exception=True),
    )
    assert told(ask(policy, WWW)) == (Verdict.BLOCKED, Layer.EXCEPTION, 2)
    assert told(ask(policy, WWW, agency=DISDIK, unit=0)) == (Verdict.ALLOWED, Layer.EXCEPTION, 1)


def test_exceptions_before_protected_names() -> None:
    policy = government(rule(1, REGENCY_SCOPE, NAME, BLOCK, exception=True), protected=["contoh.example"])
    assert told(ask(policy, WWW)) == (Verdict.BLOCKED, Layer.EXCEPTION, 1)


def test_protected_names_before_unit_rules() -> None:
    policy = government(rule(1, IGD_SCOPE, NAME, BLOCK, important=True), protected=["contoh.example"])
    assert told(ask(policy, WWW)) == (Verdict.ALLOWED, Layer.PROTECTED, 0)
    assert ask(policy, WWW).matched == b"\x06contoh\x07example\x00"


def test_unit_rules_before_agency_rules() -> None:
    policy = government(rule(1, RSUD_SCOPE, NAME, ALLOW, important=True), rule(2, IGD_SCOPE, NAME, BLOCK))
    assert told(ask(policy, WWW)) == (Verdict.BLOCKED, Layer.UNIT, 2)
    assert told(ask(policy, WWW, unit=0)) == (Verdict.ALLOWED, Layer.AGENCY, 1)


def test_agency_rules_before_regency_rules() -> None:
    policy = government(rule(1, REGENCY_SCOPE, NAME, ALLOW, important=True), rule(2, RSUD_SCOPE, NAME, BLOCK))
    assert told(ask(policy, WWW)) == (Verdict.BLOCKED, Layer.AGENCY, 2)
    assert told(ask(policy, WWW, agency=DISDIK, unit=0)) == (Verdict.ALLOWED, Layer.REGENCY, 1)


def test_regency_rules_before_lists() -> None:
    lists = {NATIONAL: ["*.contoh.example"]}
    policy = government(rule(1, REGENCY_SCOPE, NAME, ALLOW))
    assert told(ask(policy, WWW, lists)) == (Verdict.ALLOWED, Layer.REGENCY, 1)
    assert told(ask(policy, "lain.contoh.example", lists)) == (Verdict.BLOCKED, Layer.LISTS, 0)


def test_lists_before_the_default() -> None:
    only = government(regency=Regency("Contoh", allow_list_only=True))
    assert told(ask(only, WWW)) == (Verdict.BLOCKED, Layer.DEFAULT, 0)
    assert told(ask(only, WWW, {PURE_ALLOW: ["@@contoh.example"]})) == (Verdict.ALLOWED, Layer.LISTS, 0)


@pytest.mark.parametrize("scope", ["regency", "agency", "unit"])
def test_the_default_blocks_where_any_scope_of_the_client_is_allow_list_only(scope: str) -> None:
    plain = government(rule(1, REGENCY_SCOPE, NAME, ALLOW))
    policy = {
        "regency": replace(plain, regency=Regency("Contoh", allow_list_only=True)),
        "agency": replace(plain, agencies=(Agency(RSUD, "rsud", "R", True), Agency(DISDIK, "disdik", "D"))),
        "unit": replace(plain, units=(Unit(IGD, "igd", "I", RSUD, True),)),
    }[scope]
    assert told(ask(plain, "lain.example")) == (Verdict.ALLOWED, Layer.DEFAULT, 0)
    assert told(ask(policy, "lain.example")) == (Verdict.BLOCKED, Layer.DEFAULT, 0)
    assert ask(policy, "lain.example").ede == (15 if scope == "regency" else 17)
    assert told(ask(policy, WWW)) == (Verdict.ALLOWED, Layer.REGENCY, 1)


def test_in_one_layer_important_before_allow() -> None:
    policy = government(rule(1, IGD_SCOPE, NAME, ALLOW), rule(2, IGD_SCOPE, "wildcard:example", BLOCK, important=True))
    assert told(ask(policy, WWW)) == (Verdict.BLOCKED, Layer.UNIT, 2)


def test_in_one_layer_an_important_allow_before_an_important_block() -> None:
    policy = government(
        rule(1, IGD_SCOPE, NAME, BLOCK, important=True), rule(2, IGD_SCOPE, "wildcard:example", ALLOW, important=True)
    )
    assert told(ask(policy, WWW)) == (Verdict.ALLOWED, Layer.UNIT, 2)


def test_in_one_layer_allow_before_block_even_of_a_longer_name() -> None:
    policy = government(rule(1, IGD_SCOPE, NAME, BLOCK), rule(2, IGD_SCOPE, "wildcard:example", ALLOW))
    assert told(ask(policy, WWW)) == (Verdict.ALLOWED, Layer.UNIT, 2)


def test_in_one_layer_the_longest_name_wins_a_tie() -> None:
    policy = government(
        rule(1, IGD_SCOPE, "regex:contoh", BLOCK),
        rule(2, IGD_SCOPE, "wildcard:example", BLOCK),
        rule(3, IGD_SCOPE, "wildcard:*.contoh.example", Action.REDIRECT),
    )
    assert told(ask(policy, WWW)) == (Verdict.REDIRECTED, Layer.UNIT, 3)
    assert told(ask(policy, "a.example")) == (Verdict.BLOCKED, Layer.UNIT, 2)
    assert told(ask(policy, "contoh.id")) == (Verdict.BLOCKED, Layer.UNIT, 1)


def test_in_the_lists_an_allow_entry_before_blocks_of_other_lists() -> None:
    lists = {NATIONAL: ["*.contoh.example"], PRIVATE: ["@@contoh.example"]}
    assert told(ask(government(), WWW, lists)) == (Verdict.ALLOWED, Layer.LISTS, 0)
    assert ask(government(), WWW, lists).list_id == PRIVATE


def test_in_the_lists_the_longest_entry_then_the_national_list_gives_the_reason() -> None:
    both = {PRIVATE: ["*.contoh.example"], NATIONAL: ["*.contoh.example"]}
    assert ask(government(), WWW, both).list_id == NATIONAL
    longer = {PRIVATE: [WWW], NATIONAL: ["*.contoh.example"]}
    assert ask(government(), WWW, longer).list_id == PRIVATE


def test_a_list_of_a_conditional_category_has_no_say_without_a_rule() -> None:
    lists = {SOCIAL_LIST: ["*.contoh.example"]}
    assert told(ask(government(), WWW, lists)) == (Verdict.ALLOWED, Layer.DEFAULT, 0)
    by_category = ask(government(rule(1, RSUD_SCOPE, "category:media_sosial")), WWW, lists)
    assert told(by_category) == (Verdict.BLOCKED, Layer.AGENCY, 1)
    assert (by_category.list_id, by_category.category_id) == (SOCIAL_LIST, SOCIAL)
    by_list = ask(government(rule(1, RSUD_SCOPE, "list:sosial")), WWW, lists)
    assert (by_list.list_id, by_list.category_id) == (SOCIAL_LIST, SOCIAL)


def test_its_allow_entries_have_no_say_on_other_lists_either() -> None:
    lists = {SOCIAL_LIST: ["@@contoh.example"], NATIONAL: [WWW]}
    assert told(ask(government(), WWW, lists)) == (Verdict.BLOCKED, Layer.LISTS, 0)


def test_an_allow_entry_takes_the_name_off_its_own_list_for_rules_too() -> None:
    lists = {SOCIAL_LIST: ["*.contoh.example", "@@www.contoh.example"]}
    policy = government(rule(1, RSUD_SCOPE, "category:media_sosial"))
    assert told(ask(policy, WWW, lists)) == (Verdict.ALLOWED, Layer.DEFAULT, 0)
    assert told(ask(policy, "m.contoh.example", lists)) == (Verdict.BLOCKED, Layer.AGENCY, 1)


def test_a_service_is_blocked_by_itself_and_through_its_category() -> None:
    for target in ("service:tiktok", "category:media_sosial"):
        decision = ask(government(rule(1, RSUD_SCOPE, target)), "v16.tiktokcdn.com")
        assert told(decision) == (Verdict.BLOCKED, Layer.AGENCY, 1)
        assert decision.category_id == SOCIAL
        assert decision.matched == b"\x09tiktokcdn\x03com\x00"


def test_no_downloaded_list_blocks_a_protected_name_even_through_a_mandatory_rule() -> None:
    lists = {NATIONAL: ["*.go.id"], PRIVATE: ["muba.go.id"]}
    policy = government(rule(1, REGENCY_SCOPE, "category:perjudian", BLOCK, mandatory=True), protected=["go.id"])
    assert told(ask(policy, "muba.go.id", lists)) == (Verdict.ALLOWED, Layer.PROTECTED, 0)
    by_list = government(rule(1, REGENCY_SCOPE, "list:trustpositif", BLOCK, mandatory=True), protected=["go.id"])
    assert told(ask(by_list, "muba.go.id", lists)) == (Verdict.ALLOWED, Layer.PROTECTED, 0)


@pytest.mark.parametrize("target", ["name:palsu.go.id", "wildcard:go.id", "regex:palsu", "service:tiktok"])
def test_a_mandatory_rule_of_people_blocks_a_protected_name(target: str) -> None:
    policy = government(rule(1, REGENCY_SCOPE, target, BLOCK, mandatory=True), protected=["go.id", "tiktok.com"])
    asked = "tiktok.com" if target.startswith("service") else "palsu.go.id"
    assert told(ask(policy, asked)) == (Verdict.BLOCKED, Layer.MANDATORY, 1)


def test_a_mandatory_mark_on_an_agency_rule_is_void() -> None:
    policy = government(rule(1, RSUD_SCOPE, NAME, BLOCK, mandatory=True), rule(2, IGD_SCOPE, NAME, ALLOW))
    assert told(ask(policy, WWW)) == (Verdict.ALLOWED, Layer.UNIT, 2)


def test_an_exception_without_approver_does_not_count() -> None:
    lists = {NATIONAL: [WWW]}
    policy = government(rule(1, IGD_SCOPE, NAME, ALLOW, exception=True, approver=""))
    assert told(ask(policy, WWW, lists)) == (Verdict.BLOCKED, Layer.LISTS, 0)
    disguised = government(rule(1, IGD_SCOPE, NAME, ALLOW, exception=True, approver="", mandatory=True))
    assert told(ask(disguised, WWW, lists)) == (Verdict.BLOCKED, Layer.LISTS, 0)


def test_observe_counts_what_it_would_have_blocked_and_lets_it_through() -> None:
    policy = government(rule(1, RSUD_SCOPE, NAME, OBSERVE))
    decision = ask(policy, WWW)
    assert told(decision) == (Verdict.OBSERVED, Layer.AGENCY, 1)
    assert decision.allow_layer is Layer.DEFAULT
    assert decision.answer is None


def test_observe_does_not_shield_from_a_block_behind_it() -> None:
    policy = government(rule(1, RSUD_SCOPE, NAME, OBSERVE))
    assert told(ask(policy, WWW, {NATIONAL: [WWW]})) == (Verdict.BLOCKED, Layer.LISTS, 0)


def test_observe_behind_an_allow_would_not_have_blocked_and_is_not_counted() -> None:
    policy = government(rule(1, RSUD_SCOPE, NAME, OBSERVE), rule(2, IGD_SCOPE, NAME, ALLOW))
    assert told(ask(policy, WWW)) == (Verdict.ALLOWED, Layer.UNIT, 2)
    before = government(rule(1, IGD_SCOPE, NAME, OBSERVE), rule(2, RSUD_SCOPE, NAME, ALLOW))
    decision = ask(before, WWW)
    assert told(decision) == (Verdict.OBSERVED, Layer.UNIT, 1)
    assert decision.allow_layer is Layer.AGENCY


def test_a_negative_category_holds_for_everybody() -> None:
    for agency, unit in ((0, 0), (RSUD, 0), (RSUD, IGD), (DISDIK, 0)):
        decision = ask(government(), WWW, {PRIVATE: ["*.example"]}, agency, unit)
        assert (decision.verdict, decision.category_id) == (Verdict.BLOCKED, GAMBLING)
