"""The policy at an instant: which rules are in force, whose view they make, and until when that holds.

A worker calls ``prepare`` once a generation and ``at`` again whenever the clock reaches ``valid_until_s``, so no
publisher is needed at a schedule's edge. Within a ``Resolved`` nothing depends on time any more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from policy.decide import default_decision
from policy.model import Layer, Policy, Rule, ScopeKind, UnknownClients
from policy.networks import Prefix, PrefixTable, is_private
from policy.patterns import Pattern, PatternSet
from policy.prepare import Prepared, PreparedRule, Skipped, Tenant, layer_of, prepare
from policy.readings import pauses, rests_in_pause
from policy.schedules import HORIZON_S, NEVER, Calendar, is_open, next_edge_s
from policy.view import Ground, RuleInForce, RuleSet, View

__all__ = [
    "Client",
    "Condition",
    "Resolved",
    "Standing",
    "View",
    "assemble",
    "at",
    "condition",
    "resolve",
    "standing",
    "standing_for",
]

_ScopeKey = tuple[Layer, ScopeKind, int]


class Standing(StrEnum):
    """Whether a rule is in force at an instant, and why not."""

    IN_FORCE = "in_force"
    UNAPPROVED = "unapproved"  # an exception that nobody approved
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    CLOSED = "closed"  # outside its schedule
    PAUSED = "paused"  # its tenant is let off for a while


def standing(rule: Rule, calendar: Calendar | None, at_s: float) -> Standing:
    """Whether the rule is in force. ``calendar``: its schedule's, None where it holds at all hours."""
    if rule.exception and not rule.approver and layer_of(rule) is Layer.EXCEPTION:
        return Standing.UNAPPROVED
    if rule.valid_until_s is not None and at_s >= rule.valid_until_s:
        return Standing.EXPIRED
    if rule.valid_from_s is not None and at_s < rule.valid_from_s:
        return Standing.NOT_YET
    if calendar is not None and not is_open(calendar, at_s):
        return Standing.CLOSED
    return Standing.IN_FORCE


def standing_for(prepared: Prepared, prepared_rule: PreparedRule, state: Condition, at_s: float) -> Standing:
    """Whether a rule is in force for tenants in that condition, and why not."""
    hours = prepared.readings.hours_of(state.reading, prepared_rule.rule, prepared_rule.calendar)
    found = standing(prepared_rule.rule, hours, at_s)
    if found is Standing.IN_FORCE and state.paused and rests_in_pause(prepared_rule.layer, prepared_rule.narrows):
        return Standing.PAUSED
    return found


class Client:
    """Who asks: the tenant (0 where there is none), the view that holds, and whether Saring answers at all."""

    __slots__ = ("admitted", "agency_id", "unit_id", "view")

    def __init__(self, agency_id: int, unit_id: int, view: View, admitted: bool) -> None:
        self.agency_id = agency_id
        self.unit_id = unit_id
        self.view = view
        self.admitted = admitted


class Resolved:
    """The policy from ``at_s`` until ``valid_until_s`` (Unix seconds, exclusive; infinity where nothing changes)."""

    __slots__ = (
        "_clients",
        "_networks",
        "_positions",
        "_stranger",
        "_visitor",
        "at_s",
        "policy",
        "skipped",
        "valid_until_s",
        "views",
    )

    def __init__(
        self,
        prepared: Prepared,
        at_s: float,
        valid_until_s: float,
        views: tuple[View, ...],
        clients: tuple[Client, ...],
    ) -> None:
        self.policy = prepared.policy
        self.at_s = at_s
        self.valid_until_s = valid_until_s
        self.views = views
        self.skipped: tuple[Skipped, ...] = prepared.skipped
        self._clients = clients
        self._networks = prepared.networks
        self._positions = {tenant: position for position, tenant in enumerate(prepared.tenants)}
        unknown = prepared.policy.regency.unknown_clients
        regency = clients[0].view
        self._stranger = Client(0, 0, regency, unknown is UnknownClients.REGENCY)
        self._visitor = Client(0, 0, regency, unknown is not UnknownClients.REFUSE)

    def client(self, address: bytes) -> Client:
        """The client of that address, by longest prefix. Raises ``ValueError`` for other than 4 or 16 octets."""
        position = self._networks.find(address)
        if position is not None:
            return self._clients[position]
        return self._visitor if is_private(address) else self._stranger

    def position(self, client: Client) -> int:
        """Where the client's tenant is in ``Prepared.tenants``."""
        return self._positions[Tenant(client.agency_id, client.unit_id)]

    def tenant(self, agency_id: int, unit_id: int = 0) -> Client:
        """A client of that agency or unit (both 0: the regency). Raises ``KeyError`` where there is none such."""
        return self._clients[self._positions[Tenant(agency_id, unit_id)]]


def resolve(policy: Policy, now_s: float) -> Resolved:
    """The policy at that instant. Keep ``prepare(policy)`` and call ``at`` where it is asked repeatedly."""
    return at(prepare(policy), now_s)


def at(prepared: Prepared, now_s: float) -> Resolved:
    """The prepared policy at that instant."""
    instant = _Instant(prepared, now_s)
    return assemble(prepared, instant.holds, now_s, _valid_until_s(prepared, now_s))


class Condition(NamedTuple):
    """What sets one tenant's rules apart from another's with the same rules: his reading of schedules, and a pause."""

    reading: int
    paused: bool


def condition(prepared: Prepared, position: int, at_s: float) -> Condition:
    """The condition of the tenant at that position at that instant."""
    tenant = prepared.tenants[position]
    paused = any(
        pause.from_s <= at_s < pause.until_s and pauses(pause, tenant.agency_id, tenant.unit_id)
        for pause in prepared.policy.pauses
    )
    return Condition(prepared.reading_of[position], paused)


Held = Callable[[PreparedRule, Condition], bool]


class _Instant:
    """Which rules hold at an instant, with each schedule's answer remembered: thousands of rules share a few."""

    def __init__(self, prepared: Prepared, now_s: float) -> None:
        self._readings = prepared.readings
        self._now_s = now_s
        self._opened: dict[int, bool] = {}
        self._valid: dict[int, bool] = {}

    def holds(self, prepared_rule: PreparedRule, condition: Condition) -> bool:
        """Whether the rule is in force for tenants in that condition."""
        rule = prepared_rule.rule
        valid = self._valid.get(rule.id)
        if valid is None:
            valid = self._valid[rule.id] = standing(rule, None, self._now_s) is Standing.IN_FORCE
        if not valid:
            return False
        if condition.paused and rests_in_pause(prepared_rule.layer, prepared_rule.narrows):
            return False
        hours = self._readings.hours_of(condition.reading, rule, prepared_rule.calendar)
        if hours is None:
            return True
        schedule_id = hours.schedule.id
        if schedule_id not in self._opened:
            self._opened[schedule_id] = is_open(hours, self._now_s)
        return self._opened[schedule_id]


def assemble(prepared: Prepared, holds: Held, at_s: float, valid_until_s: float) -> Resolved:
    """Views of the rules that ``holds`` says are in force; ``explain`` also asks what rules at rest would have done."""
    shelf = _Shelf(prepared, holds)
    views: dict[tuple[tuple[int, ...], ScopeKind | None], View] = {}
    allow_list_only = _allow_list_only(prepared.policy)
    clients: list[Client] = []
    for position, tenant in enumerate(prepared.tenants):
        state = condition(prepared, position, at_s)
        before = shelf.sets(_before(tenant), state)
        after = shelf.sets(_after(tenant), state)
        only = _nearest(allow_list_only, tenant)
        key = (tuple(rule_set.number for rule_set in before + after), only)
        view = views.get(key)
        if view is None:
            default = default_decision(shelf.ground, only)
            view = views[key] = View(len(views), shelf.ground, before, after, only, default)
        clients.append(Client(tenant.agency_id, tenant.unit_id, view, True))
    return Resolved(prepared, at_s, valid_until_s, tuple(views.values()), tuple(clients))


def _valid_until_s(prepared: Prepared, now_s: float) -> float:
    until_s = math.inf
    calendars: dict[int, Calendar] = {}
    for prepared_rule in prepared.rules:
        rule = prepared_rule.rule
        state = standing(rule, None, now_s)
        if state in (Standing.EXPIRED, Standing.UNAPPROVED):
            continue
        if state is Standing.NOT_YET and rule.valid_from_s is not None:
            until_s = min(until_s, rule.valid_from_s)
            continue
        if rule.valid_until_s is not None:
            until_s = min(until_s, rule.valid_until_s)
        if prepared_rule.calendar is not None and rule.schedule_id not in calendars:
            calendars[rule.schedule_id] = prepared_rule.calendar
    named = set(calendars)
    for hours in prepared.readings.hours:
        read_as = [one for number, one in hours.items() if number in named and one is not None and one is not NEVER]
        calendars.update({one.schedule.id: one for one in read_as})
    for pause in prepared.policy.pauses:
        edges = [edge_s for edge_s in (pause.from_s, pause.until_s) if edge_s > now_s]
        until_s = min([until_s, *edges])
    for calendar in calendars.values():
        edge_s = next_edge_s(calendar, now_s)
        # No edge in sight: looking again then costs nothing, while "never" would be wrong for a distant one.
        until_s = min(until_s, math.floor(now_s) + HORIZON_S if edge_s is None else edge_s)
    return until_s


class _Shelf:
    """Rule sets, made when the first tenant needs them and shared by all for whom the same rules hold.

    Those by name go into the tables of ``ground``, which all views share.
    """

    def __init__(self, prepared: Prepared, holds: Held) -> None:
        base = prepared.ground
        self.ground = Ground(base.known, base.lists, base.categories, base.engines, base.language, base.answer)
        self._holds = holds
        self._rules: dict[_ScopeKey, list[PreparedRule]] = {}
        for prepared_rule in prepared.rules:
            scope = prepared_rule.rule.scope
            key = (prepared_rule.layer, scope.kind, 0 if scope.kind is ScopeKind.REGENCY else scope.id)
            self._rules.setdefault(key, []).append(prepared_rule)
        self._by_condition: dict[tuple[_ScopeKey, Condition], RuleSet | None] = {}
        self._by_content: dict[tuple[_ScopeKey, tuple[int, ...]], RuleSet] = {}

    def sets(self, keys: list[_ScopeKey], state: Condition) -> tuple[RuleSet, ...]:
        """The rule sets of those scopes that hold anything for tenants in that condition."""
        found = [self._set(key, state) for key in keys if key in self._rules]
        return tuple(rule_set for rule_set in found if rule_set is not None)

    def _set(self, key: _ScopeKey, state: Condition) -> RuleSet | None:
        place = key, state
        if place not in self._by_condition:
            rules = self._rules[key]
            held = [position for position, one in enumerate(rules) if self._holds(one, state)]
            self._by_condition[place] = self._shared(key, rules, tuple(held)) if held else None
        return self._by_condition[place]

    def _shared(self, key: _ScopeKey, rules: list[PreparedRule], held: tuple[int, ...]) -> RuleSet:
        content = key, held
        rule_set = self._by_content.get(content)
        if rule_set is None:
            rule_set = RuleSet(len(self._by_content) + 1, key[0], key[1])
            self._by_content[content] = rule_set
            _fill(rule_set, [rules[position] for position in held], self.ground)
        return rule_set


def _fill(rule_set: RuleSet, rules: list[PreparedRule], ground: Ground) -> None:
    patterns: list[Pattern] = []
    prefixes: dict[Prefix, list[RuleInForce]] = {}
    for prepared_rule in rules:
        asked = prepared_rule.asked
        if prepared_rule.name:
            names = ground.below_rules if prepared_rule.below else ground.exact_rules
            names.setdefault(prepared_rule.name, {}).setdefault(rule_set.number, []).append(asked)
        elif prepared_rule.pattern is not None:
            patterns.append(prepared_rule.pattern)
            rule_set.pattern_rules.append(asked)
        elif prepared_rule.prefix is not None:
            prefixes.setdefault(prepared_rule.prefix, []).append(asked)
        elif prepared_rule.ech:
            rule_set.ech.append(asked)
        elif prepared_rule.engine is not None:
            rule_set.by_engine.setdefault(prepared_rule.engine.number, []).append(asked)
        elif asked.list_id:
            rule_set.by_list.setdefault(asked.list_id, []).append(asked)
        elif asked.service_id:
            rule_set.by_service.setdefault(asked.service_id, []).append(asked)
        else:
            rule_set.by_category.setdefault(asked.category_id, []).append(asked)
    if patterns:
        rule_set.patterns = PatternSet(patterns)
    if prefixes:
        rule_set.networks = PrefixTable(prefixes.items())


def _before(tenant: Tenant) -> list[_ScopeKey]:
    keys: list[_ScopeKey] = [(Layer.MANDATORY, ScopeKind.REGENCY, 0)]
    keys += _scopes(tenant, Layer.EXCEPTION, Layer.EXCEPTION, Layer.EXCEPTION)
    return keys


def _after(tenant: Tenant) -> list[_ScopeKey]:
    return _scopes(tenant, Layer.UNIT, Layer.AGENCY, Layer.REGENCY)


def _scopes(tenant: Tenant, unit: Layer, agency: Layer, regency: Layer) -> list[_ScopeKey]:
    keys: list[_ScopeKey] = []
    if tenant.unit_id:
        keys.append((unit, ScopeKind.UNIT, tenant.unit_id))
    if tenant.agency_id:
        keys.append((agency, ScopeKind.AGENCY, tenant.agency_id))
    keys.append((regency, ScopeKind.REGENCY, 0))
    return keys


_AllowListOnly = tuple[bool, frozenset[int], frozenset[int]]  # regency, agencies, units


def _allow_list_only(policy: Policy) -> _AllowListOnly:
    agencies = frozenset(agency.id for agency in policy.agencies if agency.allow_list_only)
    units = frozenset(unit.id for unit in policy.units if unit.allow_list_only)
    return policy.regency.allow_list_only, agencies, units


def _nearest(allow_list_only: _AllowListOnly, tenant: Tenant) -> ScopeKind | None:
    regency, agencies, units = allow_list_only
    if tenant.unit_id in units:
        return ScopeKind.UNIT
    if tenant.agency_id in agencies:
        return ScopeKind.AGENCY
    return ScopeKind.REGENCY if regency else None
