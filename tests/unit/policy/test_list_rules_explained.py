"""Rules of lists in explanations: which line of which list, what it would answer, and why it lost."""

from __future__ import annotations

import pytest

from blocklists.rule import Datum, Kind, ListRule, RuleAction
from blocklists.rules_index import RulesIndex
from dnswire import name as wire
from policy.explain import ByAddress, ByTenant, Explanation, Who, explain
from policy.model import Action, Verdict
from tests.support.deciding import MONDAY_10_S, NATIONAL, PRIVATE, RSUD, RSUD_SCOPE, government, rule
from tests.support.plain_index import PlainIndex

NAME = "www.situs.example"
_HOSPITAL = ByTenant(RSUD)


def explained(rules: dict[int, list[ListRule]], who: Who = _HOSPITAL, rrtype: int = 1, **lists: str) -> Explanation:
    index = PlainIndex({NATIONAL: list(lists.values())}, RulesIndex(list(rules.items())))
    return explain(government(), index, who, wire.from_text(NAME), rrtype, MONDAY_10_S)


def important(**more: object) -> ListRule:
    return ListRule(  # type: ignore[misc]  # passed on as they are
        Kind.SUBTREE, "situs.example", important=True, line=12, text="||situs.example^$important", **more
    )


def test_the_line_and_its_text_are_told() -> None:
    found = explained({NATIONAL: [important()]}).findings[0]
    assert (found.wins, found.source, found.list_line, found.list_text, found.important, found.matched) == (
        True,
        "list trustpositif",
        12,
        "||situs.example^$important",
        True,
        "situs.example",
    )


def test_an_entry_has_no_line() -> None:
    found = explained({}, entry=NAME).findings[0]
    assert (found.wins, found.list_line, found.list_text) == (True, 0, "")


def test_why_an_allow_lost_inside_its_list_and_across_lists() -> None:
    inside = explained({NATIONAL: [important()]}, allow="@@situs.example").findings
    assert [(one.wins, one.outcome) for one in inside[:1]] == [(True, "decides: bars the name")]
    assert "has no say: a rule of the same list goes before its allow" in [one.outcome for one in inside]
    across = explained({PRIVATE: [important()]}, allow="@@situs.example").findings
    assert [one.outcome for one in across if one.action is Action.ALLOW and one.list_id] == [
        "loses to a list: important goes first"
    ]


def test_conditions_are_held_against_the_one_who_asks() -> None:
    rules = {NATIONAL: [important(clients=("rsud", "10.9.9.9"))]}
    assert explained(rules, ByTenant(RSUD)).decision.verdict is Verdict.BLOCKED
    assert explained(rules, ByAddress(b"\x0a\1\0\5")).decision.verdict is Verdict.BLOCKED
    assert explained(rules, ByAddress(b"\x0a\2\0\5")).decision.verdict is Verdict.ALLOWED
    assert explained({NATIONAL: [important(rrtypes=(28,))]}).decision.verdict is Verdict.ALLOWED
    assert explained({NATIONAL: [important(rrtypes=(28,))]}, rrtype=28).decision.verdict is Verdict.BLOCKED


@pytest.mark.parametrize(
    ("action", "data", "response"),
    [
        (RuleAction.DROP, (), "no response: a list asks to drop the query"),
        (RuleAction.NODATA, (), "NODATA, TTL 60 s"),
        (RuleAction.NXDOMAIN, (), "NXDOMAIN, TTL 60 s"),
        (RuleAction.REFUSED, (), "REFUSED"),
        (RuleAction.REWRITE, (Datum(1, "10.0.0.9"), Datum(16, '"a"')), 'A 10.0.0.9; TXT "a", TTL 60 s'),
        (RuleAction.TCP_ONLY, (), "over UDP an empty response with TC set"),
    ],
)
def test_the_answer_that_a_rule_states_is_told(action: RuleAction, data: tuple[Datum, ...], response: str) -> None:
    said = explained({NATIONAL: [ListRule(Kind.EXACT, NAME, action, data=data)]})
    assert said.decision.response.startswith(response)


def test_an_expression_has_matched_the_whole_name_and_comes_last() -> None:
    rules = {NATIONAL: [ListRule(Kind.REGEX, "situs")], PRIVATE: [ListRule(Kind.SUBTREE, "situs.example")]}
    found = explained(rules).findings
    assert [(one.list_code, one.matched) for one in found[:2]] == [("judi", "situs.example"), ("trustpositif", NAME)]


def test_no_rule_of_a_list_goes_before_a_person_s() -> None:
    policy = government(rule(1, RSUD_SCOPE, f"name:{NAME}", Action.ALLOW))
    index = PlainIndex({}, RulesIndex([(NATIONAL, [important()])]))
    said = explain(policy, index, ByTenant(RSUD), wire.from_text(NAME), 1, MONDAY_10_S)
    assert said.decision.verdict is Verdict.ALLOWED
    assert "agency rules come before lists" in next(one.outcome for one in said.findings if one.list_id)
