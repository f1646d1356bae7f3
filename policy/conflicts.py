"""Two rules of one scope on one target that say the opposite at the same time, though each wins at some time.

Where one of them never wins, ``never_wins.py`` has said so. A rule that holds at all hours beside one that lets off for
some is how people write breaks, and only worth a note.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Final

from policy.model import Action, Layer, Policy, Rule, Schedule, Scope, TargetKind
from policy.never_wins import named
from policy.prepare import layer_of, wildcard_base
from policy.problems import Part, Problem, Severity
from policy.schedules import DAY_MIN

_LOOKED_AT: Final = 20
_WEEK_MIN: Final = 7 * DAY_MIN

_Key = tuple[Layer, Scope, TargetKind, str]


def conflicts(policy: Policy, in_vain: Collection[str], now_s: float | None) -> list[Problem]:
    """A problem for each rule that another contradicts and outvotes for a part of its time.

    ``in_vain``: keys of rules that never win.
    """
    start_s = -math.inf if now_s is None else now_s
    hours = _Hours(policy)
    groups: dict[_Key, list[Rule]] = {}
    for rule in policy.rules:
        if rule.action is not Action.OBSERVE and str(rule.id) not in in_vain:
            groups.setdefault(_key(rule), []).append(rule)
    found: list[Problem] = []
    for rules in groups.values():
        if len(rules) > 1:
            found += _of_group(rules, hours, start_s)
    return found


def _of_group(rules: list[Rule], hours: _Hours, start_s: float) -> Iterator[Problem]:
    ordered = sorted(rules, key=_place)
    for position, loser in enumerate(ordered):
        before = islice(ordered, min(position, _LOOKED_AT))
        winner = next((one for one in before if _opposed(one, loser) and _meet(one, loser, hours, start_s)), None)
        if winner is not None:
            yield _problem(winner, loser)


def _problem(winner: Rule, loser: Rule) -> Problem:
    why = (
        "it is important" if winner.important and not loser.important else "in one layer an allow goes before the rest"
    )
    message = f"{named(winner)} says the opposite of the same target for a part of the time, and wins then, for {why}"
    is_break = not _bounded(loser)
    severity = Severity.NOTE if is_break else Severity.WARNING
    remedy = "see that this is meant" if is_break else "let one of the two end where the other begins"
    return Problem(severity, Part.RULE, str(loser.id), f"target ({loser.target.kind})", message, remedy)


def _key(rule: Rule) -> _Key:
    kind, value = rule.target.kind, rule.target.value
    if kind in (TargetKind.NAME, TargetKind.WILDCARD):
        value = wildcard_base(value).removesuffix(".").lower()
    return layer_of(rule), rule.scope, kind, value


def _place(rule: Rule) -> tuple[bool, bool, int]:
    return not rule.important, rule.action is not Action.ALLOW, rule.id


def _opposed(one: Rule, other: Rule) -> bool:
    return (one.action is Action.ALLOW) != (other.action is Action.ALLOW)


def _bounded(rule: Rule) -> bool:
    return bool(rule.schedule_id) or rule.valid_from_s is not None or rule.valid_until_s is not None


def _meet(one: Rule, other: Rule, hours: _Hours, start_s: float) -> bool:
    begins = max(start_s, *(rule.valid_from_s or -math.inf for rule in (one, other)))
    ends = min(math.inf if rule.valid_until_s is None else rule.valid_until_s for rule in (one, other))
    return begins < ends and hours.meet(one.schedule_id, other.schedule_id)


class _Hours:
    """Whether two schedules can be open at once. In doubt (other zones, other readings) they can."""

    def __init__(self, policy: Policy) -> None:
        self._schedules = {schedule.id: schedule for schedule in policy.schedules}
        self._read_otherwise = {override.schedule_id for override in policy.schedule_overrides}
        self._known: dict[tuple[int, int], bool] = {}

    def meet(self, one: int, other: int) -> bool:
        """By their ids; 0 is open at all hours."""
        if one == other or not one or not other:
            return True
        key = (min(one, other), max(one, other))
        if key not in self._known:
            self._known[key] = self._compare(*key)
        return self._known[key]

    def _compare(self, one: int, other: int) -> bool:
        first, second = self._schedules.get(one), self._schedules.get(other)
        if first is None or second is None or first.zone != second.zone:
            return True
        if one in self._read_otherwise or other in self._read_otherwise:
            return True
        mine = list(_spans(first))
        return any(start < end2 and start2 < end for start, end in mine for start2, end2 in _spans(second))


def _spans(schedule: Schedule) -> Iterator[tuple[int, int]]:
    """Minutes of the week in which it can be open; what runs over the week's end is in two parts."""
    windows = [*schedule.windows, *(window for period in schedule.periods for window in period.windows)]
    for window in windows:
        length = window.end_min - window.start_min
        if length <= 0:
            length += DAY_MIN
        for day in window.days:
            start = day * DAY_MIN + window.start_min
            yield start, min(start + length, _WEEK_MIN)
            if start + length > _WEEK_MIN:
                yield 0, start + length - _WEEK_MIN
