"""A rule that is reported never to win never wins: random policies, asked with random clients, names and times.

``SARING_NEVER_WINS_POLICIES`` sets the number of policies for a long run (default 250).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from random import Random

from blocklists.index import Match
from dnswire import name as wire
from policy.decide import decide, decide_address
from policy.model import Action, Policy, Rule, Scope, ScopeKind, TargetKind
from policy.never_wins import never_wins
from policy.prepare import Prepared, prepare
from policy.problems import Problem
from policy.resolve import at
from policy.surroundings import Surroundings
from tests.support import reference_policy as reference
from tests.support.random_policies import (
    CLIENTS,
    SPAN_S,
    START_S,
    random_entries,
    random_name,
    random_policy,
)

POLICIES = int(os.environ.get("SARING_NEVER_WINS_POLICIES", "250"))
ADDRESSES = ("203.0.113.7", "203.0.113.200", "203.0.9.9", "2001:db8:f::1")


def crowded(random: Random) -> Policy:
    """A random policy with more rules, many of which speak of what another speaks of."""
    policy = random_policy(random)
    rules = list(policy.rules)
    if not rules:
        return policy
    for number in range(len(rules) + 1, len(rules) + random.randrange(2, 12)):
        like = random.choice(rules)
        scope = random.choice((like.scope, like.scope, Scope(), Scope(ScopeKind.AGENCY, random.randint(1, 2))))
        target = random.choice((like.target, like.target, random.choice(rules).target))
        changed = replace(like, id=number, scope=scope, target=target, important=random.random() < 0.3)
        rules.append(replace(changed, action=random.choice((like.action, random.choice(rules).action))))
    return replace(policy, rules=tuple(_possible(rule) for rule in rules))


def _possible(rule: Rule) -> Rule:
    """Only search engines have a filtered mode."""
    if rule.action is Action.SAFE_SEARCH and rule.target.kind is not TargetKind.SEARCH:
        return replace(rule, action=Action.BLOCK)
    return rule


def winners(prepared: Prepared, random: Random, since_s: float, cases: int) -> Iterator[tuple[int, str]]:
    """Rules that were the reason of a decision, each with its case in words."""
    policy = prepared.policy
    for _ in range(4):
        entries = random_entries(random, range(1, 5))
        at_s = since_s + random.randrange(SPAN_S) + random.choice((0.0, 0.5))
        resolved = at(prepared, at_s)
        for _ in range(cases // 4):
            address = random.choice(CLIENTS)
            client = resolved.client(ip_address(address).packed)
            name = random_name(random)
            world = reference.World(policy, entries, name, 1)
            matches = tuple(Match(one.length, one.list_id, one.allow, None) for one in world.covering)
            found = decide(client.view, matches, wire.from_text(".".join(name)), random.choice((1, 65, 16)))
            yield found.rule_id, f"{'.'.join(name)} of {address} at {at_s}"
            answered = random.choice(ADDRESSES)
            said = tuple(Match(0, number, False, None) for number in range(1, 5) if random.random() < 0.2)
            found = decide_address(client.view, ip_address(answered).packed, said)
            yield found.rule_id, f"{answered} of {address} at {at_s}"
            if client.view.ech_rule is not None:
                yield client.view.ech_rule.rule_id, f"ECH of {address} at {at_s}"


def test_what_is_reported_never_to_win_never_wins() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(POLICIES):
        random = Random(seed)
        prepared = prepare(crowded(random))
        since_s = START_S + random.choice((0, random.randrange(SPAN_S)))
        # A list that says nothing is one without entries: there is none of it among these lines.
        reported = {problem.key: problem for problem in never_wins(prepared, Surroundings(now_s=since_s))}
        kinds.update(_kind(problem) for problem in reported.values())
        for rule_id, case in winners(prepared, random, since_s, 60):
            problem = reported.get(str(rule_id))
            assert problem is None, f"seed {seed}: {problem}, and it decides {case}"
    if POLICIES >= 250:
        assert min(kinds[word] for word in KINDS) >= 3, f"hardly ever reported: {kinds}"


KINDS = (
    "it ended",
    "its schedule",
    "has no network",
    "is protected",
    "mandatory rules go before",
    "exceptions go before",
    "it is important",
    "in one layer an allow",
    "it bars what",
    "the older one",
    "no list feeds",
    "has no names",
)


def _kind(problem: Problem) -> str:
    return next((kind for kind in KINDS if kind in problem.message), problem.message)
