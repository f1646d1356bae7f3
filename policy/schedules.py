"""Whether a schedule is open at an instant, and when that changes next, exact to the second.

A schedule is open while the wall clock of its zone shows a time inside one of its windows. That one sentence settles
daylight saving time too: local times that a zone skips never come, so a window inside the gap does not open that day
and one that spans it opens or closes at the jump; local times that a zone repeats are inside the window both times.

A window belongs to the day on which it starts: over midnight it runs on into a day that is a holiday, and a holiday
cancels the night that starts on it. The same holds for periods, whose windows stand in for the schedule's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import floor
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policy.model import Holiday, Period, Schedule, Window

DAY_MIN: Final = 24 * 60
DAY_S: Final = 24 * 3600

# How far ahead an edge is looked for unless the caller says otherwise: longer than the longest run of joint leave.
HORIZON_S: Final = 21 * DAY_S

# Edges are gathered in spans of this length, because nearly every schedule has one within two days.
_SPAN_S: Final = 2 * DAY_S


class ScheduleError(ValueError):
    """A schedule that no clock can follow; the message says what is wrong with it."""


ByWeekday = tuple[tuple[Window, ...], ...]  # seven, Monday first


@dataclass(frozen=True, slots=True)
class Calendar:
    """A schedule ready to be asked: its zone found, its windows sorted by weekday, the days it skips as a set.

    ``periods``: first day, last day, windows.
    """

    schedule: Schedule
    zone: ZoneInfo
    by_weekday: ByWeekday
    skipped: frozenset[date]
    periods: tuple[tuple[date, date, ByWeekday], ...] = ()

    def windows_of(self, day: date) -> tuple[Window, ...]:
        """The windows that start on that day."""
        if day in self.skipped:
            return ()
        for first, last, by_weekday in self.periods:
            if first <= day <= last:
                return by_weekday[day.weekday()]
        return self.by_weekday[day.weekday()]


NEVER: Final = Calendar(Schedule(0, "", ""), ZoneInfo("UTC"), ((),) * 7, frozenset())


def calendar(schedule: Schedule, holidays: Iterable[Holiday]) -> Calendar:
    """The schedule with its zone and holidays looked up. Raises ``ScheduleError``."""
    zone = zone_of(schedule.zone)
    for window in (*schedule.windows, *(window for period in schedule.periods for window in period.windows)):
        fault = window_fault(window)
        if fault:
            raise ScheduleError(f"schedule {schedule.code}: {fault}")
    periods = []
    for period in schedule.periods:
        fault = period_fault(period)
        if fault:
            raise ScheduleError(f"schedule {schedule.code}: period {period.title}: {fault}")
        first, last = date.fromisoformat(period.from_date), date.fromisoformat(period.until_date)
        periods.append((first, last, _by_weekday(period.windows)))
    skipped = frozenset(holiday_dates(_skipped_by(schedule, holidays)))
    return Calendar(schedule, zone, _by_weekday(schedule.windows), skipped, tuple(periods))


def _by_weekday(windows: tuple[Window, ...]) -> ByWeekday:
    return tuple(tuple(window for window in windows if day in window.days) for day in range(7))


def _skipped_by(schedule: Schedule, holidays: Iterable[Holiday]) -> list[Holiday]:
    if not schedule.skip_holidays:
        return []
    return [holiday for holiday in holidays if schedule.skip_joint_leave or not holiday.joint_leave]


def zone_of(key: str) -> ZoneInfo:
    """The time zone of that IANA name. Raises ``ScheduleError``."""
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: a key such as "Asia" names a directory of the zone database.
        raise ScheduleError(f"{key!r} is no IANA time zone, such as Asia/Jakarta") from None


def window_fault(window: Window) -> str:
    """What makes the window impossible, or ``""``."""
    if not window.days or any(day not in range(7) for day in window.days):
        return f"days {list(window.days)} are not weekdays from 0 (Monday) to 6 (Sunday)"
    if not 0 <= window.start_min < DAY_MIN:
        return f"start {window.start_min} is not a minute of the day, 0 to {DAY_MIN - 1}"
    if not 0 <= window.end_min <= DAY_MIN:
        return f"end {window.end_min} is not a minute of the day, 0 to {DAY_MIN}"
    return ""


def period_fault(period: Period) -> str:
    """What makes the period impossible, its windows aside, or ``""``."""
    try:
        first, last = date.fromisoformat(period.from_date), date.fromisoformat(period.until_date)
    except ValueError:
        return f"{period.from_date!r} to {period.until_date!r} are not two dates such as 2027-02-08"
    return f"it ends on {last} before it begins on {first}" if last < first else ""


def holiday_dates(holidays: Iterable[Holiday]) -> list[date]:
    """The dates of the holidays; one that is no date is left out (``check`` reports it)."""
    dates: list[date] = []
    for holiday in holidays:
        try:
            dates.append(date.fromisoformat(holiday.date))
        except ValueError:
            continue
    return dates


def is_open(calendar: Calendar, at_s: float) -> bool:
    """Whether the zone's wall clock shows a time inside a window at that instant."""
    local = datetime.fromtimestamp(floor(at_s), calendar.zone)
    second = local.hour * 3600 + local.minute * 60 + local.second
    today = local.date()
    for window in calendar.windows_of(today):
        end_s = window.end_min * 60 if window.end_min > window.start_min else DAY_S
        if window.start_min * 60 <= second < end_s:
            return True
    return any(
        window.end_min <= window.start_min and second < window.end_min * 60
        for window in calendar.windows_of(today - timedelta(days=1))
    )


def next_edge_s(calendar: Calendar, at_s: float, horizon_s: float = HORIZON_S) -> int | None:
    """The first whole second after ``at_s`` at which the schedule opens or closes, or None within ``horizon_s``."""
    start_s = floor(at_s)
    limit_s = start_s + floor(horizon_s)
    before = is_open(calendar, start_s)
    while start_s < limit_s:
        end_s = min(start_s + _SPAN_S, limit_s)
        for instant_s in _possible_edges(calendar, start_s, end_s):
            if is_open(calendar, instant_s) != before:
                return instant_s
        start_s = end_s
    return None


def _possible_edges(calendar: Calendar, after_s: int, until_s: int) -> list[int]:
    """Every second in (after, until] at which the state can change, in order.

    It changes only where the wall clock passes a window's start or end, or where it jumps. A local time that occurs
    twice is taken both times (PEP 495 fold); one that never occurs yields instants that change nothing.
    """
    zone = calendar.zone
    instants = set(_jumps(zone, after_s, until_s))
    day = datetime.fromtimestamp(after_s, zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(until_s, zone).date()
    while day <= last:
        for window in calendar.windows_of(day):
            over = window.end_min <= window.start_min
            for minute in (window.start_min, window.end_min + (DAY_MIN if over else 0)):
                local = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
                for fold in (0, 1):
                    instants.add(floor(local.replace(tzinfo=zone, fold=fold).timestamp()))
        day += timedelta(days=1)
    return sorted(instant for instant in instants if after_s < instant <= until_s)


def _jumps(zone: ZoneInfo, after_s: int, until_s: int) -> list[int]:
    """The seconds in (after, until] at which the zone's offset changes, at most one a day."""
    found: list[int] = []
    low = after_s
    while low < until_s:
        high = min(low + DAY_S, until_s)
        if _offset(zone, low) != _offset(zone, high):
            found.append(_first_with_new_offset(zone, low, high))
        low = high
    return found


def _first_with_new_offset(zone: ZoneInfo, low: int, high: int) -> int:
    old = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == old:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: ZoneInfo, at_s: int) -> timedelta | None:
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset()
