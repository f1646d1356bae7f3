"""A whole year of a working calendar, minute by minute: edges are where painted days say, to the second.

The reference paints each local day with its windows and then looks at the wall clock of every minute of the year.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from policy.model import Holiday, Period, Schedule, Window
from policy.schedules import calendar, is_open, next_edge_s
from tests.unit.policy.test_schedules import OFFICE, edges

RAMADAN = Period("Ramadan 1447", "2026-02-18", "2026-03-19", (Window((0, 1, 2, 3, 4), 480, 900),))
CLOSED = Period("Pindah kantor", "2026-10-23", "2026-10-27")
HOLIDAYS = (
    Holiday("2026-03-20", "Cuti bersama", joint_leave=True),
    Holiday("2026-03-21", "Idul Fitri"),
    Holiday("2026-08-17", "Kemerdekaan"),
    Holiday("2026-12-24", "Cuti bersama Natal", joint_leave=True),
    Holiday("2026-12-25", "Natal"),
)
# Breaks at noon and on Fridays; a night from Saturday; one on Wednesdays that begins in the hour that clocks skip.
WINDOWS = (*OFFICE, Window((5,), 1380, 150), Window((6,), 105, 185), Window((2,), 1380, 130))


def painted(plan: Schedule, zone: ZoneInfo, start_s: int, end_s: int) -> list[int]:
    """The seconds in (start, end) at which the wall clock enters or leaves a painted minute."""
    holidays = {one.date for one in HOLIDAYS if plan.skip_joint_leave or not one.joint_leave}
    paint: set[int] = set()
    day = date(2025, 12, 30)
    while day < date(2027, 1, 3):
        windows = plan.windows
        for period in reversed(plan.periods):
            if period.from_date <= day.isoformat() <= period.until_date:
                windows = period.windows
        for window in windows if day.isoformat() not in holidays else ():
            if day.weekday() in window.days:
                length = (window.end_min - window.start_min - 1) % 1440 + 1
                first = day.toordinal() * 1440 + window.start_min
                paint.update(range(first, first + length))
        day += timedelta(days=1)
    found: list[int] = []
    was = None
    for at_s in range(start_s, end_s, 60):
        local = datetime.fromtimestamp(at_s, zone)
        now = local.toordinal() * 1440 + local.hour * 60 + local.minute in paint
        if was is not None and now is not was:
            found.append(at_s)
        was = now
    return found


@pytest.mark.parametrize(
    "key", ["Asia/Jakarta", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_every_minute_of_a_year(key: str) -> None:
    """Santiago changes its clocks at midnight, Lord Howe by half an hour, Casablanca around Ramadan."""
    zone = ZoneInfo(key)
    plan = Schedule(1, "s", "S", key, WINDOWS, True, (RAMADAN, CLOSED), skip_joint_leave=key == "Asia/Jakarta")
    start_s = int(datetime(2026, 1, 1, tzinfo=zone).timestamp())
    end_s = int(datetime(2027, 1, 1, tzinfo=zone).timestamp())
    expected = painted(plan, zone, start_s, end_s)
    assert len(expected) > 800
    assert edges(plan, start_s, end_s, HOLIDAYS) == expected
    ready = calendar(plan, HOLIDAYS)
    for edge_s in expected:
        assert is_open(ready, edge_s) is not is_open(ready, edge_s - 0.001)
        assert next_edge_s(ready, edge_s - 0.001) == edge_s
