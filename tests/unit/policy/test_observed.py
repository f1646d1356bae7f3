"""Lists and categories that are only observed: counted with their reason, never blocking."""

from __future__ import annotations

from dataclasses import replace

from policy.explain import ByTenant, explain
from policy.model import Action, Decision, Layer, Policy, Rule, Verdict
from tests.support.deciding import GAMBLING, NATIONAL, PRIVATE, REGENCY_SCOPE, RSUD, ask, government, rule
from tests.support.plain_index import PlainIndex

WWW = "www.judi.example"
BY_BOTH = {NATIONAL: ["*.judi.example"], PRIVATE: ["*.www.judi.example"]}


def observing(*rules: Rule, lists: tuple[int, ...] = (), categories: tuple[int, ...] = ()) -> Policy:
    policy = government(*rules)
    return replace(
        policy,
        lists=tuple(replace(one, observe=one.id in lists) for one in policy.lists),
        categories=tuple(replace(one, observe=one.id in categories) for one in policy.categories),
    )


def told(decision: Decision) -> tuple[Verdict, Layer, int, int]:
    return decision.verdict, decision.layer, decision.rule_id, decision.list_id


def test_an_observed_list_counts_and_lets_through() -> None:
    policy = observing(lists=(NATIONAL,))
    decision = ask(policy, WWW, {NATIONAL: ["*.judi.example"]})
    assert told(decision) == (Verdict.OBSERVED, Layer.LISTS, 0, NATIONAL)
    assert decision.category_id == GAMBLING


def test_another_list_blocks_all_the_same() -> None:
    assert told(ask(observing(lists=(NATIONAL,)), WWW, BY_BOTH)) == (Verdict.BLOCKED, Layer.LISTS, 0, PRIVATE)
    assert told(ask(observing(lists=(PRIVATE,)), WWW, BY_BOTH)) == (Verdict.BLOCKED, Layer.LISTS, 0, NATIONAL)


def test_an_observed_list_is_no_evidence_for_a_rule_that_blocks() -> None:
    by_category = rule(1, REGENCY_SCOPE, "category:perjudian", mandatory=True)
    by_list = rule(2, REGENCY_SCOPE, "list:trustpositif")
    policy = observing(by_category, by_list, lists=(NATIONAL,))
    assert told(ask(policy, WWW, {NATIONAL: ["*.judi.example"]})) == (Verdict.OBSERVED, Layer.MANDATORY, 1, NATIONAL)
    assert told(ask(policy, WWW, BY_BOTH)) == (Verdict.BLOCKED, Layer.MANDATORY, 1, PRIVATE)


def test_its_allow_entries_hold() -> None:
    policy = observing(lists=(NATIONAL,))
    lists = {NATIONAL: ["@@www.judi.example"], PRIVATE: ["*.judi.example"]}
    assert told(ask(policy, WWW, lists)) == (Verdict.ALLOWED, Layer.LISTS, 0, NATIONAL)


def test_an_observed_category_counts_what_its_lists_would_block() -> None:
    assert told(ask(observing(categories=(GAMBLING,)), WWW, BY_BOTH))[:2] == (Verdict.OBSERVED, Layer.LISTS)


def test_rules_on_an_observed_category_mean_what_they_say() -> None:
    policy = observing(rule(1, REGENCY_SCOPE, "category:perjudian"), categories=(GAMBLING,))
    assert told(ask(policy, WWW, BY_BOTH))[:3] == (Verdict.BLOCKED, Layer.REGENCY, 1)


def test_an_explanation_says_who_is_counted() -> None:
    policy = observing(lists=(NATIONAL,))
    index = PlainIndex({NATIONAL: ["*.judi.example"]})
    found = explain(policy, index, ByTenant(RSUD), b"\3www\4judi\7example\0", 1, 0)
    counted = next(finding for finding in found.findings if finding.counted)
    assert (counted.action, counted.list_id, counted.outcome) == (
        Action.OBSERVE, NATIONAL, "counted: it would have barred the name",
    )  # fmt: skip
