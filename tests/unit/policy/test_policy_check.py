"""check: every fault named with its field and the way out; a good policy has none."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from policy.check import Severity, check
from policy.model import (
    Action,
    Agency,
    AnswerKind,
    BlockAnswer,
    Category,
    Device,
    Forwarder,
    Holiday,
    Identification,
    ListInfo,
    Network,
    Pause,
    Period,
    Policy,
    Reading,
    Regency,
    Rule,
    Schedule,
    ScheduleOverride,
    Scope,
    ScopeKind,
    Service,
    Unit,
    Verdict,
    Window,
)
from tests.support.deciding import (
    IGD,
    IGD_SCOPE,
    MONDAY_10_S,
    REGENCY_SCOPE,
    RSUD,
    RSUD_SCOPE,
    ask,
    government,
    rule,
)

MORNING = Schedule(1, "pagi", "Pagi", windows=(Window((0,), 600, 660),))
OVERRIDE = "schedule override 1 of {}"
MAC = (Identification.MAC,)


def with_period(first: str, last: str, *windows: Window) -> Schedule:
    return Schedule(1, "p", "P", windows=MORNING.windows, periods=(Period("R", first, last, windows),))


def told(policy: Policy) -> list[tuple[str, str, str]]:
    return [(str(problem.severity), f"{problem.part} {problem.key}", problem.field) for problem in check(policy)]


def clean(**changes: Any) -> Policy:
    policy = government(lists=(ListInfo(1, "a", "A", (1,)),), schedules=(MORNING,))
    return replace(policy, **changes)


def test_a_good_policy_has_no_problems() -> None:
    good = clean(
        rules=(
            rule(1, RSUD_SCOPE, "category:media_sosial", schedule_id=1),
            rule(2, IGD_SCOPE, "regex:^ads", Action.ALLOW, exception=True, author="sari"),
            rule(3, REGENCY_SCOPE, "network:203.0.113.0/24"),
        ),
        schedules=(MORNING,),
        protected=("go.id",),
    )
    assert check(good) == []


@pytest.mark.parametrize(
    ("changes", "where", "field"),
    [
        ({"regency": Regency("R", zone="Mars/Olympus")}, "regency R", "zone"),
        ({"regency": Regency("R", answer=BlockAnswer(ttl_s=-1))}, "regency R", "answer.ttl_s"),
        ({"regency": Regency("R", answer=BlockAnswer(AnswerKind.PAGE))}, "regency R", "answer.address4"),
        (
            {"regency": Regency("R", answer=BlockAnswer(AnswerKind.PAGE, address4="::1"))},
            "regency R",
            "answer.address4",
        ),
        ({"regency": Regency("R", answer=BlockAnswer(AnswerKind.PAGE, address6="x"))}, "regency R", "answer.address6"),
        ({"regency": Regency("R", answer=BlockAnswer(AnswerKind.REDIRECT))}, "regency R", "answer.name"),
        ({"protected": ("a..b",)}, "protected a..b", "name"),
        ({"protected": (".",)}, "protected .", "name"),
        ({"units": (Unit(IGD, "igd", "I", 99),), "networks": ()}, "unit igd", "agency_id"),
        ({"networks": (Network("10.0.0.0/33", RSUD),)}, "network 10.0.0.0/33", "cidr"),
        ({"networks": (Network("10.0.0.0/8", 99),)}, "network 10.0.0.0/8", "agency_id"),
        ({"networks": (Network("10.0.0.0/8", 2, IGD),)}, "network 10.0.0.0/8", "unit_id"),
        ({"networks": (Network("10.0.0.0/8", RSUD), Network("10.0.0.0/8", 2))}, "network 10.0.0.0/8", "cidr"),
        (
            {"networks": (Network("::ffff:10.0.0.0/104", RSUD), Network("10.0.0.0/8", RSUD, IGD))},
            "network 10.0.0.0/8",
            "cidr",
        ),
        ({"lists": (ListInfo(1, "a", "A", (9,)),)}, "list a", "category_ids"),
        ({"lists": (ListInfo(1, "a", "A", (1,)), ListInfo(2, "a", "A", (1,)))}, "list a", "code"),
        ({"lists": (ListInfo(1, "a", "A", (1,)), ListInfo(1, "b", "A", (1,)))}, "list 1", "id"),
        ({"lists": (ListInfo(0, "a", "A", (1,)),)}, "list 0", "id"),
        ({"services": (Service(1, "s", "S", 9, ("a.b",)),)}, "service s", "category_id"),
        ({"services": (Service(1, "s", "S", 1, ("a..b",)),)}, "service s", "names"),
        (
            {"categories": (Category(1, "c", "C", answer=BlockAnswer(ttl_s=99_999)),), "services": ()},
            "category c",
            "answer.ttl_s",
        ),
        ({"schedules": (Schedule(1, "t", "T", "X/Y", (Window((0,), 0, 60),)),)}, "schedule t", "zone"),
        ({"schedules": (Schedule(1, "t", "T", windows=(Window((9,), 0, 60),)),)}, "schedule t", "windows[0]"),
        ({"holidays": (Holiday("17-08-2026", "H"),)}, "holiday H", "date"),
        ({"schedules": (with_period("2027-03-09", "2027-02-08"),)}, "schedule p", "periods[0]"),
        ({"schedules": (with_period("2027-02-08", "9 Maret"),)}, "schedule p", "periods[0]"),
        (
            {"schedules": (with_period("2027-02-08", "2027-03-09", Window((0,), 0, 2000)),)},
            "schedule p",
            "periods[0].windows[0]",
        ),
        ({"schedule_overrides": (ScheduleOverride(Scope(), 1, Reading.NEVER),)}, OVERRIDE.format("regency 0"), "scope"),
        (
            {"schedule_overrides": (ScheduleOverride(Scope(ScopeKind.UNIT, 9), 1, Reading.NEVER),)},
            OVERRIDE.format("unit 9"),
            "scope",
        ),
        (
            {"schedule_overrides": (ScheduleOverride(RSUD_SCOPE, 7, Reading.ALWAYS),)},
            "schedule override 7 of agency 1",
            "schedule_id",
        ),
        (
            {"schedule_overrides": (ScheduleOverride(RSUD_SCOPE, 1, Reading.SCHEDULE, 7),)},
            OVERRIDE.format("agency 1"),
            "other_id",
        ),
        (
            {"schedule_overrides": (ScheduleOverride(RSUD_SCOPE, 1, Reading.ALWAYS),) * 2},
            OVERRIDE.format("agency 1"),
            "schedule_id",
        ),
        ({"forwarders": (Forwarder(1, "10.1.0.1/33", "R", (RSUD,), MAC),)}, "forwarder 10.1.0.1/33", "cidr"),
        ({"forwarders": (Forwarder(1, "10.1.0.1", "R", (RSUD, 99), MAC),)}, "forwarder 10.1.0.1", "agency_ids"),
        (
            {"forwarders": (Forwarder(1, "10.1.0.1", "R", (1,), MAC), Forwarder(2, "10.1.0.1/32", "S", (2,), MAC))},
            "forwarder 10.1.0.1/32",
            "cidr",
        ),
        ({"devices": (Device(MAC[0], "02:00:5e:10:00:01", 99),)}, "device mac 02:00:5e:10:00:01", "agency_id"),
        ({"devices": (Device(MAC[0], "02:00:5e:10:00:01", 2, IGD),)}, "device mac 02:00:5e:10:00:01", "unit_id"),
        ({"devices": (Device(MAC[0], "02:00:5e:10:00:01", 1),) * 2}, "device mac 02:00:5e:10:00:01", "value"),
        ({"regency": Regency("R", admin_networks=("10.0.0.0/99",))}, "regency R", "admin_networks"),
        ({"pauses": (Pause(1, Scope(), 0, 300),)}, "pause 1", "scope"),
        ({"pauses": (Pause(1, IGD_SCOPE, 300, 300),)}, "pause 1", "until_s"),
        ({"pauses": (Pause(1, IGD_SCOPE, 0, 86_401),)}, "pause 1", "until_s"),
    ],
)
def test_errors_outside_rules(changes: dict[str, Any], where: str, field: str) -> None:
    assert told(clean(**changes)) == [("error", where, field)]


BASE = rule(1, RSUD_SCOPE, "name:a.example")


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (replace(BASE, scope=Scope(ScopeKind.AGENCY, 9)), "scope"),
        (replace(BASE, scope=Scope(ScopeKind.UNIT, 9)), "scope"),
        (replace(BASE, mandatory=True), "mandatory"),
        (rule(1, RSUD_SCOPE, "category:x"), "target (category)"),
        (rule(1, RSUD_SCOPE, "list:x"), "target (list)"),
        (rule(1, RSUD_SCOPE, "service:x"), "target (service)"),
        (rule(1, RSUD_SCOPE, "regex:(a"), "target (regex)"),
        (rule(1, RSUD_SCOPE, "regex:(?=a)"), "target (regex)"),
        (rule(1, RSUD_SCOPE, "network:x"), "target (network)"),
        (rule(1, RSUD_SCOPE, "name:a..b"), "target (name)"),
        (rule(1, RSUD_SCOPE, "wildcard:*."), "target (wildcard)"),
        (replace(BASE, schedule_id=9), "schedule_id"),
        (replace(BASE, valid_from_s=5, valid_until_s=5), "valid_until_s"),
        (replace(BASE, exception=True, author="sari", approver="sari"), "approver"),
        (rule(1, REGENCY_SCOPE, "name:a.example", exception=True, mandatory=True), "exception"),
        (replace(BASE, action=Action.REDIRECT), "answer"),
        (replace(BASE, action=Action.REDIRECT, answer=BlockAnswer()), "answer"),
        (replace(BASE, answer=BlockAnswer(AnswerKind.REDIRECT, name="a..b")), "answer.name"),
    ],
)
def test_errors_in_rules(bad: Rule, field: str) -> None:
    assert told(clean(rules=(bad,))) == [("error", "rule 1", field)]


@pytest.mark.parametrize(
    ("changes", "where", "field"),
    [
        ({"networks": (Network("10.1.0.5/16", RSUD),)}, "network 10.1.0.5/16", "cidr"),
        ({"networks": (Network("10.1.0.0/16", RSUD), Network("10.1.0.0/16", RSUD))}, "network 10.1.0.0/16", "cidr"),
        ({"networks": (Network("10.1.2.0/24", 2), Network("10.1.0.0/16", RSUD))}, "network 10.1.2.0/24", "cidr"),
        ({"lists": (ListInfo(1, "a", "A", ()),)}, "list a", "category_ids"),
        ({"services": (Service(1, "s", "S", 1, ()),)}, "service s", "names"),
        ({"schedules": (Schedule(1, "t", "T"),)}, "schedule t", "windows"),
        ({"rules": (replace(BASE, exception=True),)}, "rule 1", "approver"),
        ({"forwarders": (Forwarder(1, "10.1.0.1", "R", (), MAC),)}, "forwarder 10.1.0.1", "agency_ids"),
        ({"forwarders": (Forwarder(1, "10.1.0.1", "R", (RSUD,)),)}, "forwarder 10.1.0.1", "trusts"),
        ({"forwarders": (Forwarder(1, "10.1.0.0/16", "R", (RSUD,), MAC),)}, "forwarder 10.1.0.0/16", "cidr"),
        (
            {"schedule_overrides": (ScheduleOverride(RSUD_SCOPE, 1, Reading.SCHEDULE, 1),)},
            OVERRIDE.format("agency 1"),
            "other_id",
        ),
        (
            {"schedules": (replace(MORNING, periods=(Period("A", "2027-02-08", "2027-03-09"),) * 2),)},
            "schedule pagi",
            "periods[1]",
        ),
    ],
)
def test_warnings(changes: dict[str, Any], where: str, field: str) -> None:
    assert told(clean(**changes)) == [("warning", where, field)]


def test_a_unit_inside_its_agency_is_no_problem() -> None:
    assert check(clean()) == []


def test_a_problem_reads_as_one_line_with_the_way_out() -> None:
    (problem,) = check(clean(rules=(rule(1, RSUD_SCOPE, "regex:(a"),)))
    assert problem.severity is Severity.ERROR
    assert str(problem).startswith("error: rule 1, target (regex): '(a': missing )")
    assert "RE2's syntax" in str(problem)


def test_neither_inheritance_nor_readings_can_run_in_circles() -> None:
    others = {"agency_id", "unit_id", "parent_id"}
    assert not {field.name for field in fields(Agency)} & others, "an agency names nobody"
    assert {field.name for field in fields(Unit)} & others == {"agency_id"}
    evening = replace(MORNING, id=2, code="sore", windows=(Window((0,), 1080, 1140),))
    crossed = tuple(ScheduleOverride(RSUD_SCOPE, one, Reading.SCHEDULE, other) for one, other in ((1, 2), (2, 1)))
    policy = clean(
        rules=(rule(1, REGENCY_SCOPE, "name:a.example", schedule_id=1),),
        schedules=(MORNING, evening),
        schedule_overrides=crossed,
    )
    assert check(policy) == []
    monday_18_30_s = MONDAY_10_S + 8.5 * 3600
    assert ask(policy, "a.example", at_s=monday_18_30_s).verdict is Verdict.BLOCKED
    assert ask(policy, "a.example", at_s=MONDAY_10_S).verdict is Verdict.ALLOWED
