"""When the nightly sync is due. Pure: the clock is an argument."""

from __future__ import annotations

import datetime
import zoneinfo


def next_run_s(now_s: float, at: str, zone: str) -> float:
    """Unix seconds of the next ``at`` (``HH:MM``) in ``zone``, strictly after ``now_s``.

    A time that a clock change skips is run when the change has happened; one that it repeats, the first time.
    """
    local_zone = zoneinfo.ZoneInfo(zone)
    hour, minute = (int(part) for part in at.split(":"))
    day = datetime.datetime.fromtimestamp(now_s, local_zone).date()
    for offset in range(3):
        date = day + datetime.timedelta(days=offset)
        due = datetime.datetime(date.year, date.month, date.day, hour, minute, tzinfo=local_zone)
        if due.timestamp() > now_s:
            return due.timestamp()
    raise AssertionError("a time of day comes at least once in two days")
