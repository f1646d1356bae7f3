"""Rules against the names that must work for everybody: the regency's own, those that must resolve, Saring's.

Such a rule is refused when somebody enters it (``Severity.HARM``), for it is hardly ever meant and its author may be
the next who cannot reach the place where it is undone. Protected names are safe from unit, agency and regency rules,
which come after them and are told to be in vain (``never_wins.py``); mandatory rules and exceptions do reach them. The
other names every rule reaches. Lists are held back from all of them by the gate of admission; pauses block nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, parents, to_text
from policy.model import Action, Layer, Policy, Rule, TargetKind
from policy.patterns import Pattern, PatternError
from policy.prepare import layer_of, wildcard_base
from policy.problems import Findings, Part
from policy.surroundings import OwnName

SARING: Final = OwnName("saring", "Saring's own zone, under which it tells who somebody is and why a name is blocked")
_PROTECTED: Final = "a protected name"
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class _Guarded:
    """A name that must work; ``below``: and all names below it; ``always``: whatever the rule's layer."""

    name: bytes
    what: str
    below: bool
    always: bool


def check_own_names(policy: Policy, own_names: Iterable[OwnName], findings: Findings) -> None:
    """Reports rules that would block such a name."""
    guard = _Guard(policy, own_names)
    for rule in policy.rules:
        if rule.action not in (Action.BLOCK, Action.REDIRECT):
            continue
        hit = guard.hit(rule)
        if not hit:
            continue
        named = ", ".join(f"{to_text(one.name)} ({one.what})" for one in hit[:_SHOWN])
        more = f" and {len(hit) - _SHOWN} more" if len(hit) > _SHOWN else ""
        message = f"it would block {named}{more}, which must work for everybody"
        remedy = "name something narrower"
        if all(one.what == _PROTECTED for one in hit):
            remedy = "name something narrower, or take them off the protected names first if it is meant"
        findings.harm(Part.RULE, str(rule.id), f"target ({rule.target.kind})", message, remedy)


class _Guard:
    """The guarded names, found by the names above and below them."""

    def __init__(self, policy: Policy, own_names: Iterable[OwnName]) -> None:
        guarded = [_Guarded(name, _PROTECTED, True, False) for name in _wires(policy.protected)]
        guarded += [
            _Guarded(name, own.what, own is SARING, True)
            for own in (SARING, *own_names)
            for name in _wires((own.name,))
        ]
        self._texts = [(to_text(one.name), one) for one in guarded]
        self._always = [pair for pair in self._texts if pair[1].always]
        self._exact: dict[bytes, list[_Guarded]] = {}
        self._above: dict[bytes, list[_Guarded]] = {}
        for one in guarded:
            self._exact.setdefault(one.name, []).append(one)
            for parent in parents(one.name):
                self._above.setdefault(parent, []).append(one)
        self._services: dict[str, tuple[str, ...]] = {}
        self._categories: dict[str, list[str]] = {category.code: [] for category in policy.categories}
        codes = {category.id: category.code for category in policy.categories}
        for service in policy.services:
            self._services[service.code] = service.names
            self._categories.setdefault(codes.get(service.category_id, ""), []).extend(service.names)
        self._by_target: dict[tuple[TargetKind, str], list[_Guarded]] = {}

    def hit(self, rule: Rule) -> list[_Guarded]:
        """The guarded names that the rule would block."""
        target = rule.target
        prevails = layer_of(rule) in (Layer.MANDATORY, Layer.EXCEPTION)
        if target.kind is TargetKind.REGEX:
            return self._matching(target.value, prevails)
        key = (target.kind, target.value)
        if key not in self._by_target:
            self._by_target[key] = list(dict.fromkeys(self._reached(target.kind, target.value)))
        return [one for one in self._by_target[key] if one.always or prevails]

    def _reached(self, kind: TargetKind, value: str) -> list[_Guarded]:
        if kind is TargetKind.NAME:
            return self._at(value)
        if kind is TargetKind.WILDCARD:
            return self._at_or_below(value)
        names: Sequence[str] = ()
        if kind is TargetKind.SERVICE:
            names = self._services.get(value, ())
        elif kind is TargetKind.CATEGORY:
            # What lists put into the category is not asked: they say nothing of protected names.
            names = self._categories.get(value, ())
        return [one for name in names for one in self._at_or_below(name)]

    def _at(self, text: str) -> list[_Guarded]:
        found: list[_Guarded] = []
        for name in _wires((text,)):
            found += self._exact.get(name, ())
            found += [one for parent in parents(name) for one in self._exact.get(parent, ()) if one.below]
        return found

    def _at_or_below(self, text: str) -> list[_Guarded]:
        text = wildcard_base(text)
        return self._at(text) + [one for name in _wires((text,)) for one in self._above.get(name, ())]

    def _matching(self, text: str, prevails: bool) -> list[_Guarded]:
        try:
            pattern = Pattern(text)
        except PatternError:
            return []
        asked = self._texts if prevails else self._always
        return [one for name, one in asked if pattern.matches(name)]


def _wires(texts: Iterable[str]) -> list[bytes]:
    found: list[bytes] = []
    for text in texts:
        try:
            found.append(from_text(text).lower())
        except NameSyntaxError:
            continue  # ``check`` reports it
    return found
