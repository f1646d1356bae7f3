"""review: rules that can never win, rules against what must work, contradictions, letters that are missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policy.letters import LetterFor, LettersRequired
from policy.model import (
    Action,
    Agency,
    AnswerKind,
    Basis,
    BlockAnswer,
    Category,
    Device,
    Identification,
    ListInfo,
    Pause,
    Period,
    Policy,
    Reading,
    Rule,
    Schedule,
    ScheduleOverride,
    Scope,
    ScopeKind,
    Service,
    Unit,
    Window,
)
from policy.problems import Part, Problem, Severity
from policy.review import Surroundings, review
from policy.surroundings import OwnName
from tests.support.deciding import IGD_SCOPE, MONDAY_10_S, REGENCY_SCOPE, RSUD, RSUD_SCOPE, government, rule

ALLOW, OBSERVE = Action.ALLOW, Action.OBSERVE
OFFICE = Schedule(1, "kantor", "Kantor", windows=(Window((0, 1, 2, 3, 4), 450, 960),))
NEVER = Schedule(2, "tidak", "Tidak pernah")
NIGHT = Schedule(3, "malam", "Malam", windows=(Window((0, 1, 2, 3, 4, 5, 6), 1320, 300),))
NOON = Schedule(4, "siang", "Siang", windows=(Window((0, 1, 2, 3, 4), 720, 780),))
SCHEDULES = (OFFICE, NEVER, NIGHT, NOON)
NOW = Surroundings(now_s=MONDAY_10_S)
DAY_S = 86_400
ELSEWHERE = BlockAnswer(AnswerKind.REDIRECT, name="info.example")


def told(policy: Policy, around: Surroundings = NOW) -> list[Problem]:
    """What is said of rules; the sample's list and schedule that are good for nothing stay out."""
    found = review(replace(policy, schedules=policy.schedules or SCHEDULES), around)
    return [problem for problem in found if problem.part is Part.RULE]


def only(policy: Policy, around: Surroundings = NOW) -> Problem:
    (problem,) = told(policy, around)
    return problem


MANDATORY = rule(1, REGENCY_SCOPE, "wildcard:x.example", mandatory=True)


@pytest.mark.parametrize(
    ("first", "second", "because"),
    [
        (MANDATORY, rule(2, IGD_SCOPE, "name:www.x.example", ALLOW), "mandatory rules go before unit rules"),
        (MANDATORY, rule(2, RSUD_SCOPE, "name:x.example", ALLOW, exception=True), "go before exceptions"),
        (replace(MANDATORY, action=ALLOW), rule(2, REGENCY_SCOPE, "wildcard:a.x.example"), "go before regency rules"),
        (
            rule(1, RSUD_SCOPE, "wildcard:x.example", ALLOW, exception=True),
            rule(2, IGD_SCOPE, "name:x.example"),
            "exceptions go before unit rules",
        ),
        (
            rule(1, REGENCY_SCOPE, "service:tiktok", ALLOW, exception=True),
            rule(2, RSUD_SCOPE, "wildcard:v.tiktok.com"),
            "exceptions go before agency rules",
        ),
        (
            rule(1, RSUD_SCOPE, "category:media_sosial", important=True),
            rule(2, RSUD_SCOPE, "service:tiktok", ALLOW),
            "it is important",
        ),
        (
            rule(1, RSUD_SCOPE, "regex:^iklan", ALLOW),
            rule(2, RSUD_SCOPE, "name:iklan.x.example"),
            "in one layer an allow goes before the rest",
        ),
        (
            rule(1, RSUD_SCOPE, "category:perjudian", ALLOW),
            rule(2, RSUD_SCOPE, "list:judi"),
            "in one layer an allow goes before the rest",
        ),
        (
            rule(1, RSUD_SCOPE, "network:203.0.113.0/24", ALLOW),
            rule(2, RSUD_SCOPE, "network:203.0.113.128/25"),
            "in one layer an allow goes before the rest",
        ),
        (rule(1, RSUD_SCOPE, "name:x.example"), rule(2, RSUD_SCOPE, "name:X.Example."), "the older one goes first"),
        (
            rule(1, RSUD_SCOPE, "search:all", Action.SAFE_SEARCH),
            rule(2, RSUD_SCOPE, "search:bing", Action.SAFE_SEARCH),
            "the older one goes first",
        ),
        (
            rule(1, RSUD_SCOPE, "wildcard:x.example"),
            rule(2, RSUD_SCOPE, "name:a.x.example", OBSERVE),
            "it bars what this one would count",
        ),
        (
            rule(1, RSUD_SCOPE, "wildcard:bing.com"),
            rule(2, RSUD_SCOPE, "search:bing", Action.SAFE_SEARCH),
            "it bars what this one would filter",
        ),
        (
            rule(1, REGENCY_SCOPE, "search:all", Action.SAFE_SEARCH, mandatory=True),
            rule(2, RSUD_SCOPE, "search:youtube-moderate", Action.SAFE_SEARCH),
            "mandatory rules go before agency rules",
        ),
        (
            rule(1, RSUD_SCOPE, "search:all", ALLOW),
            rule(2, RSUD_SCOPE, "search:youtube-moderate", Action.SAFE_SEARCH),
            "in one layer an allow goes before the rest",
        ),
        (rule(1, REGENCY_SCOPE, "bypass:ech", ALLOW), rule(2, REGENCY_SCOPE, "bypass:ech"), "allow goes before"),
    ],
)
def test_a_rule_that_is_always_outvoted_names_the_one_that_wins(first: Rule, second: Rule, because: str) -> None:
    problem = only(government(first, second))
    assert (problem.severity, problem.key) == (Severity.WARNING, "2")
    assert problem.message.startswith("it can never win: rule 1 always wins, for ")
    assert because in problem.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (rule(1, RSUD_SCOPE, "wildcard:x.example"), rule(2, RSUD_SCOPE, "name:a.x.example")),
        (rule(1, RSUD_SCOPE, "category:media_sosial"), rule(2, RSUD_SCOPE, "service:tiktok")),
        (rule(1, IGD_SCOPE, "name:x.example", important=True), rule(2, RSUD_SCOPE, "name:x.example", ALLOW)),
        (rule(1, RSUD_SCOPE, "name:x.example", ALLOW, exception=True), rule(2, REGENCY_SCOPE, "name:x.example")),
        (replace(MANDATORY, schedule_id=1), rule(2, IGD_SCOPE, "name:x.example", schedule_id=3)),
        (replace(MANDATORY, valid_until_s=MONDAY_10_S + 5), rule(2, IGD_SCOPE, "name:x.example")),
        (replace(MANDATORY, action=OBSERVE), rule(2, IGD_SCOPE, "name:x.example")),
        (rule(1, RSUD_SCOPE, "search:bing", Action.SAFE_SEARCH), rule(2, RSUD_SCOPE, "name:www.bing.com", OBSERVE)),
        (rule(1, RSUD_SCOPE, "search:bing", Action.SAFE_SEARCH), rule(2, REGENCY_SCOPE, "name:www.bing.com")),
        (rule(1, RSUD_SCOPE, "name:www.bing.com"), rule(2, RSUD_SCOPE, "search:bing", Action.SAFE_SEARCH)),
        (
            rule(1, RSUD_SCOPE, "wildcard:bing.com"),
            rule(2, RSUD_SCOPE, "search:bing", Action.SAFE_SEARCH, important=True),
        ),
        (MANDATORY, rule(2, IGD_SCOPE, "regex:x.example$", ALLOW)),
    ],
)
def test_a_rule_that_wins_for_somebody_at_some_time_is_not_reported(first: Rule, second: Rule) -> None:
    assert told(government(first, second)) == []


def test_with_the_same_validity_or_schedule_the_stronger_still_always_wins() -> None:
    bounds: dict[str, Any] = {"valid_from_s": MONDAY_10_S - 5, "valid_until_s": MONDAY_10_S + 100_000, "schedule_id": 1}
    narrower = bounds | {"valid_until_s": MONDAY_10_S + 50_000}
    strong, weak = replace(MANDATORY, **bounds), rule(2, IGD_SCOPE, "name:x.example", ALLOW, **narrower)
    assert only(government(strong, weak)).key == "2"
    begun = replace(MANDATORY, valid_from_s=MONDAY_10_S - 5)
    assert only(government(begun, rule(2, IGD_SCOPE, "name:x.example"))).key == "2"
    assert told(government(begun, rule(2, IGD_SCOPE, "name:x.example")), Surroundings()) == []


def test_while_somebody_is_let_off_an_allow_may_win_all_the_same() -> None:
    rules = (rule(1, RSUD_SCOPE, "name:x.example", important=True), rule(2, RSUD_SCOPE, "name:x.example", ALLOW))
    pause = Pause(1, IGD_SCOPE, int(MONDAY_10_S), int(MONDAY_10_S) + 300)
    assert only(government(*rules)).key == "2"
    found = told(government(*rules, pauses=(pause,)))
    assert ["never" in problem.message for problem in found] == [False]
    assert only(government(*rules, pauses=(pause,)), Surroundings(now_s=MONDAY_10_S + 300)).key == "2"


def test_a_list_that_only_observes_outvotes_nobody() -> None:
    observed = (ListInfo(1, "judi", "J", (1,), observe=True), ListInfo(2, "sosial", "S", (2,)))
    rules = (
        rule(1, RSUD_SCOPE, "category:perjudian", important=True),
        rule(2, RSUD_SCOPE, "list:judi"),
        rule(3, RSUD_SCOPE, "list:sosial"),
    )
    assert told(government(*rules, lists=observed)) == []


def lonely(*rules: Rule, **changes: Any) -> Policy:
    """With an agency and a unit that nobody is a client of, a service without names, a category of nothing."""
    base = government(*rules)
    return replace(
        base,
        agencies=(*base.agencies, Agency(9, "baru", "Baru")),
        units=(*base.units, Unit(9, "kosong", "Kosong", RSUD)),
        services=(*base.services, Service(9, "hampa", "Hampa", 2, ())),
        categories=(*base.categories, Category(9, "lain", "Lain")),
        **changes,
    )


@pytest.mark.parametrize(
    ("bad", "field", "because"),
    [
        (rule(1, RSUD_SCOPE, "name:x.example", valid_until_s=MONDAY_10_S), "valid_until_s", "it ended on 2026-03-02"),
        (rule(1, RSUD_SCOPE, "name:x.example", schedule_id=2), "schedule_id", "schedule tidak is never open"),
        (
            rule(
                1,
                RSUD_SCOPE,
                "name:x.example",
                schedule_id=1,
                valid_from_s=MONDAY_10_S + 4 * DAY_S + DAY_S // 2,
                valid_until_s=MONDAY_10_S + 6 * DAY_S,
            ),
            "valid_until_s",
            "is not open once while it is valid",
        ),
        (rule(1, Scope(ScopeKind.AGENCY, 9), "name:x.example"), "scope", "agency baru has no network and no device"),
        (rule(1, Scope(ScopeKind.UNIT, 9), "name:x.example"), "scope", "unit kosong has no network"),
        (rule(1, RSUD_SCOPE, "service:hampa"), "target (service)", "service hampa has no names"),
        (rule(1, RSUD_SCOPE, "category:lain"), "target (category)", "no list feeds category lain"),
    ],
)
def test_a_rule_that_is_never_in_force_or_speaks_of_nothing(bad: Rule, field: str, because: str) -> None:
    problem = only(lonely(bad))
    assert problem.field == field
    assert because in problem.message


def test_who_reads_a_schedule_otherwise_may_open_or_close_it() -> None:
    bad = rule(1, RSUD_SCOPE, "name:x.example", schedule_id=2)
    for reading, other, told_of in (
        (Reading.ALWAYS, 0, False),
        (Reading.SCHEDULE, 1, False),
        (Reading.SCHEDULE, 2, True),
        (Reading.NEVER, 0, True),
    ):
        override = ScheduleOverride(IGD_SCOPE, 2, reading, other)
        assert bool(told(government(bad, schedule_overrides=(override,)))) is told_of, reading
    never = (ScheduleOverride(RSUD_SCOPE, 1, Reading.NEVER),)
    closed = only(government(rule(1, RSUD_SCOPE, "name:x.example", schedule_id=1), schedule_overrides=never))
    assert "never open for anybody" in closed.message
    past = Schedule(2, "lalu", "Lalu", periods=(Period("R", "2025-03-01", "2025-03-30", OFFICE.windows),))
    assert only(government(bad, schedules=(OFFICE, past))).field == "schedule_id"
    assert told(government(bad, schedules=(OFFICE, past)), Surroundings()) == []


def test_a_device_makes_somebody_a_client() -> None:
    bad = rule(1, Scope(ScopeKind.UNIT, 9), "name:x.example")
    device = Device(Identification.MAC, "02:00:5e:10:00:01", RSUD, 9)
    assert told(lonely(bad, devices=(device,))) == []


def test_lists_that_say_nothing_at_present() -> None:
    around = replace(NOW, silent_lists={"judi": "has no entries", "trustpositif": "was never fetched"})
    by_list = only(government(rule(1, RSUD_SCOPE, "list:judi", ALLOW)), around)
    assert by_list.message == "it can never win: list judi has no entries"
    by_category = only(government(rule(1, RSUD_SCOPE, "category:perjudian", ALLOW)), around)
    assert "trustpositif was never fetched, judi has no entries" in by_category.message
    assert told(government(rule(1, RSUD_SCOPE, "category:media_sosial")), around) == []


def test_rules_behind_a_protected_name() -> None:
    block = rule(1, RSUD_SCOPE, "wildcard:sub.go.id")
    problem = only(government(block, protected=("go.id",)))
    assert (problem.severity, problem.message) == (
        Severity.WARNING,
        "it can never win: go.id is protected, and protected names go before rules of its layer",
    )
    harmless = only(government(replace(block, action=ALLOW), protected=("go.id",)))
    assert (harmless.severity, "let through anyway" in harmless.message) == (Severity.NOTE, True)
    assert only(government(rule(1, RSUD_SCOPE, "service:tiktok"), protected=("com",))).key == "1"
    assert told(government(rule(1, RSUD_SCOPE, "service:tiktok"), protected=("tiktok.com",))) == []
    assert told(government(rule(1, RSUD_SCOPE, "wildcard:id"), protected=("go.id",))) == []


OWN = (OwnName("bank.example", "a name that must resolve"), OwnName("saring.kab.example", "the admin API's name"))


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (rule(1, REGENCY_SCOPE, "name:a.go.id", mandatory=True), "go.id (a protected name)"),
        (rule(1, REGENCY_SCOPE, "wildcard:*.id", mandatory=True), "go.id (a protected name)"),
        (rule(1, RSUD_SCOPE, "regex:^go\\.", exception=True), "go.id (a protected name)"),
        (rule(1, REGENCY_SCOPE, "service:tiktok", mandatory=True), "tiktok.com (a protected name)"),
        (rule(1, REGENCY_SCOPE, "category:media_sosial", mandatory=True), "tiktok.com (a protected name)"),
        (rule(1, IGD_SCOPE, "name:BANK.example"), "bank.example (a name that must resolve)"),
        (rule(1, RSUD_SCOPE, "wildcard:kab.example"), "saring.kab.example (the admin API's name)"),
        (rule(1, REGENCY_SCOPE, "name:whoami.saring"), "saring (Saring's own zone"),
        (
            rule(
                1, RSUD_SCOPE, "name:bank.example", Action.REDIRECT, answer=BlockAnswer(AnswerKind.REDIRECT, name="a")
            ),
            "bank.example",
        ),
    ],
)
def test_what_must_work_is_not_blocked(bad: Rule, named: str) -> None:
    policy = government(bad, protected=("go.id", "tiktok.com"))
    problem = next(one for one in told(policy, replace(NOW, own_names=OWN)) if one.severity is Severity.HARM)
    assert named in problem.message
    assert problem.remedy
    assert "target" in problem.field


@pytest.mark.parametrize("target", ["wildcard:x.bank.example", "name:bank2.example", "regex:^bank$", "name:go.id.x"])
def test_what_only_looks_like_it_may_be_blocked(target: str) -> None:
    policy = government(rule(1, REGENCY_SCOPE, target, mandatory=True), protected=("go.id",))
    assert told(policy, replace(NOW, own_names=OWN)) == []
    assert told(government(rule(1, RSUD_SCOPE, "name:bank.example", ALLOW)), replace(NOW, own_names=OWN)) == []


def test_a_contradiction_for_a_part_of_the_time() -> None:
    block = rule(1, RSUD_SCOPE, "category:media_sosial")
    allow = rule(2, RSUD_SCOPE, "category:media_sosial", ALLOW, schedule_id=4)
    note = only(government(block, allow))
    assert (note.severity, note.key) == (Severity.NOTE, "1")
    assert "rule 2 says the opposite" in note.message
    both = only(government(replace(block, schedule_id=1), allow))
    assert (both.severity, both.key) == (Severity.WARNING, "1")
    apart = government(replace(block, schedule_id=3), allow)
    assert told(apart) == []
    important = only(government(replace(block, schedule_id=1, important=True), allow))
    assert (important.key, "it is important" in important.message) == ("2", True)
    later = government(replace(block, valid_until_s=MONDAY_10_S + 9), replace(allow, valid_from_s=MONDAY_10_S + 9))
    assert told(later) == []
    other_scope = government(block, replace(allow, scope=IGD_SCOPE))
    assert told(other_scope) == []


def test_schedules_meet_over_midnight_and_the_weeks_end_and_in_periods() -> None:
    def clash(first: Schedule, second: Schedule) -> bool:
        rules = (
            rule(1, RSUD_SCOPE, "name:x.example", schedule_id=11),
            rule(2, RSUD_SCOPE, "name:x.example", ALLOW, schedule_id=12),
        )
        return bool(told(government(*rules, schedules=(first, second))))

    def at(number: int, *windows: Window, zone: str = "Asia/Jakarta", **more: Any) -> Schedule:
        return Schedule(number, f"s{number}", "S", zone, windows, **more)

    sunday_night, monday_early = Window((6,), 1380, 120), Window((0,), 60, 90)
    assert clash(at(11, sunday_night), at(12, monday_early))
    assert not clash(at(11, sunday_night), at(12, Window((0,), 120, 180)))
    assert clash(at(11, sunday_night), at(12, Window((0,), 120, 180), zone="Asia/Jayapura"))
    period = Period("R", "2026-05-01", "2026-05-30", (monday_early,))
    assert clash(at(11, sunday_night), at(12, Window((2,), 600, 700), periods=(period,)))


@pytest.mark.parametrize(
    ("kind", "plain", "told_of"),
    [
        (LetterFor.ALL, rule(1, RSUD_SCOPE, "name:x.example", OBSERVE), True),
        (LetterFor.MANDATORY, rule(1, REGENCY_SCOPE, "name:x.example", mandatory=True), True),
        (LetterFor.MANDATORY, rule(1, REGENCY_SCOPE, "name:x.example"), False),
        (LetterFor.BLOCK, rule(1, RSUD_SCOPE, "name:x.example"), True),
        (LetterFor.BLOCK, rule(1, RSUD_SCOPE, "search:bing", Action.SAFE_SEARCH), True),
        (LetterFor.BLOCK, rule(1, RSUD_SCOPE, "name:x.example", ALLOW), False),
        (LetterFor.ALLOW, rule(1, RSUD_SCOPE, "name:x.example", ALLOW), True),
        (LetterFor.EXCEPTION, rule(1, RSUD_SCOPE, "name:x.example", ALLOW, exception=True), True),
        (LetterFor.EXCEPTION, rule(1, RSUD_SCOPE, "name:x.example", ALLOW), False),
    ],
)
def test_rules_without_the_letter_that_is_demanded(kind: LetterFor, plain: Rule, told_of: bool) -> None:
    around = replace(NOW, letters=LettersRequired(frozenset({kind})))
    found = told(government(plain), around)
    assert [problem.field for problem in found] == (["basis"] if told_of else [])
    signed = replace(plain, basis=Basis("800/1", "2026-01-05", "Bupati"))
    assert told(government(signed), around) == []
    strict = replace(NOW, letters=LettersRequired(frozenset({kind}), with_document=True))
    assert bool(told(government(signed), strict)) is told_of


def test_what_is_sound_and_useful_is_passed_over_in_silence() -> None:
    policy = government(
        rule(1, REGENCY_SCOPE, "category:media_sosial", schedule_id=1),
        rule(2, IGD_SCOPE, "service:tiktok", ALLOW, schedule_id=1),
        rule(3, RSUD_SCOPE, "category:perjudian", ALLOW, exception=True, valid_until_s=MONDAY_10_S + 900),
        rule(4, REGENCY_SCOPE, "bypass:canary", mandatory=True),
        rule(5, REGENCY_SCOPE, "search:all", Action.SAFE_SEARCH),
        protected=("go.id",),
    )
    assert told(policy, replace(NOW, own_names=OWN)) == []
