"""What is wrong with schedules, with who reads them otherwise, with holidays and with pauses.

Readings cannot run in circles: an override names the schedule that holds instead, and of that one no override is
followed (``readings.py``). What remains is that both exist and are two.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Final

from policy.model import Pause, Period, Policy, Reading, Schedule, ScheduleOverride, Scope, ScopeKind
from policy.problems import Findings, Part
from policy.schedules import DAY_S, ScheduleError, period_fault, window_fault, zone_of

MAX_PAUSE_S: Final = DAY_S


def check_schedules(policy: Policy, findings: Findings) -> None:
    """Reports the problems of schedules, overrides, holidays and pauses."""
    for schedule in policy.schedules:
        check_zone(Part.SCHEDULE, schedule.code, schedule.zone, findings)
        _check_windows(schedule, findings)
        _check_periods(schedule, findings)
    for holiday in policy.holidays:
        try:
            date.fromisoformat(holiday.date)
        except ValueError:
            message = f"{holiday.date!r} is no date"
            findings.error(Part.HOLIDAY, holiday.title, "date", message, "write it as 2026-08-17")
    tenants = {(ScopeKind.AGENCY, agency.id) for agency in policy.agencies}
    tenants |= {(ScopeKind.UNIT, unit.id) for unit in policy.units}
    codes = {schedule.id: schedule.code for schedule in policy.schedules}
    for override in policy.schedule_overrides:
        _check_override(override, codes, tenants, findings)
    for (scope, number), count in Counter((one.scope, one.schedule_id) for one in policy.schedule_overrides).items():
        if count > 1:
            key = _override_key(scope, number)
            findings.error(Part.OVERRIDE, key, "schedule_id", f"{count} say how to read it", "keep one of them")
    for pause in policy.pauses:
        _check_pause(pause, tenants, findings)


def check_zone(part: Part, key: str, zone: str, findings: Findings) -> None:
    """Reports a time zone that is none."""
    try:
        zone_of(zone)
    except ScheduleError as fault:
        findings.error(part, key, "zone", str(fault), "write the name of a zone, for WIB Asia/Jakarta")


def opens(schedule: Schedule) -> bool:
    """Whether it has any window at all."""
    return bool(schedule.windows or any(period.windows for period in schedule.periods))


def _check_windows(schedule: Schedule, findings: Findings) -> None:
    if not opens(schedule):
        message = "it has no window and is never open"
        findings.warning(Part.SCHEDULE, schedule.code, "windows", message, "add a window")
    places = [(f"windows[{position}]", window) for position, window in enumerate(schedule.windows)]
    for number, period in enumerate(schedule.periods):
        places += [(f"periods[{number}].windows[{place}]", window) for place, window in enumerate(period.windows)]
    for place, window in places:
        fault = window_fault(window)
        if fault:
            remedy = "write days 0 (Monday) to 6 and minutes after midnight, such as 450 for 07:30"
            findings.error(Part.SCHEDULE, schedule.code, place, fault, remedy)


def _check_periods(schedule: Schedule, findings: Findings) -> None:
    sound: list[Period] = []
    for number, period in enumerate(schedule.periods):
        place = f"periods[{number}]"
        fault = period_fault(period)
        if fault:
            remedy = "write the first and the last day, such as 2027-02-08 and 2027-03-09"
            findings.error(Part.SCHEDULE, schedule.code, place, fault, remedy)
            continue
        other = next((other for other in sound if _meet(period, other)), None)
        if other is not None:
            message = f"some of its days are in {other.title!r}, too, which stands before it and holds"
            findings.warning(Part.SCHEDULE, schedule.code, place, message, "let each day be in one period")
        sound.append(period)


def _meet(one: Period, other: Period) -> bool:
    return one.from_date <= other.until_date and other.from_date <= one.until_date


def _override_key(scope: Scope, schedule_id: int) -> str:
    return f"{schedule_id} of {scope.kind} {scope.id}"


def _check_override(
    override: ScheduleOverride, codes: dict[int, str], tenants: set[tuple[ScopeKind, int]], findings: Findings
) -> None:
    key = _override_key(override.scope, override.schedule_id)
    if (override.scope.kind, override.scope.id) not in tenants:
        message = f"there is no {override.scope.kind} {override.scope.id} that could read it otherwise"
        findings.error(Part.OVERRIDE, key, "scope", message, "choose an agency or a unit; the regency edits schedules")
    if override.schedule_id not in codes:
        message = f"there is no schedule {override.schedule_id}"
        findings.error(Part.OVERRIDE, key, "schedule_id", message, "choose an existing schedule")
    if override.reading is not Reading.SCHEDULE:
        return
    if override.other_id not in codes:
        message = f"there is no schedule {override.other_id} to read instead"
        findings.error(Part.OVERRIDE, key, "other_id", message, "choose an existing schedule")
    elif override.other_id == override.schedule_id:
        message = f"{codes[override.other_id]} is to be read as itself"
        findings.warning(Part.OVERRIDE, key, "other_id", message, "choose another schedule, or remove the override")


def _check_pause(pause: Pause, tenants: set[tuple[ScopeKind, int]], findings: Findings) -> None:
    key = str(pause.id)
    if (pause.scope.kind, pause.scope.id) not in tenants:
        message = f"there is no {pause.scope.kind} {pause.scope.id}"
        findings.error(Part.PAUSE, key, "scope", message, "pause an agency or a unit")
    if pause.until_s <= pause.from_s:
        findings.error(Part.PAUSE, key, "until_s", "it ends before it begins", "choose an end after the beginning")
    elif pause.until_s - pause.from_s > MAX_PAUSE_S:
        message = f"it lasts longer than {MAX_PAUSE_S // 3600} hours"
        findings.error(Part.PAUSE, key, "until_s", message, "pauses are short; let through for longer by an exception")
