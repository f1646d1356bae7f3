"""Rules that can never win: reported with the rule that wins, or with what keeps them from a say at all.

Everything here holds for every client, name and time; where that is not sure, nothing is said. To *win* is to be the
reason of a decision, or of what an observe rule counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from dnswire.name import parents, to_text
from policy.idle import Idle
from policy.model import Action, Layer, Rule, TargetKind
from policy.outvoted import Rivals
from policy.prepare import Prepared, PreparedRule
from policy.problems import Part, Problem, Severity
from policy.surroundings import Surroundings

_AFTER_PROTECTION: Final = frozenset({Layer.UNIT, Layer.AGENCY, Layer.REGENCY})


class _Stopped(NamedTuple):
    """Why a rule never wins: the field to look at, the sentence, the way out."""

    field: str
    message: str
    remedy: str
    severity: Severity = Severity.WARNING


def never_wins(prepared: Prepared, surroundings: Surroundings) -> list[Problem]:
    """A problem for each rule that never wins, in the order of the policy's rules."""
    judge = _Judge(prepared, surroundings)
    parts: dict[int, list[PreparedRule]] = {}
    for part in prepared.rules:
        parts.setdefault(part.rule.id, []).append(part)
    return [
        Problem(stopped.severity, Part.RULE, str(number), stopped.field, stopped.message, stopped.remedy)
        for number, mine in parts.items()
        if (stopped := judge.stopped(mine)) is not None
    ]


def named(rule: Rule) -> str:
    """A rule as sentences name it."""
    title = f" ({rule.title})" if rule.title else ""
    return f"rule {rule.id}{title}"


class _Judge:
    def __init__(self, prepared: Prepared, surroundings: Surroundings) -> None:
        self._idle = Idle(prepared, surroundings.now_s)
        self._rivals = Rivals(prepared, surroundings.now_s)
        self._known = prepared.ground.known
        self._silent = surroundings.silent_lists
        self._service_names = {service.code: service.names for service in prepared.policy.services}
        codes = {category.id: category.code for category in prepared.policy.categories}
        self._served = {codes.get(service.category_id) for service in prepared.policy.services if service.names}
        self._lists_of: dict[str | None, list[str]] = {}
        for info in prepared.policy.lists:
            for category_id in info.category_ids:
                self._lists_of.setdefault(codes.get(category_id), []).append(info.code)

    def stopped(self, parts: list[PreparedRule]) -> _Stopped | None:
        """What keeps the rule, in all its parts, from winning; None where nothing does for sure."""
        rule = parts[0].rule
        idle = self._idle.why(rule)
        if idle is not None:
            field, sentence = idle
            severity = Severity.NOTE if sentence.startswith("it ended") else Severity.WARNING
            return _Stopped(field, f"it can never win: {sentence}", _REMEDIES[field], severity)
        empty = self._speaks_of_nothing(rule)
        if empty:
            remedy = "fill it, choose another target, or remove the rule"
            return _Stopped(_target(rule), f"it can never win: {empty}", remedy)
        stops = []
        for part in parts:
            stop = self._stop(part)
            if stop is None:
                return None
            stops.append(stop)
        return stops[0]

    def _speaks_of_nothing(self, rule: Rule) -> str:
        kind, value = rule.target.kind, rule.target.value
        if kind is TargetKind.LIST and value in self._silent:
            return f"list {value} {self._silent[value]}"
        if kind is TargetKind.SERVICE and not self._service_names.get(value):
            return f"service {value} has no names"
        if kind is TargetKind.CATEGORY and value not in self._served:
            feeding = self._lists_of.get(value, [])
            if not feeding:
                return f"no list feeds category {value}, and no service is in it"
            if all(code in self._silent for code in feeding):
                said = ", ".join(f"{code} {self._silent[code]}" for code in feeding[:3])
                return f"what feeds category {value} says nothing at present: {said}"
        return ""

    def _stop(self, part: PreparedRule) -> _Stopped | None:
        if part.ech and part.asked.observes:
            message = "it can never win: whether answers hold encrypted ClientHello is not counted"
            return _Stopped("action", message, "block it or allow it")
        shielded = self._shielded(part)
        if shielded:
            return _by_protection(part.rule, shielded)
        outvoted = self._rivals.outvoted(part)
        if outvoted is None:
            return None
        message = f"it can never win: {named(outvoted.by)} always wins, for {outvoted.why}"
        return _Stopped(_target(part.rule), message, "remove one of the two, or narrow the other one")

    def _shielded(self, part: PreparedRule) -> str:
        """The protected name that comes before all the names of which a rule of layers 4 to 6 speaks."""
        if part.layer not in _AFTER_PROTECTION:
            return ""
        if part.name:
            return self._protected(part.name)
        names: Iterable[bytes] = ()
        if part.asked.service_id:
            names = self._rivals.names_of(part.asked.service_id)
        elif part.engine is not None:
            names = self._rivals.names_of_engine(part.engine.number)
        found = ""
        for name in names:
            found = self._protected(name)
            if not found:
                return ""
        return found

    def _protected(self, name: bytes) -> str:
        for parent in parents(name):
            known = self._known.get(parent)
            if known is not None and known.protected:
                return to_text(parent)
        return ""


_REMEDIES: Final = {
    "valid_until_s": "give it a longer validity, or remove it",
    "schedule_id": "give the schedule a window, or the rule another schedule",
    "scope": "enter its networks",
}


def _target(rule: Rule) -> str:
    return f"target ({rule.target.kind})"


def _by_protection(rule: Rule, name: str) -> _Stopped:
    message = f"it can never win: {name} is protected, and protected names go before rules of its layer"
    if rule.action is Action.ALLOW:
        return _Stopped(_target(rule), f"{message}; it is let through anyway", "remove the rule", Severity.NOTE)
    remedy = "only a mandatory rule of the regency blocks a protected name; else take it off the protected names"
    return _Stopped(_target(rule), message, remedy)
