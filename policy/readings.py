"""How tenants read the schedules that rules name: most as they are written, some in their own way.

A regency rule "during office hours" binds a hospital's emergency room by the emergency room's hours. Tenants with the
same readings share one ``Reading``, so that their rule sets can be shared as well. The plain reading is number 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from policy.model import Layer, Pause, Policy, Rule, ScheduleOverride, ScopeKind
from policy.model import Reading as How
from policy.schedules import NEVER, Calendar

Hours = Calendar | None  # None: at all hours
Skip = Callable[[str, str], None]

PLAIN: Final = 0
# What a pause lets rest: the layers of rules that people can relax.
_RESTING_LAYERS: Final = frozenset((Layer.UNIT, Layer.AGENCY, Layer.REGENCY))


class Readings:
    """``hours``: for each reading, what stands in for the schedules that it reads differently, by schedule."""

    def __init__(self) -> None:
        self.hours: list[Mapping[int, Hours]] = [{}]
        self._numbers: dict[tuple[tuple[int, int, str], ...], int] = {(): PLAIN}

    def number_of(self, overrides: Mapping[int, tuple[ScheduleOverride, Hours]]) -> int:
        """The reading that these overrides make."""
        key = tuple(sorted((number, one.other_id, str(one.reading)) for number, (one, _) in overrides.items()))
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.hours)
            self.hours.append({number: hours for number, (_, hours) in overrides.items()})
        return found

    def hours_of(self, number: int, rule: Rule, plain: Hours) -> Hours:
        """The hours of a rule as that reading has them; ``plain``: as its schedule is written."""
        if not rule.schedule_id or number == PLAIN:
            return plain
        return self.hours[number].get(rule.schedule_id, plain)


def overrides_by_tenant(
    policy: Policy, calendars: Mapping[int, Calendar], skip: Skip
) -> dict[tuple[ScopeKind, int], dict[int, tuple[ScheduleOverride, Hours]]]:
    """The overrides that can be followed, by scope and schedule; what cannot is told to ``skip``."""
    found: dict[tuple[ScopeKind, int], dict[int, tuple[ScheduleOverride, Hours]]] = {}
    for override in policy.schedule_overrides:
        where = f"schedule override of {override.scope.kind} {override.scope.id}"
        if override.scope.kind is ScopeKind.REGENCY:
            skip(where, "the regency edits its schedules themselves")
        elif override.schedule_id not in calendars:
            skip(where, f"its schedule {override.schedule_id} does not exist or cannot be followed")
        elif override.reading is How.SCHEDULE and override.other_id not in calendars:
            skip(where, f"the schedule {override.other_id} it reads instead does not exist or cannot be followed")
        else:
            mine = found.setdefault((override.scope.kind, override.scope.id), {})
            mine.setdefault(override.schedule_id, (override, _hours(override, calendars)))
    return found


def _hours(override: ScheduleOverride, calendars: Mapping[int, Calendar]) -> Hours:
    if override.reading is How.ALWAYS:
        return None
    return NEVER if override.reading is How.NEVER else calendars[override.other_id]


def pauses(pause: Pause, agency_id: int, unit_id: int) -> bool:
    """Whether the pause is for that tenant; an agency's is for its units, too."""
    scope = pause.scope
    if scope.kind is ScopeKind.UNIT:
        return bool(unit_id) and scope.id == unit_id
    return scope.kind is ScopeKind.AGENCY and bool(agency_id) and scope.id == agency_id


def rests_in_pause(layer: Layer, narrows: bool) -> bool:
    """Whether a pause lets a rule of that layer rest. ``narrows``: it blocks, redirects or filters."""
    return narrows and layer in _RESTING_LAYERS
