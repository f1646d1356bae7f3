"""Explanations: every match, why it lost, and the facts around it."""

from __future__ import annotations

from ipaddress import ip_address

import msgspec
import pytest

from dnswire import name as wire
from policy.explain import ByAddress, ByTenant, Explanation, Who, explain
from policy.model import Action, Basis, Layer, Policy, Regency, Schedule, UnknownClients, Verdict, Window
from tests.support.deciding import (
    IGD,
    IGD_SCOPE,
    MONDAY_10_S,
    NATIONAL,
    PRIVATE,
    PURE_ALLOW,
    REGENCY_SCOPE,
    RSUD,
    RSUD_SCOPE,
    SOCIAL_LIST,
    government,
    rule,
)
from tests.support.plain_index import PlainIndex

WWW = "www.contoh.example"
IGD_CLIENT = ByTenant(RSUD, IGD)
OFFICE = Schedule(1, "jam-kerja", "Jam kerja", "Asia/Jakarta", (Window((0, 1, 2, 3, 4), 450, 960),))


def why(
    policy: Policy,
    name: str = WWW,
    lists: dict[int, list[str]] | None = None,
    who: Who = IGD_CLIENT,
    at_s: float = MONDAY_10_S,
) -> Explanation:
    return explain(policy, PlainIndex(lists or {}), who, wire.from_text(name), 1, at_s)


def outcomes(explanation: Explanation) -> dict[str, str]:
    return {finding.source: finding.outcome for finding in explanation.findings}


def test_tells_the_winner_and_why_each_other_lost() -> None:
    policy = government(
        rule(1, REGENCY_SCOPE, "wildcard:example", title="Semua"),
        rule(
            2,
            IGD_SCOPE,
            "name:" + WWW,
            Action.ALLOW,
            title="Perlu",
            basis=Basis("7/A", "2026-01-01", "Direktur", "n"),
            author="sari",
        ),
        rule(3, IGD_SCOPE, "wildcard:contoh.example", Action.ALLOW),
        rule(4, IGD_SCOPE, "name:" + WWW),
    )
    explanation = why(policy, "WWW.contoh.example", {NATIONAL: ["*.contoh.example"]})
    assert outcomes(explanation) == {
        "rule 2 of unit igd": "decides: lets the name through",
        "rule 3 of unit igd": "loses to rule 2: the longer name goes first",
        "rule 4 of unit igd": "loses to rule 2: allow goes before block",
        "rule 1 of the regency": "loses to rule 2: unit rules come before regency rules",
        "list trustpositif": "loses to rule 2: unit rules come before lists",
        "default": "loses to rule 2: unit rules come before default",
    }
    winner = explanation.findings[0]
    assert winner.letter is not None
    assert (winner.letter.number, winner.letter.signer, winner.letter.author) == ("7/A", "Direktur", "sari")
    assert winner.inheritance == "own"
    assert explanation.findings[3].inheritance == "inherited from the regency"
    listed = explanation.findings[4]
    assert (listed.list_code, listed.list_version, listed.national, listed.matched) == (
        "trustpositif",
        "v7",
        True,
        "contoh.example",
    )
    assert explanation.decision.verdict is Verdict.ALLOWED
    assert explanation.decision.response == "what the upstream answers"


def test_tells_the_client_and_the_answer_it_gets() -> None:
    explanation = why(government(), lists={NATIONAL: [WWW]}, who=ByAddress(ip_address("10.1.1.9").packed))
    client = explanation.client
    assert (client.address, client.network, client.agency, client.unit) == ("10.1.1.9", "10.1.1.0/24", "rsud", "igd")
    assert client.path == ("unit igd", "agency rsud", "regency Contoh")
    assert explanation.at == "2026-03-02T10:00:00+07:00"
    assert explanation.valid_until_s is None
    assert explanation.decision.response == 'NXDOMAIN, TTL 60 s, EDE 16 "Diblokir: perjudian (TrustPositif)"'


def test_tells_the_state_of_schedules_open_and_closed() -> None:
    policy = government(rule(1, RSUD_SCOPE, "service:tiktok", schedule_id=1), schedules=[OFFICE])
    inside = why(policy, "tiktok.com")
    assert inside.findings[0].wins
    assert inside.findings[0].schedule is not None
    assert inside.findings[0].schedule.state == "open until 2026-03-02 16:00:00 WIB"
    assert inside.findings[0].inheritance == "inherited from agency rsud"
    outside = why(policy, "tiktok.com", at_s=MONDAY_10_S + 7 * 3600)
    assert outcomes(outside)["rule 1 of agency rsud"] == "not in force: outside its schedule"
    state = next(finding.schedule for finding in outside.findings if finding.rule_id == 1)
    assert state is not None
    assert (state.open, state.state) == (False, "closed, opens 2026-03-03 07:30:00 WIB")


def test_rules_that_are_not_in_force_say_why_and_those_of_others_are_silent() -> None:
    policy = government(
        rule(1, RSUD_SCOPE, "name:" + WWW, Action.ALLOW, exception=True, approver=""),
        rule(2, RSUD_SCOPE, "name:" + WWW, valid_from_s=MONDAY_10_S + 1),
        rule(3, REGENCY_SCOPE, "name:" + WWW, valid_until_s=MONDAY_10_S),
        rule(4, RSUD_SCOPE, "name:lain.example", valid_until_s=1),
    )
    found = outcomes(why(policy))
    assert found["rule 1 of agency rsud"] == "not in force: nobody approved it"
    assert found["rule 2 of agency rsud"] == "not in force: its validity has not begun"
    assert found["rule 3 of the regency"] == "not in force: its validity has ended"
    assert "rule 4 of agency rsud" not in found
    assert not any("rule" in source for source in outcomes(why(policy, who=ByTenant(2))) if "regency" not in source)


def test_observing_rules_are_counted_or_say_why_not() -> None:
    observe = rule(1, IGD_SCOPE, "name:" + WWW, Action.OBSERVE)
    second = rule(2, RSUD_SCOPE, "name:" + WWW, Action.OBSERVE)
    through = why(government(observe, second))
    assert through.decision.verdict is Verdict.OBSERVED
    assert [finding.counted for finding in through.findings] == [True, False, False]
    assert outcomes(through)["rule 1 of unit igd"] == "counted: it would have barred the name"
    assert "the observing rule before it is counted" in outcomes(through)["rule 2 of agency rsud"]
    barred = why(government(observe), lists={PRIVATE: [WWW]})
    assert outcomes(barred)["rule 1 of unit igd"] == "not counted: a list bars the name"
    allowed = why(government(second, rule(3, IGD_SCOPE, "name:" + WWW, Action.ALLOW)))
    assert "rule 3 would have let the name through" in outcomes(allowed)["rule 2 of agency rsud"]


def test_exceptions_lose_to_the_nearer_scope() -> None:
    policy = government(
        rule(1, IGD_SCOPE, "name:" + WWW, Action.ALLOW, exception=True),
        rule(2, RSUD_SCOPE, "name:" + WWW, exception=True),
    )
    assert outcomes(why(policy))["rule 2 of agency rsud"].endswith(
        "exceptions of the unit come before those of the agency"
    )


def test_entries_without_a_say_tell_why() -> None:
    social = why(government(), "tiktok.com", {SOCIAL_LIST: ["tiktok.com"], 99: ["tiktok.com"]})
    assert "a rule would have to ask for them" in outcomes(social)["list sosial"]
    assert "a rule would have to ask for it" in outcomes(social)["service tiktok"]
    assert outcomes(social)["list #99"] == "has no say: the policy does not know this list"
    protected = why(government(protected=["example"]), lists={NATIONAL: [WWW]})
    assert protected.findings[0].source == "protected name"
    assert outcomes(protected)["list trustpositif"] == "has no say: example is protected from downloaded lists"
    own = why(government(), lists={NATIONAL: [WWW, "@@example"]})
    assert [finding.outcome for finding in own.findings if finding.list_code == "trustpositif"] == [
        "decides: lets the name through",
        "has no say: an allow entry of the same list takes the name off it",
    ]
    conditional = why(government(), lists={SOCIAL_LIST: ["@@example"], PURE_ALLOW: ["@@example"]})
    assert "none of the list's categories is negative" in outcomes(conditional)["list sosial"]
    assert outcomes(conditional)["list izin"] == "decides: lets the name through"


def test_a_stranger_is_refused_whatever_the_name() -> None:
    policy = government(regency=Regency("Contoh", unknown_clients=UnknownClients.REFUSE))
    explanation = why(policy, who=ByAddress(ip_address("203.0.113.9").packed))
    assert not explanation.client.admitted
    assert (explanation.decision.verdict, explanation.decision.layer) == (Verdict.REFUSED, Layer.NONE)
    assert explanation.decision.response.startswith("REFUSED")


def test_the_default_of_an_allow_list_only_scope_is_told() -> None:
    explanation = why(government(regency=Regency("Contoh", allow_list_only=True)))
    assert explanation.findings[0].source == "default: regency is allow-list-only"
    assert explanation.client.allow_list_only == "regency"


def test_an_unknown_tenant_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        why(government(), who=ByTenant(77))


def test_it_is_json() -> None:
    explanation = why(
        government(rule(1, RSUD_SCOPE, "service:tiktok", schedule_id=1), schedules=[OFFICE]),
        "tiktok.com",
        {NATIONAL: ["tiktok.com"]},
    )
    assert msgspec.json.decode(msgspec.json.encode(explanation), type=Explanation) == explanation
