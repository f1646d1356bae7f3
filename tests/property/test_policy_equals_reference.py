"""Random policies: the data path and the explainer say what the slow reference says, reason and answer included.

``SARING_POLICY_CASES`` sets the number of cases for a long run (default 4,000), ``SARING_POLICY_SEED`` where it starts.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from random import Random
from typing import cast

from blocklists.asker import ANYBODY, Asker, Client
from blocklists.compiler import ListInput, compile_index
from blocklists.entries import write_entries
from blocklists.entry import Cover, key_of
from blocklists.index import Index, Match
from blocklists.progress import Silent
from blocklists.rule import Kind, ListRule, RuleAction
from dnswire import name as wire
from policy.decide import decide, decide_address
from policy.document import decode, encode
from policy.explain import ByAddress, explain_prepared
from policy.explanation import Explanation
from policy.model import Decision, Policy, Verdict
from policy.prepare import prepare
from policy.resolve import Resolved, at
from resolver.in_force import InForce
from tests.support import reference_policy as reference
from tests.support.random_policies import (
    CLIENTS,
    SPAN_S,
    START_S,
    random_address_lines,
    random_entries,
    random_name,
    random_policy,
)

CASES = int(os.environ.get("SARING_POLICY_CASES", "4000"))
SEED = int(os.environ.get("SARING_POLICY_SEED", "1"))
CASES_A_POLICY = 40
EXPLAINS_ALL = CASES > 20_000  # a long run explains every case, a short one each tenth


class ReferenceIndex:
    """The lists' lines as an index: every covering entry, the longest first."""

    rules = None

    def __init__(self, policy: Policy, entries: list[reference.Entry]) -> None:
        self._policy = policy
        self._entries = entries

    def asker(self, client: Client, over_tcp: bool = False) -> Asker:
        return ANYBODY

    def ask(self, name: bytes, rrtype: int, asker: Asker) -> tuple[Match, ...]:
        return self.match(name)

    def match(self, name: bytes) -> tuple[Match, ...]:
        labels = reference.split(wire.to_text(name))
        covering = reference.World(self._policy, self._entries, labels, 1).covering
        matches = [Match(one.length, one.list_id, one.allow, _rule(one.important, one.allow)) for one in covering]
        return tuple(sorted(matches, key=lambda match: -match.labels))


def _rule(important: bool, allow: bool) -> ListRule | None:
    """What is no entry is a rule; where it is not important, either may stand for the other."""
    action = RuleAction.ALLOW if allow else RuleAction.BLOCK
    return ListRule(Kind.EVERYTHING, "", action, important=True) if important else None


def _of_address(lines: list[reference.AddressLine], text: str) -> tuple[Match, ...]:
    address = ip_address(text)
    networks = [(ip_network(line.network), line) for line in lines]
    return tuple(
        Match(network.prefixlen, line.list_id, line.allow, _rule(line.important, line.allow))
        for network, line in networks
        if network.version == address.version and address in network
    )


def as_outcome(decision: Decision) -> reference.Outcome:
    return reference.Outcome(
        decision.verdict.name,
        int(decision.layer),
        decision.rule_id,
        decision.list_id,
        decision.category_id,
        reference.split(wire.to_text(decision.matched)) if decision.matched else None,
        decision.answer,
        int(decision.ede),
    )


def test_decide_and_explain_equal_the_reference() -> None:
    for number in range(max(CASES // CASES_A_POLICY, 1)):
        _check_policy(SEED * 1_000_000 + number)


def _check_policy(seed: int) -> None:
    random = Random(seed)
    policy = random_policy(random)
    published = decode(encode(policy))
    assert published == policy
    entries = random_entries(random, range(1, 5))
    address_lines = random_address_lines(random, range(1, 5))
    index = ReferenceIndex(policy, entries)
    in_force = InForce.begin(1, published, cast(Index, index), START_S, {})
    prepared = in_force.prepared
    assert prepared.skipped == ()
    for instant in range(4):
        at_s = START_S + random.randrange(SPAN_S) + random.choice((0.0, 0.5))
        in_force = in_force.later(at_s)
        resolved = in_force.resolved
        for case in range(CASES_A_POLICY // 4):
            name = random_name(random)
            address = random.choice(CLIENTS)
            who = reference.who_is(policy, address)
            client = resolved.client(ip_address(address).packed)
            context = f"seed {seed}, {'.'.join(name)}, {address}, {at_s}"
            assert (client.agency_id, client.unit_id, client.admitted) == (who.agency_id, who.unit_id, who.admitted)
            rrtype = random.choice((1, 1, 28, 65, 16))
            expected = reference.decide(policy, entries, who, name, at_s, rrtype)
            assert client.view.strips_ech is reference.strips_ech(policy, who, at_s), context
            wire_name = wire.from_text(".".join(name))
            found = decide(client.view, index.match(wire_name), wire_name, rrtype)
            assert as_outcome(found) == expected, context
            known = in_force.identify(address)
            assert known.admitted is who.admitted
            assert in_force.plan(known, b"%d" % rrtype + wire_name, wire_name, rrtype).decision == found, context
            assert len(found.ede_text.encode()) <= 120
            answered = random.choice(("203.0.113.7", "203.0.113.200", "203.0.9.9", "2001:db8:f::1", "198.51.100.1"))
            said = _of_address(address_lines, answered)
            found_address = decide_address(client.view, ip_address(answered).packed, said)
            expected = reference.decide_address(policy, who, answered, at_s, address_lines)
            assert as_outcome(found_address) == expected, f"{context}, {answered} of {address_lines}"
            _check_until_the_edge(random, policy, entries, resolved, address, name, rrtype)
            if case == instant or EXPLAINS_ALL:
                explanation = explain_prepared(
                    prepared, index, ByAddress(ip_address(address).packed), wire_name, rrtype, at_s
                )
                _check_explanation(explanation, found, client.admitted, context)


def _check_until_the_edge(
    random: Random,
    policy: Policy,
    entries: list[reference.Entry],
    resolved: Resolved,
    address: str,
    name: reference.Labels,
    rrtype: int,
) -> None:
    """What was resolved once holds up to the last instant before ``valid_until_s``, whatever changes behind it."""
    last_s = min(resolved.valid_until_s, resolved.at_s + SPAN_S)
    later_s = random.choice((last_s - 0.001, resolved.at_s + random.random() * (last_s - resolved.at_s)))
    client = resolved.client(ip_address(address).packed)
    wire_name = wire.from_text(".".join(name))
    found = decide(client.view, ReferenceIndex(policy, entries).match(wire_name), wire_name, rrtype)
    who = reference.Who(client.agency_id, client.unit_id, client.admitted)
    expected = reference.decide(policy, entries, who, name, later_s, rrtype)
    assert as_outcome(found) == expected, f"{'.'.join(name)}, {address}, from {resolved.at_s} to {later_s}"


def test_the_compiled_index_leads_to_the_same_decisions(tmp_path: Path) -> None:
    for seed in range(12):
        random = Random(seed)
        policy = random_policy(random)
        entries = [replace(entry, important=False) for entry in random_entries(random, range(1, 5))]
        plain = ReferenceIndex(policy, entries)
        resolved = at(prepare(policy), START_S)
        with closing(Index.open(_compiled(tmp_path / str(seed), entries))) as index:
            for _ in range(60):
                name = wire.from_text(".".join(random_name(random)))
                for view in resolved.views:
                    assert decide(view, index.match(name), name, 1) == decide(view, plain.match(name), name, 1)


def _compiled(directory: Path, entries: list[reference.Entry]) -> Path:
    covers: dict[tuple[int, str], int] = {}
    for entry in entries:
        key = entry.list_id, key_of(wire.from_text(".".join(entry.name))).decode("latin-1")
        bits = (Cover.SELF if entry.itself else 0) | (Cover.BELOW if entry.below else 0)
        covers[key] = covers.get(key, 0) | (bits << 2 if entry.allow else bits)
    directory.mkdir()
    inputs: list[ListInput] = []
    for list_id in range(1, 5):
        groups: dict[int, list[str]] = {}
        for (owner, key_text), cover in sorted(covers.items()):
            if owner == list_id:
                groups.setdefault(cover, []).append(key_text)
        path = directory / f"entries-{list_id}"
        write_entries(path, groups)
        inputs.append(ListInput(list_id, f"l{list_id}", path))
    return compile_index(inputs, directory, Silent()).path


def _check_explanation(explanation: Explanation, found: Decision, admitted: bool, context: str) -> None:
    winners = [finding for finding in explanation.findings if finding.wins]
    counted = [finding for finding in explanation.findings if finding.counted]
    assert len(winners) == 1, context
    if not admitted:
        assert explanation.decision.verdict is Verdict.REFUSED
        return
    assert explanation.decision.verdict is found.verdict, context
    told = counted[0] if found.verdict is Verdict.OBSERVED else winners[0]
    assert (told.layer, told.rule_id, told.list_id, told.category_id) == (
        found.layer,
        found.rule_id,
        found.list_id,
        found.category_id,
    ), context
