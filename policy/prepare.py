"""The policy with everything worked out that does not depend on the time: names, ranges, expressions, zones.

A worker prepares a policy once a generation; ``at`` (in ``resolve.py``) then takes milliseconds at each schedule's
edge. What cannot be worked out (a malformed network, an expression that is none, a reference to nothing) is left out
and named in ``skipped``: a resolver goes on with the rest, and ``check`` is there to keep such a policy from being
published at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from dnswire.errors import NameSyntaxError
from dnswire.name import from_text
from policy.bypass import NAMES as BYPASS_NAMES
from policy.candidates import (
    RANK_CATEGORY,
    RANK_LIST,
    RANK_NAME,
    RANK_NETWORK,
    RANK_PATTERN,
    RANK_SERVICE,
    RANK_WILDCARD,
)
from policy.forwarders import Forwarders
from policy.model import (
    Action,
    AnswerKind,
    BlockAnswer,
    Bypass,
    Layer,
    ListInfo,
    Policy,
    Rule,
    ScopeKind,
    Service,
    TargetKind,
)
from policy.networks import NetworkSyntaxError, Prefix, PrefixTable, parse
from policy.patterns import Pattern, PatternError
from policy.readings import PLAIN, Readings, overrides_by_tenant
from policy.safe_search import TYPES as SEARCH_TYPES
from policy.safe_search import Engine, by_name, engines_of
from policy.schedules import Calendar, ScheduleError, calendar
from policy.view import Ground, KnownName, ListInForce, RuleInForce

_RULE_LAYERS: Final = {
    ScopeKind.REGENCY: Layer.REGENCY,
    ScopeKind.AGENCY: Layer.AGENCY,
    ScopeKind.UNIT: Layer.UNIT,
}
_RANKS: Final = {
    TargetKind.NAME: RANK_NAME,
    TargetKind.WILDCARD: RANK_WILDCARD,
    TargetKind.SERVICE: RANK_SERVICE,
    TargetKind.LIST: RANK_LIST,
    TargetKind.CATEGORY: RANK_CATEGORY,
    TargetKind.REGEX: RANK_PATTERN,
    TargetKind.NETWORK: RANK_NETWORK,
}


SEARCH_TTL_S: Final = 300


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of the policy that could not be used: where it is (``rule 7``, ``network 10.0.0.0/33``) and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class PreparedRule:
    """A rule with its target worked out; which of the next five is set tells the kind.

    A rule on all search engines is prepared once for each of them.
    """

    rule: Rule
    asked: RuleInForce
    layer: Layer
    calendar: Calendar | None
    name: bytes = b""
    pattern: Pattern | None = None
    prefix: Prefix | None = None
    ech: bool = False
    engine: Engine | None = None
    below: bool = False  # of ``name``: every name below it, too

    @property
    def narrows(self) -> bool:
        """Whether it keeps something from somebody: blocks, redirects, filters."""
        return not self.asked.allows and not self.asked.observes


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose network an address is of; ``unit_id`` 0 for the agency as a whole, both 0 for the regency itself."""

    agency_id: int
    unit_id: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """See the module. ``tenants``: the regency, then agencies, then units; ``networks`` gives positions in it.

    ``names``: what lists' rules can call the clients of a tenant: codes and names, a unit's agency's too.
    ``reading_of``: for each tenant, by its position, which of ``readings`` is his. ``administrators``: the networks
    whose clients may ask for explanations.
    """

    policy: Policy
    ground: Ground
    rules: tuple[PreparedRule, ...]
    tenants: tuple[Tenant, ...]
    networks: PrefixTable[int]
    names: Mapping[Tenant, tuple[str, ...]]
    readings: Readings
    reading_of: tuple[int, ...]
    forwarders: Forwarders
    administrators: PrefixTable[str]
    skipped: tuple[Skipped, ...]


@dataclass(slots=True)
class _Codes:
    """What codes and ids refer to."""

    categories: dict[str, int]
    lists: dict[str, ListInfo]
    services: dict[str, Service]
    agencies: frozenset[int]
    units: dict[int, int]  # unit -> agency
    calendars: dict[int, Calendar]
    engines: dict[str, Engine] = field(default_factory=dict)  # those with rules
    faults: list[Skipped] = field(default_factory=list)

    def skip(self, where: str, reason: str) -> None:
        self.faults.append(Skipped(where, reason))


def prepare(policy: Policy) -> Prepared:
    """Works the policy out. Never raises for its content: what is wrong is in ``skipped``."""
    codes = _codes(policy)
    ground = _ground(policy, codes)
    rules: list[PreparedRule] = []
    for rule in policy.rules:
        try:
            rules += _rule(rule, ground, codes)
        except _UnusableError as fault:
            codes.skip(f"rule {rule.id}", str(fault))
    ground.engines.update(by_name(codes.engines.values()))
    tenants = [Tenant(0, 0)]
    tenants += [Tenant(agency.id, 0) for agency in policy.agencies]
    tenants += [Tenant(unit.agency_id, unit.id) for unit in policy.units if unit.id in codes.units]
    networks = _networks(policy, tenants, codes)
    names = _tenant_names(policy)
    readings, reading_of = _readings(policy, tenants, codes)
    places = [(tenant.agency_id, tenant.unit_id) for tenant in tenants]
    forwarders = Forwarders(policy, places, networks, codes.skip)
    return Prepared(
        policy,
        ground,
        tuple(rules),
        tuple(tenants),
        networks,
        names,
        readings,
        reading_of,
        forwarders,
        _administrators(policy, codes),
        tuple(codes.faults),
    )


def _readings(policy: Policy, tenants: list[Tenant], codes: _Codes) -> tuple[Readings, tuple[int, ...]]:
    readings = Readings()
    overrides = overrides_by_tenant(policy, codes.calendars, codes.skip)
    if not overrides:
        return readings, (PLAIN,) * len(tenants)
    numbers: list[int] = []
    for tenant in tenants:
        of_agency = overrides.get((ScopeKind.AGENCY, tenant.agency_id), {})
        of_unit = overrides.get((ScopeKind.UNIT, tenant.unit_id), {}) if tenant.unit_id else {}
        numbers.append(readings.number_of({**of_agency, **of_unit}))
    return readings, tuple(numbers)


def _tenant_names(policy: Policy) -> dict[Tenant, tuple[str, ...]]:
    found: dict[Tenant, tuple[str, ...]] = {}
    for agency in policy.agencies:
        found[Tenant(agency.id, 0)] = (agency.code, agency.name)
    for unit in policy.units:
        of_agency = found.get(Tenant(unit.agency_id, 0), ())
        found[Tenant(unit.agency_id, unit.id)] = (unit.code, unit.name, *of_agency)
    return found


def wildcard_base(value: str) -> str:
    """``example.com`` of ``*.example.com``: both spellings of a wildcard mean the name and every name below it."""
    return value[2:] if value.startswith("*.") else value


class _UnusableError(Exception):
    """Why a rule cannot be used."""


def _codes(policy: Policy) -> _Codes:
    agencies = frozenset(agency.id for agency in policy.agencies)
    codes = _Codes(
        {category.code: category.id for category in policy.categories},
        {info.code: info for info in policy.lists},
        {service.code: service for service in policy.services},
        agencies,
        {unit.id: unit.agency_id for unit in policy.units if unit.agency_id in agencies},
        {},
    )
    for unit in policy.units:
        if unit.agency_id not in agencies:
            codes.skip(f"unit {unit.code}", f"its agency {unit.agency_id} does not exist")
    for schedule in policy.schedules:
        try:
            codes.calendars[schedule.id] = calendar(schedule, policy.holidays)
        except ScheduleError as fault:
            codes.skip(f"schedule {schedule.code}", str(fault))
    return codes


def _ground(policy: Policy, codes: _Codes) -> Ground:
    categories = {category.id: category for category in policy.categories}
    lists: dict[int, ListInForce] = {}
    for info in policy.lists:
        existing = tuple(category_id for category_id in info.category_ids if category_id in categories)
        negative = [category_id for category_id in existing if categories[category_id].negative]
        barring = [category_id for category_id in negative if not categories[category_id].observe]
        first = next(iter(barring or negative), 0)
        lists[info.id] = ListInForce(info, existing, first, not barring)
    known: dict[bytes, KnownName] = {}
    for text in policy.protected:
        wire = _wire(text, f"protected name {text}", codes)
        if wire is not None:
            known.setdefault(wire, KnownName()).protected = True
    for service in policy.services:
        for text in service.names:
            wire = _wire(wildcard_base(text), f"service {service.code}", codes)
            if wire is not None:
                known.setdefault(wire, KnownName()).services.append(service)
    return Ground(known, lists, categories, {}, policy.regency.language, policy.regency.answer)


def _wire(text: str, where: str, codes: _Codes) -> bytes | None:
    try:
        return from_text(text).lower()
    except NameSyntaxError as fault:
        codes.skip(where, f"{text!r}: {fault}")
        return None


def _rule(rule: Rule, ground: Ground, codes: _Codes) -> list[PreparedRule]:
    _require_scope(rule, codes)
    plan = codes.calendars.get(rule.schedule_id)
    if rule.schedule_id and plan is None:
        raise _UnusableError(f"its schedule {rule.schedule_id} does not exist or cannot be followed")
    if rule.action is Action.SAFE_SEARCH and rule.target.kind is not TargetKind.SEARCH:
        raise _UnusableError("only search engines have a filtered mode")
    layer = layer_of(rule)
    if rule.target.kind is TargetKind.SEARCH:
        return _by_search(rule, layer, plan, codes)
    if rule.target.kind is TargetKind.BYPASS:
        return _by_bypass(rule, layer, plan)
    return [_READERS[rule.target.kind](rule, layer, plan, ground, codes)]


def _require_scope(rule: Rule, codes: _Codes) -> None:
    scope = rule.scope
    if scope.kind is ScopeKind.AGENCY and scope.id not in codes.agencies:
        raise _UnusableError(f"its agency {scope.id} does not exist")
    if scope.kind is ScopeKind.UNIT and scope.id not in codes.units:
        raise _UnusableError(f"its unit {scope.id} does not exist")


def layer_of(rule: Rule) -> Layer:
    """The layer in which a rule is asked. Only the regency's rules can be mandatory: elsewhere the mark is void."""
    if rule.mandatory and rule.scope.kind is ScopeKind.REGENCY:
        return Layer.MANDATORY
    return Layer.EXCEPTION if rule.exception else _RULE_LAYERS[rule.scope.kind]


def _asked(rule: Rule, category_id: int = 0, list_id: int = 0, service_id: int = 0) -> RuleInForce:
    return RuleInForce(rule, _RANKS[rule.target.kind], category_id, list_id, service_id)


Reader = Callable[[Rule, Layer, Calendar | None, Ground, _Codes], PreparedRule]


def _by_category(rule: Rule, layer: Layer, plan: Calendar | None, ground: Ground, codes: _Codes) -> PreparedRule:
    category_id = codes.categories.get(rule.target.value)
    if category_id is None:
        raise _UnusableError(f"there is no category {rule.target.value!r}")
    return PreparedRule(rule, _asked(rule, category_id), layer, plan)


def _by_list(rule: Rule, layer: Layer, plan: Calendar | None, ground: Ground, codes: _Codes) -> PreparedRule:
    info = codes.lists.get(rule.target.value)
    if info is None:
        raise _UnusableError(f"there is no list {rule.target.value!r}")
    category_ids = ground.lists[info.id].category_ids
    return PreparedRule(rule, _asked(rule, category_ids[0] if category_ids else 0, info.id), layer, plan)


def _by_service(rule: Rule, layer: Layer, plan: Calendar | None, ground: Ground, codes: _Codes) -> PreparedRule:
    service = codes.services.get(rule.target.value)
    if service is None:
        raise _UnusableError(f"there is no service {rule.target.value!r}")
    return PreparedRule(rule, _asked(rule, service.category_id, 0, service.id), layer, plan)


def _by_name(rule: Rule, layer: Layer, plan: Calendar | None, ground: Ground, codes: _Codes) -> PreparedRule:
    text = rule.target.value
    if rule.target.kind is TargetKind.WILDCARD:
        text = wildcard_base(text)
    try:
        below = rule.target.kind is TargetKind.WILDCARD
        return PreparedRule(rule, _asked(rule), layer, plan, name=from_text(text).lower(), below=below)
    except NameSyntaxError as fault:
        raise _UnusableError(f"{rule.target.value!r} is no name: {fault}") from None


def _by_pattern(rule: Rule, layer: Layer, plan: Calendar | None, ground: Ground, codes: _Codes) -> PreparedRule:
    try:
        return PreparedRule(rule, _asked(rule), layer, plan, pattern=Pattern(rule.target.value))
    except PatternError as fault:
        raise _UnusableError(str(fault)) from None


def _by_network(rule: Rule, layer: Layer, plan: Calendar | None, ground: Ground, codes: _Codes) -> PreparedRule:
    try:
        return PreparedRule(rule, _asked(rule), layer, plan, prefix=parse(rule.target.value))
    except NetworkSyntaxError as fault:
        raise _UnusableError(str(fault)) from None


def _by_search(rule: Rule, layer: Layer, plan: Calendar | None, codes: _Codes) -> list[PreparedRule]:
    try:
        engines = engines_of(rule.target.value)
    except KeyError:
        raise _UnusableError(f"there is no search engine {rule.target.value!r}") from None
    found: list[PreparedRule] = []
    for engine in engines:
        answer = None
        if rule.action is Action.SAFE_SEARCH:
            answer = BlockAnswer(AnswerKind.REDIRECT, SEARCH_TTL_S, name=engine.target)
        # Of YouTube's two modes the stricter goes first; else the mode is no nearer to its name than another rule is.
        asked = RuleInForce(rule, RANK_NAME + engine.rank, answer=answer, types=SEARCH_TYPES)
        found.append(PreparedRule(rule, asked, layer, plan, engine=engine))
        codes.engines[engine.code] = engine
    return found


def _by_bypass(rule: Rule, layer: Layer, plan: Calendar | None) -> list[PreparedRule]:
    if rule.target.value == Bypass.ECH:
        return [PreparedRule(rule, RuleInForce(rule, RANK_NAME), layer, plan, ech=True)]
    names = BYPASS_NAMES.get(rule.target.value)
    if names is None:
        raise _UnusableError(f"there is no way around the resolver that is called {rule.target.value!r}")
    # Both Apple and Mozilla take a negative answer for "not here", and anything else for a fault to be waited out.
    asked = RuleInForce(rule, RANK_NAME, answer=BlockAnswer() if rule.action is Action.BLOCK else None)
    return [PreparedRule(rule, asked, layer, plan, name=name) for name in names]


_READERS: Final[dict[TargetKind, Reader]] = {
    TargetKind.CATEGORY: _by_category,
    TargetKind.LIST: _by_list,
    TargetKind.SERVICE: _by_service,
    TargetKind.NAME: _by_name,
    TargetKind.WILDCARD: _by_name,
    TargetKind.REGEX: _by_pattern,
    TargetKind.NETWORK: _by_network,
}


def _networks(policy: Policy, tenants: list[Tenant], codes: _Codes) -> PrefixTable[int]:
    positions = {tenant: position for position, tenant in enumerate(tenants)}
    entries: list[tuple[Prefix, int]] = []
    for network in policy.networks:
        position = positions.get(Tenant(network.agency_id, network.unit_id), 0)
        if position == 0:
            reason = f"agency {network.agency_id} has no unit {network.unit_id}, or does not exist"
            codes.skip(f"network {network.cidr}", reason)
            continue
        try:
            entries.append((parse(network.cidr), position))
        except NetworkSyntaxError as fault:
            codes.skip(f"network {network.cidr}", str(fault))
    return PrefixTable(entries)


def _administrators(policy: Policy, codes: _Codes) -> PrefixTable[str]:
    entries: list[tuple[Prefix, str]] = []
    for cidr in policy.regency.admin_networks:
        try:
            entries.append((parse(cidr), cidr))
        except NetworkSyntaxError as fault:
            codes.skip(f"admin network {cidr}", str(fault))
    return PrefixTable(entries)
