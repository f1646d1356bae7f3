"""Rules that others always go before: which rule has a say wherever and whenever this one has, and the stronger one.

``Rivals`` answers from tables by layer, scope and target, so that thousands of rules are looked at one after another
and not each against each. It says less than is true, never more: a rule that only several others together leave nothing
to, or that schedules keep apart by chance, is not found. What it says follows from the order told in ``candidates.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, parents, to_text
from policy.model import Layer, Policy, Rule, Scope, ScopeKind
from policy.networks import Prefix
from policy.patterns import PatternSet
from policy.prepare import Prepared, PreparedRule, wildcard_base
from policy.readings import rests_in_pause
from policy.why import LAYER_NAMES

# Of many rules on one target in one scope, so many are looked at: those that hold at all times first.
_LOOKED_AT: Final = 16
# More expressions than that in one scope are not asked about names: each would be asked about every name.
_MAX_EXPRESSIONS: Final = 100

_Slot = tuple[Layer, ScopeKind, int]
_Parts = list[PreparedRule]


@dataclass(frozen=True, slots=True)
class Outvoted:
    """By which rule, and why that one goes first."""

    by: Rule
    why: str


@dataclass(slots=True)
class _Table:
    """The rules of one scope in one layer, by what they speak of."""

    exact: dict[bytes, _Parts] = field(default_factory=dict)
    below: dict[bytes, _Parts] = field(default_factory=dict)
    services: dict[int, _Parts] = field(default_factory=dict)
    lists: dict[int, _Parts] = field(default_factory=dict)
    categories: dict[int, _Parts] = field(default_factory=dict)
    prefixes: dict[Prefix, _Parts] = field(default_factory=dict)
    expressions: dict[str, _Parts] = field(default_factory=dict)
    patterns: PatternSet | None = None
    pattern_parts: _Parts = field(default_factory=list)
    ech: _Parts = field(default_factory=list)
    engines: dict[int, _Parts] = field(default_factory=dict)

    def add(self, part: PreparedRule) -> None:
        """Puts the rule where it is looked for."""
        asked = part.asked
        if part.name:
            (self.below if part.below else self.exact).setdefault(part.name, []).append(part)
        elif part.pattern is not None:
            self.expressions.setdefault(part.pattern.text, []).append(part)
            self.pattern_parts.append(part)
        elif part.prefix is not None:
            self.prefixes.setdefault(part.prefix, []).append(part)
        elif part.ech:
            self.ech.append(part)
        elif part.engine is not None:
            self.engines.setdefault(part.engine.number, []).append(part)
        elif asked.list_id:
            self.lists.setdefault(asked.list_id, []).append(part)
        elif asked.service_id:
            self.services.setdefault(asked.service_id, []).append(part)
        else:
            self.categories.setdefault(asked.category_id, []).append(part)

    def finish(self) -> None:
        """Prepares what needs all rules of the table."""
        patterns = [part.pattern for part in self.pattern_parts if part.pattern is not None]
        if 0 < len(patterns) <= _MAX_EXPRESSIONS:
            self.patterns = PatternSet(patterns)


class Rivals:
    """All rules of a policy, to be asked which of them outvotes a given one."""

    def __init__(self, prepared: Prepared, now_s: float | None) -> None:
        policy = prepared.policy
        self._ground = prepared.ground
        self._start_s = -math.inf if now_s is None else now_s
        self._agency_of = {unit.id: unit.agency_id for unit in policy.units}
        self._paused = _Paused(policy, self._agency_of, self._start_s)
        self._observed_categories = {
            category_id for info in prepared.ground.lists.values() if info.observed for category_id in info.category_ids
        }
        self._service_names = {service.id: tuple(_wires(service.names)) for service in policy.services}
        self._service_category = {service.id: service.category_id for service in policy.services}
        self._engine_names: dict[int, list[bytes]] = {}
        for name, numbers in prepared.ground.engines.items():
            for number in numbers:
                self._engine_names.setdefault(number, []).append(name)
        self._tables: dict[_Slot, _Table] = {}
        for part in sorted(prepared.rules, key=_breadth):
            self._tables.setdefault(_slot_of(part), _Table()).add(part)
        for table in self._tables.values():
            table.finish()

    def names_of(self, service_id: int) -> tuple[bytes, ...]:
        """The names of a service that are names."""
        return self._service_names[service_id]

    def names_of_engine(self, number: int) -> list[bytes]:
        """The names of a search engine with rules."""
        return self._engine_names[number]

    def outvoted(self, part: PreparedRule) -> Outvoted | None:
        """The rule that always goes before this one, where there is one."""
        if part.engine is not None and not part.name:
            return self._outvoted_everywhere(part, self._engine_names[part.engine.number])
        own = _slot_of(part)
        for slot in self._slots(part.layer, part.rule.scope):
            table = self._tables.get(slot)
            if table is None:
                continue
            for other, settles in self._covering(table, part):
                if other.rule.id == part.rule.id or not self._always_with(other, part):
                    continue
                why = _goes_first(other, part, slot == own, settles)
                if why:
                    return Outvoted(other.rule, why)
        return None

    def _outvoted_everywhere(self, part: PreparedRule, names: Iterable[bytes]) -> Outvoted | None:
        found = None
        for name in names:
            found = self.outvoted(replace(part, name=name))
            if found is None:
                return None
        return found

    def _slots(self, layer: Layer, scope: Scope) -> Iterator[_Slot]:
        """The scopes that hold for all clients of this one, in the order in which they are asked, up to its own."""
        yield Layer.MANDATORY, ScopeKind.REGENCY, 0
        own = layer, scope.kind, 0 if scope.kind is ScopeKind.REGENCY else scope.id
        if layer in (Layer.UNIT, Layer.AGENCY, Layer.REGENCY):
            if scope.kind is ScopeKind.UNIT:
                yield Layer.EXCEPTION, ScopeKind.UNIT, scope.id
                yield Layer.EXCEPTION, ScopeKind.AGENCY, self._agency_of.get(scope.id, 0)
            elif scope.kind is ScopeKind.AGENCY:
                yield Layer.EXCEPTION, ScopeKind.AGENCY, scope.id
            yield Layer.EXCEPTION, ScopeKind.REGENCY, 0
        if layer is not Layer.MANDATORY:
            yield own

    def _covering(self, table: _Table, part: PreparedRule) -> Iterator[tuple[PreparedRule, bool]]:
        """The rules of the table that speak of everything of which ``part`` speaks; whether for sure not as observers
        only, for a list that is observed lets the rules on it observe, too.
        """
        if part.name:
            yield from _sure(self._covering_name(table, part))
        elif part.pattern is not None:
            yield from _sure(_some(table.expressions.get(part.pattern.text)))
        elif part.prefix is not None:
            yield from _sure(_around(table.prefixes, part.prefix))
        elif part.ech:
            yield from _sure(_some(table.ech))
        elif part.asked.list_id:
            info = self._ground.lists[part.asked.list_id]
            for other in _some(table.lists.get(info.list_id)):
                yield other, not info.observed
            for category_id in info.category_ids:
                for other in _some(table.categories.get(category_id)):
                    yield other, not info.observed
        elif part.asked.service_id:
            yield from _sure(self._covering_service(table, part.asked.service_id))
        else:
            category_id = part.asked.category_id
            for other in _some(table.categories.get(category_id)):
                yield other, category_id not in self._observed_categories

    def _covering_name(self, table: _Table, part: PreparedRule) -> Iterator[PreparedRule]:
        if not part.below:
            yield from _some(table.exact.get(part.name))
            for number in self._ground.engines.get(part.name, ()):
                yield from _some(table.engines.get(number))
        for parent in parents(part.name):
            yield from _some(table.below.get(parent))
            known = self._ground.known.get(parent)
            for service in known.services if known is not None else ():
                yield from _some(table.services.get(service.id))
                yield from _some(table.categories.get(service.category_id))
        if not part.below and table.patterns is not None:
            found = table.patterns.search(to_text(part.name))
            yield from (table.pattern_parts[position] for position in found[:_LOOKED_AT])

    def _covering_service(self, table: _Table, service_id: int) -> Iterator[PreparedRule]:
        yield from _some(table.services.get(service_id))
        yield from _some(table.categories.get(self._service_category[service_id]))
        names = self._service_names[service_id]
        if names and table.below:
            shared = set(parents(names[0])).intersection(*(parents(name) for name in names[1:]))
            for parent in shared:
                yield from _some(table.below.get(parent))

    def _always_with(self, other: PreparedRule, part: PreparedRule) -> bool:
        """Whether ``other`` is in force, for whoever ``part`` holds, whenever ``part`` is."""
        one, this = other.rule, part.rule
        if one.schedule_id and one.schedule_id != this.schedule_id:
            return False
        if other.layer is Layer.EXCEPTION and not one.approver:
            return False
        begins_s = max(this.valid_from_s if this.valid_from_s is not None else -math.inf, self._start_s)
        if one.valid_from_s is not None and one.valid_from_s > begins_s:
            return False
        ends_s = this.valid_until_s if this.valid_until_s is not None else math.inf
        if one.valid_until_s is not None and one.valid_until_s < ends_s:
            return False
        types = other.asked.types
        if types is not None and (part.asked.types is None or not part.asked.types <= types):
            return False
        rests = rests_in_pause(other.layer, other.narrows)
        return not rests or rests_in_pause(part.layer, part.narrows) or not self._paused.anybody_of(this.scope)


class _Paused:
    """Which scopes hold a tenant that is, or will be, let off: its rules of layers 4 to 6 then do not go before."""

    def __init__(self, policy: Policy, agency_of: dict[int, int], start_s: float) -> None:
        self._agency_of = agency_of
        scopes = {pause.scope for pause in policy.pauses if pause.until_s > start_s}
        self._any = bool(scopes)
        self._agencies = {scope.id for scope in scopes if scope.kind is ScopeKind.AGENCY}
        self._units = {scope.id for scope in scopes if scope.kind is ScopeKind.UNIT}
        self._with_units = {agency_of.get(unit_id, 0) for unit_id in self._units}

    def anybody_of(self, scope: Scope) -> bool:
        """Whether a pause is for somebody of that scope."""
        if scope.kind is ScopeKind.REGENCY:
            return self._any
        if scope.kind is ScopeKind.AGENCY:
            return scope.id in self._agencies or scope.id in self._with_units
        return scope.id in self._units or self._agency_of.get(scope.id, 0) in self._agencies


def _goes_first(other: PreparedRule, part: PreparedRule, same_scope: bool, settles: bool) -> str:
    """Why ``other`` leaves ``part`` no say wherever both have one; "" where it does not for sure."""
    one, this = other.asked, part.asked
    # An allow settles the matter whatever it rests on; what is observed settles nothing, and is counted once; safe
    # search settles nothing either, but only the first filters, and beside it nothing is counted.
    bars = settles and not (one.allows or one.observes or one.filters)
    alike = (one.observes and this.observes) or (one.filters and (this.filters or this.observes))
    if not (one.allows or bars or alike):
        return ""
    if not same_scope:  # an exception of a wider scope comes after: another table is always of another layer
        return f"{LAYER_NAMES[other.layer]} go before {LAYER_NAMES[part.layer]}"
    place, mine = (not one.important, not one.allows), (not this.important, not this.allows)
    if place < mine:
        return (
            "it is important" if one.important and not this.important else "in one layer an allow goes before the rest"
        )
    if place > mine:
        return ""
    if bars and (this.observes or this.filters):
        return f"it bars what this one would {'count' if this.observes else 'filter'}"
    if _same_target(other, part) and (one.kind_rank, one.rule_id) < (this.kind_rank, this.rule_id):
        return "it speaks of the same, and the older one goes first"
    return ""


def _same_target(other: PreparedRule, part: PreparedRule) -> bool:
    """Whether both match by the same name, range, list ..., so that no length tells them apart."""
    if part.name:
        return other.engine is not None or (other.name == part.name and other.below == part.below)
    if part.pattern is not None:
        return other.pattern is not None
    if part.prefix is not None:
        return other.prefix == part.prefix
    one, this = other.asked, part.asked
    same_list = (one.list_id, one.service_id) == (this.list_id, this.service_id)
    return same_list and not other.name and (bool(this.list_id) or one.category_id == this.category_id)


def _slot_of(part: PreparedRule) -> _Slot:
    scope = part.rule.scope
    return part.layer, scope.kind, 0 if scope.kind is ScopeKind.REGENCY else scope.id


def _breadth(part: PreparedRule) -> tuple[bool, bool, bool, bool, int]:
    """Those that hold more, and go before more, first."""
    rule = part.rule
    bounded = rule.valid_from_s is not None or rule.valid_until_s is not None
    return bool(rule.schedule_id), bounded, not rule.important, not part.asked.allows, rule.id


def _some(parts: _Parts | None) -> Iterable[PreparedRule]:
    return islice(parts, _LOOKED_AT) if parts else ()


def _sure(parts: Iterable[PreparedRule]) -> Iterator[tuple[PreparedRule, bool]]:
    return ((part, True) for part in parts)


def _around(prefixes: dict[Prefix, _Parts], inner: Prefix) -> Iterator[PreparedRule]:
    for length in range(inner.length, -1, -1):
        yield from _some(prefixes.get(Prefix(inner.bits, length, inner.value >> (inner.length - length))))


def _wires(texts: Iterable[str]) -> Iterator[bytes]:
    for text in texts:
        try:
            yield from_text(wildcard_base(text)).lower()
        except NameSyntaxError:
            continue
