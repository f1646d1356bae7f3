"""Periods with hours of their own (Ramadan), joint leave, and tenants that read a schedule in their own way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policy.explain import ByTenant, explain
from policy.model import (
    Action,
    Holiday,
    Pause,
    Period,
    Policy,
    Reading,
    Rule,
    Schedule,
    ScheduleOverride,
    Verdict,
    Window,
)
from policy.prepare import prepare
from policy.resolve import at, resolve
from policy.schedules import ScheduleError, calendar, is_open, next_edge_s
from tests.support.deciding import DISDIK, IGD, IGD_SCOPE, REGENCY_SCOPE, RSUD, RSUD_SCOPE, ask, government, rule
from tests.support.plain_index import PlainIndex
from tests.unit.policy.test_schedules import OFFICE, edges, instant, local

WEEKDAYS = (0, 1, 2, 3, 4)
RAMADAN = Period("Ramadan 1448", "2027-02-08", "2027-03-09", (Window(WEEKDAYS, 480, 900),))
OFFICE_HOURS = Schedule(1, "jam-kerja", "Jam kerja", "Asia/Jakarta", OFFICE, True, (RAMADAN,))
NIGHTS = Schedule(2, "malam", "Piket malam", "Asia/Jakarta", (Window((0, 1, 2, 3, 4, 5, 6), 1320, 360),))
WWW = "www.contoh.example"
AT_OFFICE = rule(1, REGENCY_SCOPE, "name:" + WWW, Action.BLOCK, schedule_id=1)

MONDAY_10 = instant("2026-03-02 10:00")
MONDAY_23 = instant("2026-03-02 23:00")


def test_in_a_period_its_windows_stand_in_for_the_others() -> None:
    found = edges(OFFICE_HOURS, instant("2027-02-05 12:00"), instant("2027-02-09 23:00"))
    assert [local(edge_s) for edge_s in found] == [
        "Fri 13:30:00", "Fri 16:30:00", "Mon 08:00:00", "Mon 15:00:00", "Tue 08:00:00", "Tue 15:00:00",
    ]  # fmt: skip
    after = edges(OFFICE_HOURS, instant("2027-03-09 12:00"), instant("2027-03-10 13:00"))
    assert [local(edge_s) for edge_s in after] == ["Tue 15:00:00", "Wed 07:30:00", "Wed 12:00:00", "Wed 13:00:00"][:3]


def test_a_period_without_windows_is_closed_and_a_holiday_goes_before_it() -> None:
    closed = replace(OFFICE_HOURS, periods=(Period("Audit", "2026-03-02", "2026-03-06"),))
    assert not is_open(calendar(closed, ()), MONDAY_10)
    holiday = (Holiday("2027-02-10", "Imlek"),)
    assert not is_open(calendar(OFFICE_HOURS, holiday), instant("2027-02-10 09:00"))


def test_a_night_that_begins_before_a_period_runs_on_into_it() -> None:
    nights = replace(NIGHTS, periods=(Period("Libur", "2026-03-02", "2026-03-02"),))
    ready = calendar(nights, ())
    assert is_open(ready, instant("2026-03-02 05:59:59"))
    assert not is_open(ready, instant("2026-03-02 22:30"))
    assert not is_open(ready, instant("2026-03-03 05:00"))


def test_the_first_of_two_periods_that_hold_a_day_goes_before() -> None:
    both = (Period("a", "2026-03-01", "2026-03-31", (Window((0,), 600, 660),)), Period("b", "2026-03-02", "2026-03-02"))
    assert is_open(calendar(replace(OFFICE_HOURS, periods=both), ()), MONDAY_10)
    assert not is_open(calendar(replace(OFFICE_HOURS, periods=both[::-1]), ()), MONDAY_10)


def test_joint_leave_is_a_holiday_where_the_schedule_says_so() -> None:
    leave = (Holiday("2026-03-02", "Cuti bersama", joint_leave=True),)
    assert not is_open(calendar(OFFICE_HOURS, leave), MONDAY_10)
    assert is_open(calendar(replace(OFFICE_HOURS, skip_joint_leave=False), leave), MONDAY_10)
    holiday = (Holiday("2026-03-02", "Libur nasional"),)
    assert not is_open(calendar(replace(OFFICE_HOURS, skip_joint_leave=False), holiday), MONDAY_10)


def test_impossible_periods_say_what_is_wrong() -> None:
    for period, said in (
        (Period("P", "2026-02-30", "2026-03-01"), "period P: '2026-02-30' to '2026-03-01' are not two dates"),
        (Period("P", "2026-03-02", "2026-03-01"), "period P: it ends on 2026-03-01 before it begins on 2026-03-02"),
        (Period("P", "2026-03-02", "2026-03-02", (Window((9,), 0, 60),)), "days"),
    ):
        with pytest.raises(ScheduleError, match=said):
            calendar(replace(OFFICE_HOURS, periods=(period,)), ())


def reading(how: Reading, other: int = 0, scope: object = IGD_SCOPE) -> ScheduleOverride:
    return ScheduleOverride(scope, 1, how, other)  # type: ignore[arg-type]  # the fixture's scopes


def verdicts(policy: Policy, at_s: float) -> tuple[str, str, str]:
    """Of the emergency room, its hospital, and a school."""
    places = ((RSUD, IGD), (RSUD, 0), (DISDIK, 0))
    names = [ask(policy, WWW, agency=agency, unit=unit, at_s=at_s).verdict.name for agency, unit in places]
    return names[0], names[1], names[2]


BLOCKED, ALLOWED = "BLOCKED", "ALLOWED"


@pytest.mark.parametrize(
    ("overrides", "by_day", "by_night"),
    [
        ((), (BLOCKED,) * 3, (ALLOWED,) * 3),
        ((reading(Reading.NEVER),), (ALLOWED, BLOCKED, BLOCKED), (ALLOWED,) * 3),
        ((reading(Reading.ALWAYS),), (BLOCKED,) * 3, (BLOCKED, ALLOWED, ALLOWED)),
        ((reading(Reading.SCHEDULE, 2),), (ALLOWED, BLOCKED, BLOCKED), (BLOCKED, ALLOWED, ALLOWED)),
        ((reading(Reading.NEVER, scope=RSUD_SCOPE),), (ALLOWED, ALLOWED, BLOCKED), (ALLOWED,) * 3),
        (
            (reading(Reading.NEVER, scope=RSUD_SCOPE), reading(Reading.SCHEDULE, 2)),
            (ALLOWED, ALLOWED, BLOCKED),
            (BLOCKED, ALLOWED, ALLOWED),
        ),
    ],
)
def test_a_tenant_reads_the_regencys_schedule_in_its_own_way(
    overrides: tuple[ScheduleOverride, ...], by_day: tuple[str, ...], by_night: tuple[str, ...]
) -> None:
    policy = government(AT_OFFICE, schedules=(OFFICE_HOURS, NIGHTS), schedule_overrides=overrides)
    assert verdicts(policy, MONDAY_10) == by_day
    assert verdicts(policy, MONDAY_23) == by_night


def test_readings_do_not_follow_each_other() -> None:
    both = (reading(Reading.SCHEDULE, 2), ScheduleOverride(IGD_SCOPE, 2, Reading.ALWAYS))
    policy = government(AT_OFFICE, schedules=(OFFICE_HOURS, NIGHTS), schedule_overrides=both)
    assert verdicts(policy, MONDAY_10)[0] == ALLOWED


def test_the_edges_of_every_reading_count() -> None:
    policy = government(AT_OFFICE, schedules=(OFFICE_HOURS, NIGHTS), schedule_overrides=(reading(Reading.SCHEDULE, 2),))
    assert resolve(policy, MONDAY_10).valid_until_s == instant("2026-03-02 12:00")
    assert resolve(policy, instant("2026-03-02 17:00")).valid_until_s == instant("2026-03-02 22:00")


def test_readings_that_cannot_be_followed_are_left_out_and_named() -> None:
    wrong = (
        ScheduleOverride(IGD_SCOPE, 9, Reading.NEVER),
        ScheduleOverride(IGD_SCOPE, 1, Reading.SCHEDULE, 9),
        ScheduleOverride(REGENCY_SCOPE, 1, Reading.NEVER),
    )
    prepared = prepare(government(AT_OFFICE, schedules=(OFFICE_HOURS,), schedule_overrides=wrong))
    assert len(prepared.skipped) == 3
    assert verdicts(prepared.policy, MONDAY_10)[0] == BLOCKED


def test_tenants_with_the_same_reading_share_a_view() -> None:
    policy = government(AT_OFFICE, schedules=(OFFICE_HOURS,), schedule_overrides=(reading(Reading.NEVER),))
    resolved = at(prepare(policy), MONDAY_10)
    assert resolved.tenant(RSUD).view is resolved.tenant(DISDIK).view
    assert resolved.tenant(RSUD, IGD).view is not resolved.tenant(RSUD).view
    assert len(at(prepare(policy), MONDAY_23).views) == 1


def test_an_explanation_tells_how_the_tenant_reads_it() -> None:
    policy = government(AT_OFFICE, schedules=(OFFICE_HOURS, NIGHTS), schedule_overrides=(reading(Reading.SCHEDULE, 2),))
    found = explain(policy, PlainIndex({}), ByTenant(RSUD, IGD), b"\3www\6contoh\7example\0", 1, MONDAY_10)
    told = next(finding for finding in found.findings if finding.rule_id == 1)
    assert told.schedule is not None
    assert told.schedule.state == "this tenant reads it as malam: closed, opens 2026-03-02 22:00:00 WIB"
    assert told.outcome == "not in force: outside its schedule"


def paused(*rules: Rule, scope: object = RSUD_SCOPE, **changes: object) -> Policy:
    pause = Pause(1, scope, int(MONDAY_10), int(MONDAY_10) + 1_800, "sari", "rapat")  # type: ignore[arg-type]
    return government(*rules, pauses=(pause,), **changes)


def test_a_pause_lets_rules_rest_and_ends_by_itself() -> None:
    policy = paused(rule(1, REGENCY_SCOPE, "name:" + WWW), rule(2, RSUD_SCOPE, "category:media_sosial"))
    before_s, end_s = MONDAY_10 - 1, MONDAY_10 + 1_800
    assert verdicts(policy, before_s) == (BLOCKED,) * 3
    assert verdicts(policy, MONDAY_10) == (ALLOWED, ALLOWED, BLOCKED)
    assert verdicts(policy, end_s - 1) == (ALLOWED, ALLOWED, BLOCKED)
    assert verdicts(policy, end_s) == (BLOCKED,) * 3
    assert resolve(policy, before_s).valid_until_s == MONDAY_10
    assert resolve(policy, MONDAY_10).valid_until_s == end_s
    assert ask(policy, "www.tiktok.com").verdict is Verdict.ALLOWED


def test_a_pause_of_a_unit_is_for_the_unit_alone() -> None:
    policy = paused(rule(1, REGENCY_SCOPE, "name:" + WWW), scope=IGD_SCOPE)
    assert verdicts(policy, MONDAY_10) == (ALLOWED, BLOCKED, BLOCKED)


@pytest.mark.parametrize(
    ("held", "name"),
    [
        (rule(1, REGENCY_SCOPE, "name:" + WWW, mandatory=True), WWW),
        (rule(1, RSUD_SCOPE, "name:" + WWW, exception=True), WWW),
        (rule(1, REGENCY_SCOPE, "name:other.example"), "judi.example"),
    ],
    ids=["mandatory rules", "exceptions", "lists of negative categories"],
)
def test_what_no_pause_lets_rest(held: Rule, name: str) -> None:
    assert ask(paused(held), name, {1: ["*.judi.example"]}).verdict is Verdict.BLOCKED


def test_allows_and_observing_go_on_in_a_pause() -> None:
    policy = paused(
        rule(1, RSUD_SCOPE, "name:judi.example", Action.ALLOW), rule(2, RSUD_SCOPE, "name:" + WWW, Action.OBSERVE)
    )
    assert ask(policy, "judi.example", {1: ["*.judi.example"]}).verdict is Verdict.ALLOWED
    assert ask(policy, WWW).verdict is Verdict.OBSERVED


def test_an_allow_list_only_unit_stays_so_in_a_pause() -> None:
    policy = paused(rule(1, IGD_SCOPE, "name:" + WWW, Action.ALLOW))
    units = tuple(replace(unit, allow_list_only=True) for unit in policy.units)
    assert ask(replace(policy, units=units), "lain.example").verdict is Verdict.BLOCKED


def test_an_explanation_tells_of_the_pause() -> None:
    policy = paused(rule(1, REGENCY_SCOPE, "name:" + WWW))
    found = explain(policy, PlainIndex({}), ByTenant(RSUD, IGD), b"\3www\6contoh\7example\0", 1, MONDAY_10)
    assert found.client.paused_until_s == MONDAY_10 + 1_800
    told = next(finding for finding in found.findings if finding.rule_id == 1)
    assert told.outcome == "at rest: the agency or unit is let off for a while"


def test_no_edge_is_missed_by_a_schedule_that_never_opens() -> None:
    assert next_edge_s(calendar(Schedule(3, "x", "X"), ()), MONDAY_10) is None
