"""Why a name is let through or barred: every match, the winner, and why the others lost.

It runs the evaluation of the data path (``candidates.evaluate``) to its end instead of stopping at the winner, and
then asks what the rules that are not in force at the instant would have said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from blocklists import asker
from dnswire.name import to_text
from policy.candidates import Candidate, evaluate, matched_name
from policy.decide import conclude
from policy.explanation import Explanation, Finding
from policy.facts import Facts, gather
from policy.findings import Renderer, client_facts, verdict_facts
from policy.model import Decision, Layer, Policy, ScopeKind, Verdict
from policy.prepare import Prepared, PreparedRule, Tenant, prepare
from policy.resolve import Client, Condition, Resolved, Standing, assemble, at, condition, standing_for
from policy.schedules import ScheduleError, zone_of
from policy.view import View

if TYPE_CHECKING:
    from blocklists.asker import Asker
    from blocklists.match import Match


class NameIndex(Protocol):
    """What is asked of the index of listed names (``blocklists.index.Index``)."""

    def asker(self, client: asker.Client) -> Asker:
        """What lists make of a client."""
        ...

    def ask(self, name: bytes, rrtype: int, asker: Asker) -> tuple[Match, ...]:
        """Every list entry and rule about a query for the lower-case wire name, longest first."""
        ...


@dataclass(frozen=True, slots=True)
class ByAddress:
    """A client by address, 4 or 16 octets."""

    address: bytes


@dataclass(frozen=True, slots=True)
class ByTenant:
    """A client by agency or unit; both 0: the regency."""

    agency_id: int
    unit_id: int = 0


Who = ByAddress | ByTenant


def explain(policy: Policy, index: NameIndex, who: Who, name: bytes, rrtype: int, at_s: float) -> Explanation:
    """Everything that has a say about ``name`` (wire form) for that client at that instant (Unix seconds).

    Raises ``KeyError`` for a tenant that does not exist and ``ValueError`` for an address of the wrong size.
    """
    return explain_prepared(prepare(policy), index, who, name, rrtype, at_s)


def explain_prepared(
    prepared: Prepared, index: NameIndex, who: Who, name: bytes, rrtype: int, at_s: float
) -> Explanation:
    """The same for a policy that is prepared already: many names are explained at the price of one preparation."""
    name = name.lower()
    resolved = at(prepared, at_s)
    client = resolved.client(who.address) if isinstance(who, ByAddress) else resolved.tenant(who.agency_id, who.unit_id)
    address = who.address if isinstance(who, ByAddress) else b""
    names = prepared.names.get(Tenant(client.agency_id, client.unit_id), ())
    matches = index.ask(name, rrtype, index.asker(asker.Client(address, names)))
    facts, candidates = _everything(client.view, matches, name, rrtype)
    decision = conclude(client.view, candidates, name)
    if not client.admitted:
        decision = Decision(Verdict.REFUSED, Layer.NONE)
    client_condition = condition(prepared, resolved.position(client), at_s)
    renderer = Renderer(prepared, client, client_condition.reading, name, at_s)
    findings = renderer.ranked(candidates)
    findings += _dormant(prepared, client, client_condition, matches, name, rrtype, at_s, renderer)
    findings += _unheard(client.view, matches, facts, candidates, renderer)
    return Explanation(
        name=to_text(name),
        rrtype=rrtype,
        at_s=at_s,
        at=_local(at_s, prepared.policy.regency.zone),
        valid_until_s=None if math.isinf(resolved.valid_until_s) else resolved.valid_until_s,
        revision=prepared.policy.revision,
        client=client_facts(prepared.policy, client, address, at_s),
        decision=verdict_facts(decision, name),
        findings=tuple(findings),
    )


def _local(at_s: float, key: str) -> str:
    try:
        return datetime.fromtimestamp(at_s, zone_of(key)).isoformat()
    except ScheduleError:  # ``check`` reports it; an explanation is needed all the more
        return datetime.fromtimestamp(at_s, UTC).isoformat()


def _everything(view: View, matches: tuple[Match, ...], name: bytes, rrtype: int) -> tuple[Facts, list[Candidate]]:
    facts = gather(view, matches, name, rrtype)
    if facts is None:
        facts = Facts(name, rrtype)  # nothing speaks of the name: only the default is left
    return facts, evaluate(view, facts, True)


def _dormant(
    prepared: Prepared,
    client: Client,
    client_condition: Condition,
    matches: tuple[Match, ...],
    name: bytes,
    rrtype: int,
    at_s: float,
    renderer: Renderer,
) -> list[Finding]:
    """Rules of the client's scopes that match but are not in force."""
    states: dict[int, Standing] = {}
    for prepared_rule in prepared.rules:
        if _concerns(prepared_rule, client):
            state = standing_for(prepared, prepared_rule, client_condition, at_s)
            if state is not Standing.IN_FORCE:
                states[prepared_rule.rule.id] = state
    if not states:
        return []
    as_if: Resolved = assemble(prepared, lambda one, _: one.rule.id in states, at_s, math.inf)
    view = as_if.tenant(client.agency_id, client.unit_id).view
    _, candidates = _everything(view, matches, name, rrtype)
    return [
        renderer.dormant(candidate, states[candidate.rule.rule_id])
        for candidate in candidates
        if candidate.rule is not None
    ]


def _concerns(prepared_rule: PreparedRule, client: Client) -> bool:
    scope = prepared_rule.rule.scope
    if scope.kind is ScopeKind.AGENCY:
        return scope.id == client.agency_id
    if scope.kind is ScopeKind.UNIT:
        return scope.id == client.unit_id
    return True


def _unheard(
    view: View, matches: tuple[Match, ...], facts: Facts, candidates: Sequence[Candidate], renderer: Renderer
) -> list[Finding]:
    """List entries and services that match but have no say, with the reason."""
    heard = {(candidate.list_id, candidate.allows) for candidate in candidates if candidate.layer is Layer.LISTS}
    found: list[Finding] = []
    for match in matches:
        info = view.ground.lists.get(match.list_id)
        if (match.list_id, match.allow) in heard:
            continue
        if info is None:
            reason = "has no say: the policy does not know this list"
        elif facts.protected >= 0 and not match.allow:
            protected = to_text(matched_name(facts.name, facts.protected))
            reason = f"has no say: {protected} is protected from downloaded lists"
        elif match.list_id in facts.allowed and not match.allow:
            reason = "has no say: an allow entry of the same list takes the name off it"
        elif match.list_id in facts.listed and match.allow:
            reason = "has no say: a rule of the same list goes before its allow"
        elif match.allow:
            reason = "has no say: none of the list's categories is negative, and it feeds some"
        elif any(candidate.list_id == match.list_id for candidate in candidates):
            continue  # it is the evidence of a rule that is told of already
        else:
            reason = "has no say by itself: none of its categories is negative, a rule would have to ask for them"
        found.append(renderer.entry(match, reason))
    services = {candidate.service_id for candidate in candidates}
    for service_id, (labels, service) in facts.services.items():
        if service_id not in services:
            found.append(renderer.service(service, labels))
    return found
