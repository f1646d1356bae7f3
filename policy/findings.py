"""From candidates and decisions to the facts of an explanation."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from blocklists.match import Match
from blocklists.rule import ListRule, RuleAction
from dnswire.name import to_text
from dnswire.rrtypes import type_text
from policy.bypass import hides_canary
from policy.candidates import Candidate, matched_name, settle
from policy.explanation import ClientFacts, Finding, Letter, ScheduleState, VerdictFacts
from policy.model import (
    Action,
    AnswerKind,
    BlockAnswer,
    Decision,
    Ede,
    Layer,
    Policy,
    Rule,
    ScopeKind,
    Service,
    TargetKind,
    Verdict,
)
from policy.networks import NetworkSyntaxError, PrefixTable, parse
from policy.prepare import Prepared
from policy.readings import pauses
from policy.resolve import Client, Standing
from policy.schedules import DAY_S, Calendar, is_open, next_edge_s
from policy.why import LAYER_NAMES, STANDING, outcome

_NO_TTL: Final = {
    RuleAction.DROP: "no response: a list asks to drop the query",
    RuleAction.TCP_ONLY: "over UDP an empty response with TC set; over TCP what it would get without that list's rule",
    RuleAction.REFUSED: "REFUSED",
}
_STATED: Final = {RuleAction.NXDOMAIN: "NXDOMAIN", RuleAction.NODATA: "NODATA"}
_CANARY: Final = "NXDOMAIN, which tells Firefox to leave its own resolver alone; a rule can let the name pass"
_YEAR_S: Final = 366 * DAY_S


@dataclass(frozen=True, slots=True)
class Subject:
    """What is explained: a name, an address, or a nameserver."""

    name: bytes = b""
    address: bytes = b""
    server: bytes = b""

    @property
    def word(self) -> str:
        """What it is."""
        return "name" if self.name else "address" if self.address else "nameserver"

    def matched(self, labels: int) -> str:
        """The part of it that so many labels, or bits of a prefix, name."""
        if self.name:
            return to_text(matched_name(self.name, labels))
        if self.address and labels:
            return str(ipaddress.ip_network((self.address, labels), strict=False))
        return to_text(self.server) if self.server else ""


class Renderer:
    """Renders the candidates for one subject and client."""

    __slots__ = ("_agencies", "_at_s", "_client", "_ground", "_hours", "_schedules", "_services", "_subject", "_units")

    def __init__(self, prepared: Prepared, client: Client, reading: int, subject: Subject, at_s: float) -> None:
        self._client = client
        self._subject = subject
        self._at_s = at_s
        self._ground = prepared.ground
        self._agencies = {agency.id: agency.code for agency in prepared.policy.agencies}
        self._units = {unit.id: unit.code for unit in prepared.policy.units}
        self._services = {service.id: service for service in prepared.policy.services}
        self._schedules = {schedule.id: schedule for schedule in prepared.policy.schedules}
        # Of the schedules that rules name, as this client's tenant reads them.
        self._hours: dict[int, Calendar | None] = {
            one.rule.schedule_id: prepared.readings.hours_of(reading, one.rule, one.calendar)
            for one in prepared.rules
            if one.rule.schedule_id
        }

    def ranked(self, candidates: list[Candidate]) -> list[Finding]:
        """The findings of all candidates in force."""
        settled = settle(candidates)
        place = next(place for place, candidate in enumerate(candidates) if candidate.settles)
        found: list[Finding] = []
        for position, candidate in enumerate(candidates):
            text = outcome(candidate, settled, position < place, self._subject.word)
            found.append(self._finding(candidate, text, candidate is settled.winner, candidate is settled.counted))
        return found

    def dormant(self, candidate: Candidate, state: Standing) -> Finding:
        """A rule that matches but is not in force."""
        return self._finding(candidate, STANDING[state], False, False)

    def entry(self, match: Match, reason: str) -> Finding:
        """A list's entry that has no say."""
        key = (1, 1, 0, 0, 0)
        candidate = Candidate(
            Layer.LISTS, None, None, match.allow, False, match.labels, key, match.list_id, list_rule=match.rule
        )
        return self._finding(candidate, reason, False, False)

    def service(self, service: Service, labels: int) -> Finding:
        """A service that holds the name while no rule asks for it or its category."""
        candidate = Candidate(
            Layer.LISTS, None, None, False, False, labels, (1, 1, 0, 0, 0), 0, service.id, service.category_id
        )
        reason = "has no say by itself: its category is not negative, a rule would have to ask for it"
        return self._finding(candidate, reason, False, False)

    def _finding(self, candidate: Candidate, text: str, wins: bool, counted: bool) -> Finding:
        rule = candidate.rule.rule if candidate.rule is not None else None
        listed = self._ground.lists.get(candidate.list_id)
        info = listed.info if listed is not None else None
        category = self._ground.categories.get(candidate.category_id)
        service = self._services.get(candidate.service_id)
        list_rule = candidate.list_rule
        return Finding(
            layer=candidate.layer,
            layer_name=LAYER_NAMES[candidate.layer],
            source=self._source(candidate, rule),
            wins=wins,
            counted=counted,
            outcome=text,
            action=rule.action if rule is not None else _action(candidate),
            matched=self._matched(candidate, rule),
            inheritance=self._inheritance(rule) if rule is not None else "",
            rule_id=rule.id if rule is not None else 0,
            title=rule.title if rule is not None else "",
            target_kind=rule.target.kind if rule is not None else None,
            target=rule.target.value if rule is not None else "",
            important=_important(candidate, rule),
            list_id=candidate.list_id,
            list_code=info.code if info is not None else "",
            list_title=info.title if info is not None else "",
            list_version=info.version if info is not None else "",
            list_line=list_rule.line if list_rule is not None else 0,
            list_text=list_rule.text if list_rule is not None else "",
            national=info.national if info is not None else False,
            category_id=candidate.category_id,
            category=category.code if category is not None else "",
            service=service.code if service is not None else "",
            letter=_letter(rule) if rule is not None else None,
            schedule=self._schedule(rule) if rule is not None else None,
            valid_from_s=rule.valid_from_s if rule is not None else None,
            valid_until_s=rule.valid_until_s if rule is not None else None,
        )

    def _matched(self, candidate: Candidate, rule: Rule | None) -> str:
        if candidate.layer is Layer.DEFAULT:
            return ""
        if rule is not None and rule.target.kind is TargetKind.NETWORK:
            return rule.target.value
        return self._subject.matched(candidate.labels)

    def _source(self, candidate: Candidate, rule: Rule | None) -> str:
        if rule is not None:
            return f"rule {rule.id} of {self._scope(rule)}"
        if candidate.layer is Layer.PROTECTED:
            return "protected name"
        if candidate.layer is Layer.DEFAULT:
            return f"default: {candidate.scope} is allow-list-only" if candidate.scope is not None else "default"
        if candidate.service_id:
            return f"service {self._services[candidate.service_id].code}"
        listed = self._ground.lists.get(candidate.list_id)
        return f"list {listed.info.code}" if listed is not None else f"list #{candidate.list_id}"

    def _scope(self, rule: Rule) -> str:
        if rule.scope.kind is ScopeKind.AGENCY:
            return f"agency {self._agencies.get(rule.scope.id, rule.scope.id)}"
        if rule.scope.kind is ScopeKind.UNIT:
            return f"unit {self._units.get(rule.scope.id, rule.scope.id)}"
        return "the regency"

    def _inheritance(self, rule: Rule) -> str:
        nearest = ScopeKind.REGENCY
        if self._client.unit_id:
            nearest = ScopeKind.UNIT
        elif self._client.agency_id:
            nearest = ScopeKind.AGENCY
        return "own" if rule.scope.kind is nearest else f"inherited from {self._scope(rule)}"

    def _schedule(self, rule: Rule) -> ScheduleState | None:
        schedule = self._schedules.get(rule.schedule_id)
        if schedule is None or rule.schedule_id not in self._hours:
            return None
        hours = self._hours[rule.schedule_id]
        if hours is None:
            text = "open at all hours, as this tenant reads it"
            return ScheduleState(schedule.code, schedule.title, True, None, text)
        state = schedule_state(hours, self._at_s)
        if hours.schedule.id == schedule.id:
            return state
        read_as = f"{hours.schedule.code}: {state.state}" if hours.schedule.id else "never open"
        text = f"this tenant reads it as {read_as}"
        return ScheduleState(schedule.code, schedule.title, state.open, state.changes_s, text)


def _action(candidate: Candidate) -> Action:
    """What a list or a default does."""
    if candidate.allows:
        return Action.ALLOW
    return Action.OBSERVE if candidate.observes else Action.BLOCK


def _important(candidate: Candidate, rule: Rule | None) -> bool:
    if rule is not None:
        return rule.important
    return candidate.list_rule is not None and candidate.list_rule.important


def schedule_state(calendar: Calendar, at_s: float) -> ScheduleState:
    """Whether the schedule is open, and when that changes, looking a year ahead."""
    opened = is_open(calendar, at_s)
    edge_s = next_edge_s(calendar, at_s, _YEAR_S)
    if edge_s is None:
        state = "open for a year and more" if opened else "closed for a year and more"
    else:
        when = f"{datetime.fromtimestamp(edge_s, calendar.zone):%Y-%m-%d %H:%M:%S %Z}"
        state = f"open until {when}" if opened else f"closed, opens {when}"
    return ScheduleState(calendar.schedule.code, calendar.schedule.title, opened, edge_s, state)


def client_facts(policy: Policy, client: Client, address: bytes, at_s: float) -> ClientFacts:
    """Who asked, in words; ``address`` is ``b""`` where a tenant was given."""
    lasting = [
        pause.until_s
        for pause in policy.pauses
        if pause.from_s <= at_s < pause.until_s and pauses(pause, client.agency_id, client.unit_id)
    ]
    agency = next((agency for agency in policy.agencies if agency.id == client.agency_id), None)
    unit = next((unit for unit in policy.units if unit.id == client.unit_id), None)
    path = [f"regency {policy.regency.name}"]
    if agency is not None:
        path.insert(0, f"agency {agency.code}")
    if unit is not None:
        path.insert(0, f"unit {unit.code}")
    return ClientFacts(
        address=str(ipaddress.ip_address(address)) if address else "",
        network=_network(policy, address) if address else "",
        agency_id=client.agency_id,
        agency=agency.code if agency is not None else "",
        agency_name=agency.name if agency is not None else "",
        unit_id=client.unit_id,
        unit=unit.code if unit is not None else "",
        unit_name=unit.name if unit is not None else "",
        admitted=client.admitted,
        path=tuple(path),
        allow_list_only=str(client.view.allow_list_only or ""),
        view=client.view.number,
        paused_until_s=max(lasting, default=None),
        strips_ech=client.view.strips_ech,
    )


def verdict_facts(decision: Decision, name: bytes) -> VerdictFacts:
    """The decision on a name in words."""
    return VerdictFacts(
        verdict=decision.verdict,
        verdict_name=decision.verdict.name.lower(),
        layer=decision.layer,
        layer_name=LAYER_NAMES[decision.layer],
        rule_id=decision.rule_id,
        list_id=decision.list_id,
        category_id=decision.category_id,
        matched=to_text(decision.matched) if decision.matched else "",
        ede=int(decision.ede),
        ede_text=decision.ede_text,
        answer=decision.answer,
        response=_response(decision, name),
    )


def _response(decision: Decision, name: bytes) -> str:
    if decision.verdict is Verdict.REFUSED:
        return "REFUSED: the address is no client's"
    if decision.answer is None:
        return _CANARY if hides_canary(name, decision) else "what the upstream answers"
    stated = decision.stated
    if stated is not None and stated.action in _NO_TTL:
        return _NO_TTL[stated.action]
    said = _answer(decision.answer) if stated is None else _stated(stated)
    text = f"{said}, TTL {decision.answer.ttl_s} s"
    return text if decision.ede is Ede.NONE else f'{text}, EDE {int(decision.ede)} "{decision.ede_text}"'


def _stated(rule: ListRule) -> str:
    """The answer that a list's rule states."""
    if rule.action is not RuleAction.REWRITE:
        return _STATED[rule.action]
    if not rule.data:
        return f"an empty response with code {rule.rcode}"
    return "; ".join(f"{type_text(datum.rrtype)} {datum.data}" for datum in rule.data)


def _answer(answer: BlockAnswer) -> str:
    if answer.kind is AnswerKind.PAGE:
        return "block page " + " ".join(address for address in (answer.address4, answer.address6) if address)
    if answer.kind is AnswerKind.REDIRECT:
        return f"CNAME {answer.name}"
    return {
        AnswerKind.NXDOMAIN: "NXDOMAIN",
        AnswerKind.NODATA: "NODATA",
        AnswerKind.NULL: "0.0.0.0 and ::",
        AnswerKind.REFUSED: "REFUSED",
    }[answer.kind]


def _letter(rule: Rule) -> Letter:
    basis = rule.basis
    return Letter(basis.number, basis.date, basis.signer, basis.note, rule.author, rule.approver, basis.document_sha256)


def _network(policy: Policy, address: bytes) -> str:
    entries = []
    for network in policy.networks:
        try:
            entries.append((parse(network.cidr), network.cidr))
        except NetworkSyntaxError:
            continue
    return PrefixTable(entries).find(address) or ""
