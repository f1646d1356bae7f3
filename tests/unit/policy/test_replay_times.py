"""Stretches of time between the edges of schedules, validities and pauses; alike ones are one state."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from policy.model import Pause, Schedule, Scope, ScopeKind, Window
from policy.prepare import prepare
from policy.replay_times import spans_of
from tests.support.deciding import REGENCY_SCOPE, government, rule

JAKARTA = ZoneInfo("Asia/Jakarta")
OFFICE = Schedule(1, "jam-kerja", "Jam kerja", "Asia/Jakarta", (Window((0, 1, 2, 3, 4), 480, 960),))
NIGHT = Schedule(2, "malam", "Malam", "Asia/Jakarta", (Window((0, 1, 2, 3, 4, 5, 6), 1320, 360),))


def s(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=JAKARTA).timestamp())


def test_a_week_of_office_hours_is_two_states_with_edges_to_the_second() -> None:
    prepared = prepare(government(rule(1, REGENCY_SCOPE, "name:a.example", schedule_id=1), schedules=(OFFICE,)))
    found = spans_of((prepared,), s("2026-11-23T00:00:30"), s("2026-11-30T00:00:00") + 0.5)
    assert len(found.spans) == 11
    assert len(found.instants) == 2
    assert [(one.from_s, one.until_s) for one in found.spans[:2]] == [
        (s("2026-11-23T00:00:30"), s("2026-11-23T08:00:00")),
        (s("2026-11-23T08:00:00"), s("2026-11-23T16:00:00")),
    ]
    assert [one.state for one in found.spans] == [0, 1] * 5 + [0]
    assert all(one.until_s == other.from_s for one, other in pairwise(found.spans))


def test_without_schedules_a_period_is_one_span() -> None:
    prepared = prepare(government(rule(1, REGENCY_SCOPE, "name:a.example"), schedules=(OFFICE,)))
    assert len(spans_of((prepared, prepared), 0.0, 1e9).spans) == 1


def test_edges_of_both_policies_and_of_validities_and_pauses_count() -> None:
    from_s, until_s = s("2026-11-23T00:00:00"), s("2026-11-24T00:00:00")
    first = prepare(government(rule(1, REGENCY_SCOPE, "name:a.example", schedule_id=1), schedules=(OFFICE, NIGHT)))
    bounded = rule(2, REGENCY_SCOPE, "name:a.example", valid_from_s=from_s + 60, valid_until_s=until_s + 60)
    pause = Pause(1, Scope(ScopeKind.AGENCY, 1), from_s + 120, from_s + 180)
    at_night = rule(1, REGENCY_SCOPE, "name:a.example", schedule_id=2)
    second = prepare(government(at_night, bounded, schedules=(OFFICE, NIGHT), pauses=(pause,)))
    found = spans_of((first, second), from_s, until_s)
    assert [one.from_s - from_s for one in found.spans] == [0, 60, 120, 180, 21_600, 28_800, 57_600, 79_200]
    assert found.spans[1].state == found.spans[3].state
