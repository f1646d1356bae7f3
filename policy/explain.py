"""Why a name is let through or barred: every match, the winner, and why the others lost.

It runs the evaluation of the data path (``candidates.evaluate``) to its end instead of stopping at the winner, and
then asks what the rules that are not in force at the instant would have said.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from blocklists import asker
from dnswire.constants import RRType
from dnswire.name import to_text
from policy.candidates import ADDRESS_DEFAULT, Candidate, address_facts, evaluate, evaluate_address, matched_name
from policy.decide import conclude, decide_address
from policy.explanation import ClientFacts, Explanation, Finding, VerdictFacts
from policy.facts import Facts, gather
from policy.findings import Renderer, Subject, client_facts, verdict_facts
from policy.model import Decision, Layer, Policy, ScopeKind, Verdict
from policy.prepare import Prepared, PreparedRule, Tenant, prepare
from policy.resolve import Client, Resolved, Standing, assemble, at, condition, standing_for
from policy.schedules import ScheduleError, zone_of
from policy.view import View

if TYPE_CHECKING:
    from blocklists.asker import Asker
    from blocklists.match import Match
    from blocklists.rules_index import RulesIndex


class NameIndex(Protocol):
    """What is asked of the index of listed names (``blocklists.index.Index``)."""

    @property
    def rules(self) -> RulesIndex | None:
        """What lists say beyond names."""
        ...

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
Reasoned = tuple[Decision, tuple[Finding, ...]]


def explain(policy: Policy, index: NameIndex, who: Who, name: bytes, rrtype: int, at_s: float) -> Explanation:
    """Everything that has a say about ``name`` (wire form) for that client at that instant (Unix seconds).

    Raises ``KeyError`` for a tenant that does not exist and ``ValueError`` for an address of the wrong size.
    """
    return explain_prepared(prepare(policy), index, who, name, rrtype, at_s)


def explain_prepared(
    prepared: Prepared, index: NameIndex, who: Who, name: bytes, rrtype: int, at_s: float
) -> Explanation:
    """The same for a policy that is prepared already: many names are explained at the price of one preparation."""
    return Explainer(prepared, index, who, at_s).question(name, rrtype)


class Explainer:
    """Explains whatever one client meets at one instant. Raises as ``explain`` does."""

    def __init__(self, prepared: Prepared, index: NameIndex, who: Who, at_s: float) -> None:
        resolved = at(prepared, at_s)
        if isinstance(who, ByAddress):
            self._address, self._client = who.address, resolved.client(who.address)
        else:
            self._address, self._client = b"", resolved.tenant(who.agency_id, who.unit_id)
        self._prepared = prepared
        self._resolved = resolved
        self._index = index
        self._at_s = at_s
        self._condition = condition(prepared, resolved.position(self._client), at_s)
        names = prepared.names.get(Tenant(self._client.agency_id, self._client.unit_id), ())
        self._asker = index.asker(asker.Client(self._address, names))
        self._resting_view: View | None = None
        self._resting = self._rules_at_rest()

    @property
    def client(self) -> Client:
        """Whom all this is about."""
        return self._client

    def question(self, name: bytes, rrtype: int) -> Explanation:
        """A question for ``name`` (wire form)."""
        name = name.lower()
        decision, findings = self.name(name, rrtype, rrtype)
        if not self._client.admitted:
            decision = Decision(Verdict.REFUSED, Layer.NONE)
        return self._explanation(to_text(name), rrtype, verdict_facts(decision, name), findings)

    def answered_address(self, address: bytes) -> Explanation:
        """An address (4 or 16 octets) in an answer."""
        decision, findings = self.address(address)
        rrtype = int(RRType.A if len(address) == 4 else RRType.AAAA)
        return self._explanation(str(ipaddress.ip_address(address)), rrtype, verdict_facts(decision, b""), findings)

    def owner(self, address: bytes) -> ClientFacts | None:
        """Whose client has that address (4 or 16 octets); None where it is of no registered network."""
        if self._prepared.networks.find(address) is None:
            return None
        return client_facts(self._prepared.policy, self._resolved.client(address), address, self._at_s)

    def name(self, name: bytes, rrtype: int, listed_type: int) -> Reasoned:
        """A name in lower case that a question of type ``rrtype`` is for, or that its answer leads to.

        ``listed_type``: the type that lists' conditions see.
        """
        matches = self._index.ask(name, listed_type, self._asker)
        view = self._client.view
        facts, candidates = _everything(view, matches, name, rrtype)
        renderer = self._renderer(Subject(name=name))
        findings = renderer.ranked(candidates)
        if self._resting_view is not None:
            _, resting = _everything(self._resting_view, matches, name, rrtype)
            findings += self._dormant(resting, renderer)
        findings += _unheard(view, matches, facts, candidates, renderer)
        return conclude(view, candidates, name), tuple(findings)

    def address(self, address: bytes) -> Reasoned:
        """An address (4 or 16 octets) that an answer leads to."""
        rules = self._index.rules
        matches = rules.match_address(address, self._asker) if rules is not None else ()
        return self._beyond_names(address, matches, Subject(address=address))

    def server(self, name: bytes, addresses: Sequence[bytes]) -> Reasoned:
        """A nameserver, with the addresses of it that are known; only lists speak of such."""
        rules = self._index.rules
        matches = rules.match_server(name, addresses, self._asker) if rules is not None else ()
        return self._beyond_names(b"", matches, Subject(server=name))

    def _beyond_names(self, address: bytes, matches: tuple[Match, ...], subject: Subject) -> Reasoned:
        view = self._client.view
        candidates = evaluate_address(view, address, matches, True)
        decision = decide_address(view, address, matches)
        renderer = self._renderer(subject)
        findings = renderer.ranked([*candidates, ADDRESS_DEFAULT])
        if self._resting_view is not None:
            findings += self._dormant(evaluate_address(self._resting_view, address, matches, True), renderer)
        findings += _unheard(view, matches, address_facts(view, matches), candidates, renderer)
        return decision, tuple(findings)

    def _renderer(self, subject: Subject) -> Renderer:
        return Renderer(self._prepared, self._client, self._condition.reading, subject, self._at_s)

    def _explanation(
        self, name: str, rrtype: int, decision: VerdictFacts, findings: tuple[Finding, ...]
    ) -> Explanation:
        valid_until_s = self._resolved.valid_until_s
        policy = self._prepared.policy
        return Explanation(
            name=name,
            rrtype=rrtype,
            at_s=self._at_s,
            at=_local(self._at_s, policy.regency.zone),
            valid_until_s=None if math.isinf(valid_until_s) else valid_until_s,
            revision=policy.revision,
            client=client_facts(policy, self._client, self._address, self._at_s),
            decision=decision,
            findings=findings,
        )

    def _rules_at_rest(self) -> dict[int, Standing]:
        """Rules of the client's scopes that are not in force, and why; makes the view that they would make."""
        states: dict[int, Standing] = {}
        for prepared_rule in self._prepared.rules:
            if _concerns(prepared_rule, self._client):
                state = standing_for(self._prepared, prepared_rule, self._condition, self._at_s)
                if state is not Standing.IN_FORCE:
                    states[prepared_rule.rule.id] = state
        if states:
            as_if: Resolved = assemble(self._prepared, lambda one, _: one.rule.id in states, self._at_s, math.inf)
            self._resting_view = as_if.tenant(self._client.agency_id, self._client.unit_id).view
        return states

    def _dormant(self, candidates: list[Candidate], renderer: Renderer) -> list[Finding]:
        """Rules that match but are not in force."""
        return [
            renderer.dormant(candidate, self._resting[candidate.rule.rule_id])
            for candidate in candidates
            if candidate.rule is not None
        ]


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
