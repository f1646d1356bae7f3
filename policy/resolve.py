"""The policy at an instant: which rules are in force, whose view they make, and until when that holds.

A worker calls ``prepare`` once a generation and ``at`` again whenever the clock reaches ``valid_until_s``, so no
publisher is needed at a schedule's edge. Within a ``Resolved`` nothing depends on time any more.
"""

from __future__ import annotations

import math
from enum import StrEnum

from policy.decide import default_decision
from policy.model import Layer, Policy, Rule, ScopeKind, UnknownClients
from policy.networks import Prefix, PrefixTable, is_private
from policy.patterns import Pattern, PatternSet
from policy.prepare import Prepared, PreparedRule, Skipped, Tenant, layer_of, prepare
from policy.schedules import HORIZON_S, Calendar, is_open, next_edge_s
from policy.view import Ground, RuleInForce, RuleSet, View

__all__ = ["Client", "Resolved", "Standing", "View", "assemble", "at", "resolve", "standing"]

_ScopeKey = tuple[Layer, ScopeKind, int]


class Standing(StrEnum):
    """Whether a rule is in force at an instant, and why not."""

    IN_FORCE = "in_force"
    UNAPPROVED = "unapproved"  # an exception that nobody approved
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    CLOSED = "closed"  # outside its schedule


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

    def tenant(self, agency_id: int, unit_id: int = 0) -> Client:
        """A client of that agency or unit (both 0: the regency). Raises ``KeyError`` where there is none such."""
        return self._clients[self._positions[Tenant(agency_id, unit_id)]]


def resolve(policy: Policy, now_s: float) -> Resolved:
    """The policy at that instant. Keep ``prepare(policy)`` and call ``at`` where it is asked repeatedly."""
    return at(prepare(policy), now_s)


def at(prepared: Prepared, now_s: float) -> Resolved:
    """The prepared policy at that instant."""
    opened: dict[int, bool] = {}
    in_force = [prepared_rule for prepared_rule in prepared.rules if _holds(prepared_rule, now_s, opened)]
    return assemble(prepared, in_force, now_s, _valid_until_s(prepared, now_s))


def assemble(prepared: Prepared, rules: list[PreparedRule], at_s: float, valid_until_s: float) -> Resolved:
    """Views as if exactly these rules were in force; ``explain`` also asks what rules at rest would have done."""
    builder = _Builder(prepared.ground)
    for prepared_rule in rules:
        builder.add(prepared_rule)
    rule_sets = builder.finish()
    views: dict[tuple[tuple[int, ...], ScopeKind | None], View] = {}
    allow_list_only = _allow_list_only(prepared.policy)
    clients: list[Client] = []
    for tenant in prepared.tenants:
        before = _present(rule_sets, _before(tenant))
        after = _present(rule_sets, _after(tenant))
        only = _nearest(allow_list_only, tenant)
        key = (tuple(rule_set.number for rule_set in before + after), only)
        view = views.get(key)
        if view is None:
            default = default_decision(builder.ground, only)
            view = views[key] = View(len(views), builder.ground, before, after, only, default)
        clients.append(Client(tenant.agency_id, tenant.unit_id, view, True))
    return Resolved(prepared, at_s, valid_until_s, tuple(views.values()), tuple(clients))


def _holds(prepared_rule: PreparedRule, now_s: float, opened: dict[int, bool]) -> bool:
    """``standing`` is IN_FORCE, with each schedule's answer remembered: thousands of rules share a few."""
    calendar = prepared_rule.calendar
    if standing(prepared_rule.rule, None, now_s) is not Standing.IN_FORCE:
        return False
    if calendar is None:
        return True
    schedule_id = calendar.schedule.id
    if schedule_id not in opened:
        opened[schedule_id] = is_open(calendar, now_s)
    return opened[schedule_id]


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
        if prepared_rule.calendar is not None:
            calendars[rule.schedule_id] = prepared_rule.calendar
    for calendar in calendars.values():
        edge_s = next_edge_s(calendar, now_s)
        # No edge in sight: looking again then costs nothing, while "never" would be wrong for a distant one.
        until_s = min(until_s, math.floor(now_s) + HORIZON_S if edge_s is None else edge_s)
    return until_s


class _Builder:
    """Puts rules into the sets of their scopes and, those by name, into the tables that all views share."""

    def __init__(self, base: Ground) -> None:
        self.ground = Ground(base.known, base.lists, base.categories, base.language, base.answer)
        self._sets: dict[_ScopeKey, RuleSet] = {}
        self._patterns: dict[int, list[tuple[Pattern, RuleInForce]]] = {}
        self._prefixes: dict[int, dict[Prefix, list[RuleInForce]]] = {}

    def add(self, prepared_rule: PreparedRule) -> None:
        rule = prepared_rule.rule
        key = (prepared_rule.layer, rule.scope.kind, 0 if rule.scope.kind is ScopeKind.REGENCY else rule.scope.id)
        rule_set = self._sets.get(key)
        if rule_set is None:
            rule_set = self._sets[key] = RuleSet(len(self._sets) + 1, prepared_rule.layer, rule.scope.kind)
        asked = prepared_rule.asked
        if prepared_rule.name:
            exact = asked.kind_rank == 0
            names = self.ground.exact_rules if exact else self.ground.below_rules
            names.setdefault(prepared_rule.name, {}).setdefault(rule_set.number, []).append(asked)
        elif prepared_rule.pattern is not None:
            self._patterns.setdefault(rule_set.number, []).append((prepared_rule.pattern, asked))
        elif prepared_rule.prefix is not None:
            prefixes = self._prefixes.setdefault(rule_set.number, {})
            prefixes.setdefault(prepared_rule.prefix, []).append(asked)
        elif asked.list_id:
            rule_set.by_list.setdefault(asked.list_id, []).append(asked)
        elif asked.service_id:
            rule_set.by_service.setdefault(asked.service_id, []).append(asked)
        else:
            rule_set.by_category.setdefault(asked.category_id, []).append(asked)

    def finish(self) -> dict[_ScopeKey, RuleSet]:
        for rule_set in self._sets.values():
            pairs = self._patterns.get(rule_set.number)
            if pairs:
                rule_set.patterns = PatternSet([pattern for pattern, _ in pairs])
                rule_set.pattern_rules = [asked for _, asked in pairs]
            prefixes = self._prefixes.get(rule_set.number)
            if prefixes:
                rule_set.networks = PrefixTable(prefixes.items())
        return self._sets


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


def _present(rule_sets: dict[_ScopeKey, RuleSet], keys: list[_ScopeKey]) -> tuple[RuleSet, ...]:
    return tuple(rule_sets[key] for key in keys if key in rule_sets)


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
