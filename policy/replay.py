"""A draft against the policy in force, over queries that were asked: what would newly be blocked, what freed.

Both policies are asked about the same questions at the same times, by the code that decides for clients
(``replay_side.py``), so that whatever differs is the draft's doing. Questions come counted by state
(``replay_times.py``), all of a name together, and a name's tally is closed before the next begins: however many names
are affected, what is kept is a count for each tenant and the most frequent names.

The log knows what was asked and by whom, not what the answers pointed to. Where an answer's target decided a query at
the time, its row names the target's listed name, and the target is asked anew; addresses in answers it does not name,
and such queries are counted as not known.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, lower
from policy.decide import combine
from policy.model import Decision, Policy, Verdict, Via
from policy.replay_side import NOWHERE, Answered, Heir, Side

TOP_NAMES: Final = 200
TOP_NAMES_PER_TENANT: Final = 20

# name, type, agency, unit, state, via, matched name, how many queries. Sorted by name.
Asked = tuple[str, int, str, str, int, str, str, int]

_BARRED: Final = (Verdict.BLOCKED, Verdict.REDIRECTED)
_QUESTION: Final = Via.QUESTION.name.lower()
_VIAS: Final = {via.name.lower(): via for via in Via}


class Effect(StrEnum):
    """What the draft does to a query."""

    SAME = "same"
    BLOCKED = "newly_blocked"  # or redirected
    FREED = "newly_freed"
    ANSWERED = "answered_otherwise"  # blocked or redirected by both, with another answer
    COUNTED = "newly_observed"  # let through by both; the draft counts that it would have been blocked
    UNCOUNTED = "no_longer_observed"


class Unknown(StrEnum):
    """Why nothing can be said about a query."""

    TENANT = "tenant"  # of no agency that the policy in force or its history knows
    ADDRESS = "address"  # an address or a nameserver in the answer decided it; the log does not name it
    NAME = "name"  # no name


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one of the policies decides as it does, in codes."""

    verdict: str
    layer: str
    rule_id: int = 0
    rule: str = ""
    letter: str = ""
    list: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class TenantCount:
    """Queries of an agency (``unit`` "": all of it that is of no unit); ``agency`` "": of no agency."""

    agency: str
    unit: str
    queries: int
    effects: dict[str, int]


@dataclass(frozen=True, slots=True)
class NameCount:
    """A name that the draft blocks or frees: queries for it in all and by agency (or ``agency/unit``), and why."""

    name: str
    queries: int
    tenants: dict[str, int]
    before: Reason
    after: Reason


@dataclass(frozen=True, slots=True)
class EffectCount:
    """All queries of an effect: how many, for how many names, and the most frequent names, in all and by tenant."""

    queries: int = 0
    names: int = 0
    top: tuple[NameCount, ...] = ()
    by_tenant: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay found.

    ``questions``: so many different ones were decided. ``unknown``: queries of which nothing can be said, by
    ``Unknown``.
    """

    queries: int
    questions: int
    effects: dict[str, int]
    newly_blocked: EffectCount
    newly_freed: EffectCount
    tenants: tuple[TenantCount, ...]
    unknown: dict[str, int]


class Replay:
    """Counts what the draft changes. ``heir``: under which codes rows of an earlier agency or unit count."""

    def __init__(self, before: Side, after: Side, heir: Heir) -> None:
        self._before = before
        self._after = after
        self._heir = heir
        self._places: dict[tuple[str, str], tuple[int, int]] = {}
        self._codes = before.codes()
        self._reasons = _Reasons(before.policy), _Reasons(after.policy)
        self._queries = 0
        self._questions = 0
        self._effects: Counter[Effect] = Counter()
        self._tenants: dict[int, Counter[Effect]] = {}
        self._unknown: Counter[Unknown] = Counter()
        self._best = {effect: _Best() for effect in (Effect.BLOCKED, Effect.FREED)}
        self._tallies: dict[Effect, _Tally] = {}
        self._name: str | None = None
        self._question = _Question(b"", 0, before, after)

    def add(self, asked: Iterable[Asked]) -> None:
        """Takes counted questions, sorted by name; of further calls, those that come behind."""
        for name, rrtype, agency, unit, state, via, matched, queries in asked:
            if name != self._name:
                self._close_name()
                self._name = name
                self._question = _Question(_wire(name), rrtype, self._before, self._after)
            elif rrtype != self._question.rrtype:
                self._question = _Question(self._question.name, rrtype, self._before, self._after)
            self._queries += queries
            self._questions += 1
            place = self._place(agency, unit)
            unknown = self._why_unknown(place, via, matched)
            if unknown is not None:
                self._unknown[unknown] += queries
                continue
            effect = self._effect(place, state, via, matched, queries)
            self._effects[effect] += queries
            counts = self._tenants.get(place[0])
            if counts is None:
                counts = self._tenants[place[0]] = Counter()
            counts[effect] += queries

    def result(self) -> ReplayResult:
        """What was found so far."""
        self._close_name()
        tenants = [
            TenantCount(
                *self._codes[position], counts.total(), {one.value: counts[one] for one in Effect if counts[one]}
            )
            for position, counts in self._tenants.items()
        ]
        return ReplayResult(
            self._queries,
            self._questions,
            {effect.value: self._effects[effect] for effect in Effect},
            self._best[Effect.BLOCKED].counted(self._effects[Effect.BLOCKED]),
            self._best[Effect.FREED].counted(self._effects[Effect.FREED]),
            tuple(sorted(tenants, key=lambda one: (one.agency, one.unit))),
            {reason.value: self._unknown[reason] for reason in Unknown if self._unknown[reason]},
        )

    def _why_unknown(self, place: tuple[int, int], via: str, matched: str) -> Unknown | None:
        if not self._question.name:
            return Unknown.NAME
        if via != _QUESTION and not matched:
            return Unknown.ADDRESS
        return Unknown.TENANT if place[0] == NOWHERE else None

    def _effect(self, place: tuple[int, int], state: int, via: str, matched: str, queries: int) -> Effect:
        pair = self._question.pair(place)
        if via == _QUESTION:
            if pair.same:
                return Effect.SAME
            was, now = pair.before.at(place[0], state), pair.after.at(place[1], state)
        else:
            target, led = self._question.target(matched).pair(place), _VIAS.get(via, Via.ALIAS)
            was = combine(pair.before.at(place[0], state), target.before.at(place[0], state), led)
            now = combine(pair.after.at(place[1], state), target.after.at(place[1], state), led)
        effect = effect_of(was, now)
        if effect in self._best:
            tally = self._tallies.get(effect)
            if tally is None:
                tally = self._tallies[effect] = _Tally()
            tally.add(place[0], queries, was, now)
        return effect

    def _place(self, agency: str, unit: str) -> tuple[int, int]:
        """The tenant's positions in both policies; in a draft that knows the agency no more it is the regency's."""
        found = self._places.get((agency, unit))
        if found is None:
            before, after = (side.position(agency, unit, self._heir) for side in (self._before, self._after))
            found = self._places[agency, unit] = before, max(after, 0)
        return found

    def _close_name(self) -> None:
        for effect, tally in self._tallies.items():
            self._best[effect].take(self._name or "", tally, self._codes, self._reasons)
        self._tallies.clear()


def effect_of(before: Decision, after: Decision) -> Effect:
    """What became of a query by two decisions on it."""
    if before is after:
        return Effect.SAME
    was, now = before.verdict in _BARRED, after.verdict in _BARRED
    if was != now:
        return Effect.BLOCKED if now else Effect.FREED
    if was:
        same = before.verdict is after.verdict and before.answer == after.answer and before.stated == after.stated
        return Effect.SAME if same else Effect.ANSWERED
    if before.verdict is after.verdict:
        return Effect.SAME
    return Effect.COUNTED if after.verdict is Verdict.OBSERVED else Effect.UNCOUNTED


class _Pair:
    """What both policies say to a question of tenants that neither tells apart."""

    __slots__ = ("after", "before", "same")

    def __init__(self, before: Answered, after: Answered) -> None:
        self.before = before
        self.after = after
        was, now = before.always, after.always
        self.same = was is not None and now is not None and effect_of(was, now) is Effect.SAME


class _Question:
    """A name and a type, asked by one tenant after another."""

    __slots__ = ("_after", "_before", "_pairs", "_targets", "name", "rrtype")

    def __init__(self, name: bytes, rrtype: int, before: Side, after: Side) -> None:
        self.name = name
        self.rrtype = rrtype
        self._before = before
        self._after = after
        self._pairs: dict[tuple[int, int], _Pair] = {}
        self._targets: dict[str, _Question] = {}

    def pair(self, place: tuple[int, int]) -> _Pair:
        """Both policies' answers for the tenant at those positions."""
        groups = self._before.group(place[0]), self._after.group(place[1])
        found = self._pairs.get(groups)
        if found is None:
            before = self._before.answer(place[0], self.name, self.rrtype)
            found = self._pairs[groups] = _Pair(before, self._after.answer(place[1], self.name, self.rrtype))
        return found

    def target(self, name: str) -> _Question:
        """The question for a name to which the answer led."""
        found = self._targets.get(name)
        if found is None:
            found = self._targets[name] = _Question(_wire(name) or self.name, self.rrtype, self._before, self._after)
        return found


class _Tally:
    """One name's queries of one effect, by tenant, and the reasons of the largest part of them."""

    __slots__ = ("after", "before", "largest", "queries", "tenants")

    def __init__(self) -> None:
        self.queries = 0
        self.tenants: Counter[int] = Counter()
        self.largest = 0
        self.before: Decision | None = None
        self.after: Decision | None = None

    def add(self, position: int, queries: int, before: Decision, after: Decision) -> None:
        self.queries += queries
        self.tenants[position] += queries
        if queries > self.largest:
            self.largest, self.before, self.after = queries, before, after


class _Best:
    """The most frequent names of an effect. Heaps: whatever there is, only so many names are kept."""

    def __init__(self) -> None:
        self._names = 0
        self._top: list[tuple[int, str, NameCount]] = []
        self._by_tenant: dict[str, list[tuple[int, str]]] = {}

    def take(self, name: str, tally: _Tally, codes: list[tuple[str, str]], reasons: tuple[_Reasons, _Reasons]) -> None:
        self._names += 1
        tenants = {_label(codes[position]): queries for position, queries in tally.tenants.most_common()}
        for label, queries in tenants.items():
            _push(self._by_tenant.setdefault(label, []), (queries, name), TOP_NAMES_PER_TENANT)
        if len(self._top) < TOP_NAMES or tally.queries > self._top[0][0]:
            assert tally.before is not None and tally.after is not None  # noqa: PT018 - one add came before
            why = reasons[0].of(tally.before), reasons[1].of(tally.after)
            _push(self._top, (tally.queries, name, NameCount(name, tally.queries, tenants, *why)), TOP_NAMES)

    def counted(self, queries: int) -> EffectCount:
        top = sorted(self._top, key=lambda one: (-one[0], one[1]))
        by_tenant = {
            label: {name: count for count, name in sorted(heap, key=lambda one: (-one[0], one[1]))}
            for label, heap in sorted(self._by_tenant.items())
        }
        return EffectCount(queries, self._names, tuple(one[2] for one in top), by_tenant)


def _push(heap: list[Any], item: Any, limit: int) -> None:
    if len(heap) < limit:
        heapq.heappush(heap, item)
    elif item > heap[0]:
        heapq.heapreplace(heap, item)


class _Reasons:
    """Decisions' reasons in the codes of their policy."""

    def __init__(self, policy: Policy) -> None:
        self._rules = {rule.id: (rule.title or f"#{rule.id}", rule.basis.number) for rule in policy.rules}
        self._lists = {info.id: info.code for info in policy.lists}
        self._categories = {category.id: category.code for category in policy.categories}

    def of(self, decision: Decision) -> Reason:
        verdict, layer = decision.verdict.name.lower(), decision.layer.name.lower()
        title, letter = self._rules.get(decision.rule_id, ("", ""))
        listed, category = self._lists.get(decision.list_id, ""), self._categories.get(decision.category_id, "")
        return Reason(verdict, layer, decision.rule_id, title, letter, listed, category)


def _label(codes: tuple[str, str]) -> str:
    agency, unit = codes
    return f"{agency}/{unit}" if unit else agency


def _wire(name: str) -> bytes:
    """The wire form of a name as the log spells it; ``b""`` where it is none."""
    try:
        return lower(from_text(name)) if name else b""
    except NameSyntaxError:
        return b""
