"""Schedules, to the second; a whole year of them is in ``test_year_of_edges.py``."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from policy.model import Holiday, Schedule, Window
from policy.schedules import ScheduleError, calendar, is_open, next_edge_s

WEEK = tuple(range(7))
MON_TO_THU = (0, 1, 2, 3)
FRIDAY = (4,)

OFFICE = (
    Window(MON_TO_THU, 450, 720),
    Window(MON_TO_THU, 780, 960),
    Window(FRIDAY, 450, 690),
    Window(FRIDAY, 810, 990),
)


def schedule(*windows: Window, zone: str = "Asia/Jakarta", skip_holidays: bool = False) -> Schedule:
    return Schedule(1, "s", "S", zone, windows, skip_holidays)


def instant(text: str, zone: str = "Asia/Jakarta", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def edges(plan: Schedule, start_s: float, end_s: float, holidays: tuple[Holiday, ...] = ()) -> list[int]:
    found: list[int] = []
    ready = calendar(plan, holidays)
    at_s = start_s
    while (edge_s := next_edge_s(ready, at_s)) is not None and edge_s < end_s:
        found.append(edge_s)
        at_s = edge_s
    return found


def local(edge_s: float, zone: str = "Asia/Jakarta") -> str:
    return datetime.fromtimestamp(edge_s, ZoneInfo(zone)).strftime("%a %H:%M:%S")


def test_office_hours_open_and_close_on_the_second() -> None:
    ready = calendar(schedule(*OFFICE), ())
    opens_s = instant("2026-03-02 07:30:00")
    assert not is_open(ready, opens_s - 1)
    assert not is_open(ready, opens_s - 0.001)
    assert is_open(ready, opens_s)
    assert is_open(ready, instant("2026-03-02 11:59:59") + 0.999)
    assert not is_open(ready, instant("2026-03-02 12:00:00"))


def test_edges_of_a_week_of_office_hours_with_breaks() -> None:
    found = edges(schedule(*OFFICE), instant("2026-03-02 00:00"), instant("2026-03-09 00:00"))
    expected = [
        f"{day} {time}:00" for day in ("Mon", "Tue", "Wed", "Thu") for time in ("07:30", "12:00", "13:00", "16:00")
    ]
    assert [local(edge_s) for edge_s in found] == [
        *expected,
        "Fri 07:30:00",
        "Fri 11:30:00",
        "Fri 13:30:00",
        "Fri 16:30:00",
    ]


def test_a_window_over_midnight_belongs_to_the_day_it_starts_on() -> None:
    ready = calendar(schedule(Window((3,), 22 * 60, 4 * 60)), ())
    assert not is_open(ready, instant("2026-03-05 03:00"))  # Thursday before dawn: Wednesday has no window
    assert is_open(ready, instant("2026-03-05 22:00"))
    assert is_open(ready, instant("2026-03-06 03:59:59"))
    assert not is_open(ready, instant("2026-03-06 04:00"))
    assert not is_open(ready, instant("2026-03-06 22:30"))


def test_windows_that_meet_at_midnight_have_no_edge_there() -> None:
    plan = schedule(Window((0,), 20 * 60, 1440), Window((1,), 0, 6 * 60))
    found = edges(plan, instant("2026-03-02 12:00"), instant("2026-03-04 00:00"))
    assert [local(edge_s) for edge_s in found] == ["Mon 20:00:00", "Tue 06:00:00"]


def test_equal_start_and_end_is_a_whole_day() -> None:
    plan = schedule(Window((0,), 480, 480))
    found = edges(plan, instant("2026-03-02 00:00"), instant("2026-03-04 00:00"))
    assert [local(edge_s) for edge_s in found] == ["Mon 08:00:00", "Tue 08:00:00"]


def test_open_all_week_has_no_edge() -> None:
    ready = calendar(schedule(Window(WEEK, 0, 1440)), ())
    assert is_open(ready, instant("2026-03-02 00:00"))
    assert next_edge_s(ready, instant("2026-03-02 00:00")) is None


def test_without_windows_it_is_never_open() -> None:
    ready = calendar(schedule(), ())
    assert not is_open(ready, 0)
    assert next_edge_s(ready, 0) is None


def test_a_holiday_is_skipped_only_where_the_schedule_says_so() -> None:
    holiday = (Holiday("2026-08-17", "Kemerdekaan"),)
    noon_s = instant("2026-08-17 10:00")
    assert is_open(calendar(schedule(*OFFICE), holiday), noon_s)
    assert not is_open(calendar(schedule(*OFFICE, skip_holidays=True), holiday), noon_s)


def test_a_night_that_starts_before_a_holiday_goes_on_and_the_holidays_own_night_does_not_start() -> None:
    nights = schedule(Window(WEEK, 22 * 60, 4 * 60), skip_holidays=True)
    found = edges(
        nights,
        instant("2026-08-16 12:00"),
        instant("2026-08-19 00:00"),
        (Holiday("2026-08-17", "Kemerdekaan"), Holiday("no date", "typo")),
    )
    assert [local(edge_s) for edge_s in found] == ["Sun 22:00:00", "Mon 04:00:00", "Tue 22:00:00"]
    ready = calendar(nights, (Holiday("2026-08-17", "Kemerdekaan"),))
    assert is_open(ready, instant("2026-08-17 03:00"))
    assert not is_open(ready, instant("2026-08-17 23:00"))
    assert not is_open(ready, instant("2026-08-18 03:00"))


def test_an_edge_behind_a_fortnight_of_joint_leave_is_found() -> None:
    leave = tuple(Holiday(f"2026-03-{day:02}", "Cuti bersama") for day in range(16, 31))
    plan = schedule(*OFFICE, skip_holidays=True)
    found = edges(plan, instant("2026-03-15 12:00"), instant("2026-04-01 00:00"), leave)
    assert local(found[0]) == "Tue 07:30:00"
    assert found[0] == instant("2026-03-31 07:30")


def test_local_times_that_a_zone_skips_never_come() -> None:
    # Berlin, 29 March 2026: 02:00 jumps to 03:00.
    zone = "Europe/Berlin"
    inside = schedule(Window((6,), 135, 165), zone=zone)
    assert edges(inside, instant("2026-03-28 12:00", zone), instant("2026-03-30 00:00", zone)) == []
    across = schedule(Window((6,), 150, 240), zone=zone)
    found = edges(across, instant("2026-03-28 12:00", zone), instant("2026-03-30 00:00", zone))
    assert [datetime.fromtimestamp(edge_s, UTC).isoformat() for edge_s in found] == [
        "2026-03-29T01:00:00+00:00",
        "2026-03-29T02:00:00+00:00",
    ]


def test_local_times_that_a_zone_repeats_are_inside_both_times() -> None:
    # Berlin, 25 October 2026: 03:00 falls back to 02:00.
    zone = "Europe/Berlin"
    plan = schedule(Window((6,), 120, 150), zone=zone)
    found = edges(plan, instant("2026-10-24 12:00", zone), instant("2026-10-26 00:00", zone))
    assert [datetime.fromtimestamp(edge_s, UTC).isoformat() for edge_s in found] == [
        "2026-10-25T00:00:00+00:00",
        "2026-10-25T00:30:00+00:00",
        "2026-10-25T01:00:00+00:00",
        "2026-10-25T01:30:00+00:00",
    ]


def test_impossible_schedules_say_what_is_wrong() -> None:
    with pytest.raises(ScheduleError, match="'Asia/Palembang' is no IANA time zone"):
        calendar(schedule(zone="Asia/Palembang"), ())
    for key in ("", "Asia", "../../etc/passwd", "/etc/passwd", "A\0"):
        with pytest.raises(ScheduleError):
            calendar(schedule(zone=key), ())
    with pytest.raises(ScheduleError, match="schedule s: start 1440"):
        calendar(schedule(Window((0,), 1440, 1440)), ())
    with pytest.raises(ScheduleError, match="end 1441"):
        calendar(schedule(Window((0,), 0, 1441)), ())
    with pytest.raises(ScheduleError, match="days"):
        calendar(schedule(Window((7,), 0, 60)), ())
    with pytest.raises(ScheduleError, match="days"):
        calendar(schedule(Window((), 0, 60)), ())
