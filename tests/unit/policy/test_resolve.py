"""The policy at an instant: tenants, views, and until when it holds."""

from __future__ import annotations

import math
from dataclasses import replace
from ipaddress import ip_address

import pytest

from policy.model import Action, Network, Policy, Regency, Rule, Schedule, Scope, Unit, UnknownClients, Verdict, Window
from policy.prepare import prepare
from policy.resolve import Standing, at, resolve, standing
from policy.schedules import HORIZON_S
from tests.support.deciding import (
    DISDIK,
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

MORNING = Schedule(1, "pagi", "Pagi", "Asia/Jakarta", (Window((0,), 600, 660),))  # Mondays 10:00 to 11:00


def packed(text: str) -> bytes:
    return ip_address(text).packed


def test_the_longest_prefix_names_agency_and_unit() -> None:
    resolved = resolve(government(), MONDAY_10_S)
    found = {text: resolved.client(packed(text)) for text in ("10.1.1.7", "10.1.2.7", "10.2.0.1", "::ffff:10.1.1.7")}
    assert [(client.agency_id, client.unit_id) for client in found.values()] == [
        (RSUD, IGD),
        (RSUD, 0),
        (DISDIK, 0),
        (RSUD, IGD),
    ]
    assert all(client.admitted for client in found.values())


@pytest.mark.parametrize(
    ("unknown", "private", "public"),
    [
        (UnknownClients.REFUSE, False, False),
        (UnknownClients.PRIVATE_ONLY, True, False),
        (UnknownClients.REGENCY, True, True),
    ],
)
def test_unknown_clients(unknown: UnknownClients, private: bool, public: bool) -> None:
    resolved = resolve(government(regency=Regency("Contoh", unknown_clients=unknown)), 0)
    inside, outside = resolved.client(packed("192.168.1.1")), resolved.client(packed("203.0.113.1"))
    assert (inside.admitted, outside.admitted) == (private, public)
    assert (inside.agency_id, outside.agency_id) == (0, 0)
    assert inside.view is resolved.tenant(0).view


def test_an_address_of_another_size_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="octets"):
        resolve(government(), 0).client(b"")


def test_tenants_with_the_same_rules_in_force_share_one_view() -> None:
    resolved = resolve(government(rule(1, RSUD_SCOPE, "name:a.example")), MONDAY_10_S)
    rsud, igd, disdik = resolved.tenant(RSUD).view, resolved.tenant(RSUD, IGD).view, resolved.tenant(DISDIK).view
    assert rsud is igd
    assert disdik is resolved.tenant(0).view
    assert rsud is not disdik
    assert sorted(view.number for view in resolved.views) == [0, 1]


def test_a_unit_that_is_allow_list_only_has_a_view_of_its_own() -> None:
    resolved = resolve(government(units=(Unit(IGD, "igd", "I", RSUD, True),)), 0)
    assert resolved.tenant(RSUD, IGD).view is not resolved.tenant(RSUD).view


def test_views_part_and_meet_with_the_schedule() -> None:
    prepared = prepare(government(rule(1, RSUD_SCOPE, "name:a.example", schedule_id=1), schedules=[MORNING]))
    before, inside = at(prepared, MONDAY_10_S - 1), at(prepared, MONDAY_10_S)
    assert before.tenant(RSUD).view is before.tenant(0).view
    assert inside.tenant(RSUD).view is not inside.tenant(0).view


def test_valid_until_the_schedules_edge_and_the_decision_turns_there() -> None:
    policy = government(rule(1, RSUD_SCOPE, "name:a.example", schedule_id=1), schedules=[MORNING])
    before = resolve(policy, MONDAY_10_S - 0.25)
    assert before.valid_until_s == MONDAY_10_S
    assert ask(policy, "a.example", at_s=MONDAY_10_S - 0.25).verdict is Verdict.ALLOWED
    assert ask(policy, "a.example", at_s=before.valid_until_s).verdict is Verdict.BLOCKED
    inside = resolve(policy, MONDAY_10_S)
    assert inside.valid_until_s == MONDAY_10_S + 3600
    assert ask(policy, "a.example", at_s=inside.valid_until_s - 0.001).verdict is Verdict.BLOCKED
    assert ask(policy, "a.example", at_s=inside.valid_until_s).verdict is Verdict.ALLOWED


def test_valid_until_the_nearest_of_beginnings_ends_and_edges() -> None:
    base = MONDAY_10_S
    policy = government(
        rule(1, RSUD_SCOPE, "name:a.example", schedule_id=1),
        rule(2, RSUD_SCOPE, "name:b.example", valid_from_s=base + 50, valid_until_s=base + 90),
        rule(3, RSUD_SCOPE, "name:c.example", valid_until_s=base + 70),
        rule(4, RSUD_SCOPE, "name:d.example", valid_until_s=base - 5),
        rule(5, RSUD_SCOPE, "name:e.example", Action.ALLOW, exception=True, approver="", valid_until_s=base + 1),
        schedules=[MORNING],
    )
    instants = []
    at_s: float = base
    while at_s < base + 3600:
        at_s = resolve(policy, at_s).valid_until_s
        instants.append(at_s - base)
    assert instants == [50, 70, 90, 3600]


def test_without_anything_that_changes_it_holds_for_ever() -> None:
    assert resolve(government(), 0).valid_until_s == math.inf


def test_a_schedule_without_an_edge_in_sight_is_looked_at_again() -> None:
    always = Schedule(1, "selalu", "Selalu", windows=(Window(tuple(range(7)), 0, 1440),))
    policy = government(rule(1, RSUD_SCOPE, "name:a.example", schedule_id=1), schedules=[always])
    assert resolve(policy, 1000.5).valid_until_s == 1000 + HORIZON_S


def test_standing_of_a_rule() -> None:
    base = rule(1, IGD_SCOPE, "name:a.example")
    assert standing(base, None, 5) is Standing.IN_FORCE
    assert standing(replace(base, valid_from_s=6), None, 5) is Standing.NOT_YET
    assert standing(replace(base, valid_until_s=5), None, 5) is Standing.EXPIRED
    assert standing(replace(base, valid_until_s=5), None, 4.999) is Standing.IN_FORCE
    assert standing(replace(base, exception=True), None, 5) is Standing.UNAPPROVED


def test_what_cannot_be_used_is_left_out_and_named() -> None:
    policy = government(
        rule(1, REGENCY_SCOPE, "regex:("),
        rule(2, REGENCY_SCOPE, "network:10.0.0.0/99"),
        rule(3, REGENCY_SCOPE, "category:x"),
        rule(4, REGENCY_SCOPE, "name:a..b"),
        rule(5, Scope(RSUD_SCOPE.kind, 99), "name:a.b"),
        rule(6, REGENCY_SCOPE, "name:a.b", schedule_id=9),
        rule(7, REGENCY_SCOPE, "list:x"),
        rule(8, REGENCY_SCOPE, "service:x"),
        rule(9, Scope(IGD_SCOPE.kind, 99), "name:a.b"),
        rule(10, REGENCY_SCOPE, "name:baik.example"),
        protected=["a..b"],
        networks=(Network("10.1.0.0/16", 99), Network("x", RSUD), Network("10.9.0.0/16", DISDIK)),
        schedules=[Schedule(2, "rusak", "R", "Mars/Olympus")],
    )
    resolved = resolve(policy, 0)
    assert {fault.where for fault in resolved.skipped} == {
        *(f"rule {number}" for number in range(1, 10)),
        "protected name a..b",
        "network 10.1.0.0/16",
        "network x",
        "schedule rusak",
    }
    assert ask(policy, "baik.example").rule_id == 10
    assert resolved.client(packed("10.9.0.1")).agency_id == DISDIK


def test_an_unknown_tenant_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        resolve(government(), 0).tenant(77)


def test_an_empty_policy_allows_everything() -> None:
    policy = Policy(Regency("Kosong"))
    assert ask(policy, "a.example", agency=0, unit=0).verdict is Verdict.ALLOWED


def test_rules_keep_their_places_in_a_shared_name_table() -> None:
    rules: list[Rule] = [rule(1, RSUD_SCOPE, "wildcard:example"), rule(2, IGD_SCOPE, "name:example", Action.ALLOW)]
    policy = government(*rules)
    assert ask(policy, "example", agency=DISDIK, unit=0).verdict is Verdict.ALLOWED
    assert ask(policy, "example").rule_id == 2
    assert ask(policy, "example", unit=0).rule_id == 1
