"""Rules that never come into force for anybody: their time is over, their schedule never opens, nobody is there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from policy.model import Policy, Reading, Rule, Schedule, ScheduleOverride, Scope, ScopeKind
from policy.prepare import Prepared, Tenant
from policy.schedules import DAY_S, Calendar, is_open, next_edge_s

# Up to this length the days of a validity are looked at one by one.
_SHORT_S: Final = 8 * DAY_S


class Idle:
    """Answers why a rule is never in force, for all rules of a policy. ``now_s`` None: all times count."""

    def __init__(self, prepared: Prepared, now_s: float | None) -> None:
        policy = prepared.policy
        self._policy = policy
        self._now_s = now_s
        self._calendars: dict[int, Calendar] = {
            part.rule.schedule_id: part.calendar for part in prepared.rules if part.calendar is not None
        }
        self._schedules = {schedule.id: schedule for schedule in policy.schedules}
        self._codes = {(ScopeKind.AGENCY, agency.id): agency.code for agency in policy.agencies}
        self._codes |= {(ScopeKind.UNIT, unit.id): unit.code for unit in policy.units}
        self._overrides: dict[tuple[ScopeKind, int, int], ScheduleOverride] = {}
        for override in policy.schedule_overrides:
            self._overrides.setdefault((override.scope.kind, override.scope.id, override.schedule_id), override)
        self._read_otherwise = {override.schedule_id for override in policy.schedule_overrides}
        self._tenants = _tenants_by_scope(prepared.tenants)
        self._there = _reachable(policy)
        self._ever: dict[tuple[Scope, int], bool] = {}

    def why(self, rule: Rule) -> tuple[str, str] | None:
        """(field, sentence) of what keeps the rule out of force for good; None where nothing does."""
        if self._now_s is not None and rule.valid_until_s is not None and rule.valid_until_s <= self._now_s:
            ended = datetime.fromtimestamp(rule.valid_until_s, UTC)
            return "valid_until_s", f"it ended on {ended:%Y-%m-%d %H:%M} UTC"
        if rule.schedule_id and not self._opens_for(rule.scope, rule.schedule_id):
            code = self._schedules[rule.schedule_id].code
            return "schedule_id", f"its schedule {code} is never open for anybody in its scope"
        if rule.schedule_id and self._misses(rule):
            code = self._schedules[rule.schedule_id].code
            return "valid_until_s", f"its schedule {code} is not open once while it is valid"
        if rule.scope.kind is not ScopeKind.REGENCY and (rule.scope.kind, rule.scope.id) not in self._there:
            code = self._codes.get((rule.scope.kind, rule.scope.id), str(rule.scope.id))
            return "scope", f"{rule.scope.kind} {code} has no network and no device, so nobody is its client"
        return None

    def _opens_for(self, scope: Scope, schedule_id: int) -> bool:
        key = (scope, schedule_id)
        if key not in self._ever:
            tenants = self._tenants.get((scope.kind, scope.id), ())
            self._ever[key] = any(self._reads_open(tenant, schedule_id) for tenant in tenants)
        return self._ever[key]

    def _reads_open(self, tenant: Tenant, schedule_id: int) -> bool:
        override = None
        if schedule_id in self._read_otherwise:
            override = self._overrides.get((ScopeKind.UNIT, tenant.unit_id, schedule_id)) if tenant.unit_id else None
            override = override or self._overrides.get((ScopeKind.AGENCY, tenant.agency_id, schedule_id))
        if override is None:
            return self._ever_open(schedule_id)
        if override.reading is Reading.SCHEDULE:
            return self._ever_open(override.other_id)
        return override.reading is Reading.ALWAYS

    def _ever_open(self, schedule_id: int) -> bool:
        schedule = self._schedules.get(schedule_id)
        return schedule is None or bool(schedule.windows) or any(self._periods_open(schedule))

    def _periods_open(self, schedule: Schedule) -> list[bool]:
        # A day more: the last night of a period ends on the next day, and zones differ by less than one.
        today = None if self._now_s is None else datetime.fromtimestamp(self._now_s, UTC).date() - timedelta(days=2)
        return [
            bool(period.windows) and (today is None or date.fromisoformat(period.until_date) >= today)
            for period in schedule.periods
        ]

    def _misses(self, rule: Rule) -> bool:
        calendar = self._calendars.get(rule.schedule_id)
        begins_s = max((at_s for at_s in (rule.valid_from_s, self._now_s) if at_s is not None), default=None)
        if calendar is None or begins_s is None or rule.valid_until_s is None:
            return False
        if rule.schedule_id in self._read_otherwise or rule.valid_until_s - begins_s > _SHORT_S:
            return False
        if is_open(calendar, begins_s):
            return False
        edge_s = next_edge_s(calendar, begins_s, _SHORT_S)
        return edge_s is None or edge_s >= rule.valid_until_s


def _tenants_by_scope(tenants: tuple[Tenant, ...]) -> dict[tuple[ScopeKind, int], list[Tenant]]:
    found: dict[tuple[ScopeKind, int], list[Tenant]] = {(ScopeKind.REGENCY, 0): list(tenants)}
    for tenant in tenants:
        if tenant.agency_id:
            found.setdefault((ScopeKind.AGENCY, tenant.agency_id), []).append(tenant)
        if tenant.unit_id:
            found.setdefault((ScopeKind.UNIT, tenant.unit_id), []).append(tenant)
    return found


def _reachable(policy: Policy) -> set[tuple[ScopeKind, int]]:
    """Agencies and units of which somebody can be a client: by an address, or by a device that a forwarder names."""
    found: set[tuple[ScopeKind, int]] = set()
    tenants = {(network.agency_id, network.unit_id) for network in policy.networks}
    tenants |= {(device.agency_id, device.unit_id) for device in policy.devices}
    for agency_id, unit_id in tenants:
        found.add((ScopeKind.AGENCY, agency_id))
        if unit_id:
            found.add((ScopeKind.UNIT, unit_id))
    return found
