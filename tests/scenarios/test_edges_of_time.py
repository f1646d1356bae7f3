"""Whatever changes by itself changes on its second: no TTL reaches over it, and no cached answer outlives it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policy.model import (
    Action,
    Pause,
    Period,
    Policy,
    Reading,
    Rule,
    Schedule,
    ScheduleOverride,
    Scope,
    Target,
    TargetKind,
    Window,
)
from tests.support.fixtures_world import Worlds
from tests.support.world import HEALTH, MONDAY_10, SCHOOLS_CLIENT, agency, sample_policy

NAME = "www.bing.com"
ADDRESS = "198.51.100.1"
WEEKDAYS = (0, 1, 2, 3, 4)
OFFICE = Schedule(1, "kantor", "Jam kantor", windows=(Window(WEEKDAYS, 450, 600),))  # until 10:00
LATER = Schedule(2, "siang", "Siang", windows=(Window(WEEKDAYS, 600, 960),))  # from 10:00
NEVER = Schedule(3, "tutup", "Tutup")
RAMADAN = replace(OFFICE, periods=(Period("Ramadan", "2026-03-01", "2026-03-30", (Window(WEEKDAYS, 480, 600),)),))
EDGE = int(MONDAY_10)


def block(**more: object) -> Rule:
    return Rule(1, Scope(), Target(TargetKind.NAME, NAME), Action.BLOCK, **more)  # type: ignore[arg-type]


def filtered(**more: object) -> Rule:
    return Rule(1, Scope(), Target(TargetKind.SEARCH, "bing"), Action.SAFE_SEARCH, **more)  # type: ignore[arg-type]


def exception(**more: object) -> Rule:
    target = Target(TargetKind.NAME, NAME)
    return Rule(2, agency(HEALTH), target, Action.ALLOW, exception=True, approver="budi", **more)  # type: ignore[arg-type]


def reading(schedule_id: int) -> ScheduleOverride:
    return ScheduleOverride(agency(HEALTH), NEVER.id, Reading.SCHEDULE, schedule_id)


BARRED, OPEN, FILTERED = "NXDOMAIN", ADDRESS, "strict.bing.com"


@pytest.mark.parametrize(
    ("policy", "before", "after"),
    [
        (sample_policy(block(schedule_id=1), schedules=[OFFICE]), BARRED, OPEN),
        (sample_policy(block(schedule_id=2), schedules=[LATER]), OPEN, BARRED),
        (sample_policy(block(schedule_id=1), schedules=[RAMADAN]), BARRED, OPEN),
        (replace(sample_policy(block()), pauses=(Pause(1, agency(HEALTH), EDGE, EDGE + 1_800),)), BARRED, OPEN),
        (replace(sample_policy(block()), pauses=(Pause(1, agency(HEALTH), EDGE - 1_800, EDGE),)), OPEN, BARRED),
        (
            replace(
                sample_policy(block(schedule_id=3), schedules=[NEVER, LATER]), schedule_overrides=(reading(LATER.id),)
            ),
            OPEN,
            BARRED,
        ),
        (sample_policy(block(), exception(valid_until_s=EDGE)), OPEN, BARRED),
        (sample_policy(block(), exception(valid_from_s=EDGE)), BARRED, OPEN),
        (sample_policy(filtered(schedule_id=1), schedules=[OFFICE]), FILTERED, OPEN),
        (sample_policy(filtered(schedule_id=2), schedules=[LATER]), OPEN, FILTERED),
    ],
    ids=[
        "schedule closes", "schedule opens", "period", "pause begins", "pause ends", "reading", "exception ends",
        "exception begins", "safe search ends", "safe search begins",
    ],
)  # fmt: skip
def test_an_edge_is_exact_and_nothing_outlives_it(world: Worlds, policy: Policy, before: str, after: str) -> None:
    here = world(policy, now_s=EDGE - 7.5)
    here.upstream.zones[NAME] = [f"{NAME}. 300 IN A {ADDRESS}"]
    here.upstream.zones[FILTERED] = [f"{FILTERED}. 300 IN A 192.0.2.1"]
    for second in (-7.5, -0.001):
        here.now_s = EDGE + second
        said = here.ask(NAME)
        assert before in (said.rcode, *said.addresses)
        ttls = [int(line.split()[1]) for line in (*said.answer, *said.authority)]
        assert ttls
        assert max(ttls) == int(-second)
    here.now_s = EDGE
    said = here.ask(NAME)
    assert after in (said.rcode, *said.addresses)


def test_an_answer_that_waited_over_an_edge_is_remembered_by_nobody(world: Worlds) -> None:
    here = world(sample_policy(block(schedule_id=2), schedules=[LATER]), now_s=EDGE - 0.5)
    here.upstream.instant = False
    here.upstream.zones[NAME] = [f"{NAME}. 300 IN A {ADDRESS}"]
    assert here.ask_later(NAME) is None
    here.now_s = EDGE + 0.5
    here.upstream.land()
    assert here.heard(here.sent[0]).answer == (f"{NAME} 0 IN A {ADDRESS}",)
    assert here.ask(NAME).rcode == "NXDOMAIN"


def test_another_reading_keeps_its_own_edge(world: Worlds) -> None:
    policy = sample_policy(block(schedule_id=1), schedules=[OFFICE, LATER])
    override = ScheduleOverride(agency(HEALTH), OFFICE.id, Reading.SCHEDULE, LATER.id)
    here = world(replace(policy, schedule_overrides=(override,)), now_s=EDGE - 1)
    here.upstream.zones[NAME] = [f"{NAME}. 300 IN A {ADDRESS}"]
    told = [(here.ask(NAME).rcode, here.ask(NAME, host=SCHOOLS_CLIENT).rcode)]
    here.now_s = EDGE
    told.append((here.ask(NAME).rcode, here.ask(NAME, host=SCHOOLS_CLIENT).rcode))
    assert told == [("NOERROR", "NXDOMAIN"), ("NXDOMAIN", "NOERROR")]
