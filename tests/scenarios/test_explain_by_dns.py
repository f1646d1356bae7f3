"""``NAME.explain.saring. TXT``: what becomes of a name, told to administrators by the resolver itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blocklists.rule import Kind, ListRule, RuleAction
from blocklists.rules_index import RulesIndex
from policy.model import (
    Action,
    Basis,
    Bypass,
    Forwarder,
    Identification,
    Policy,
    Rule,
    Schedule,
    Scope,
    Target,
    TargetKind,
    Verdict,
    Window,
)
from querylog.record import Transport
from tests.support.dns import ask, heard
from tests.support.fixtures_world import Worlds
from tests.support.world import (
    HEALTH,
    HEALTH_CLIENT,
    NATIONAL_LIST,
    SCHOOLS_CLIENT,
    SOCIAL_LIST,
    STRANGER,
    World,
    agency,
    sample_policy,
)

ADMIN, ROUTER = "10.1.255.7", "10.1.0.1"
LISTS = {NATIONAL_LIST: ["*.judi.example"], SOCIAL_LIST: ["*.sosial.example"]}
LETTER = Basis("800/12/2026", "2026-01-05", "Bupati")
OFFICE = Schedule(1, "kantor", "Jam kantor", windows=(Window((0,), 8 * 60, 12 * 60),))
SOCIAL = Target(TargetKind.CATEGORY, "media_sosial")


def policy(*rules: Rule) -> Policy:
    base = sample_policy(*rules, schedules=[OFFICE])
    speaker = Forwarder(1, ROUTER, "Router", (HEALTH,), tuple(Identification))
    regency = replace(base.regency, admin_networks=("10.1.255.0/24", "2001:db8:1:ff::/64"))
    return replace(base, regency=regency, forwarders=(speaker,))


BLOCK_SOCIAL = Rule(4, agency(HEALTH), SOCIAL, Action.BLOCK, title="Larang medsos", schedule_id=1, basis=LETTER)


def told(here: World, name: str, host: str = ADMIN) -> tuple[str, ...]:
    said = here.ask(f"{name}.explain.saring", "TXT", host=host)
    assert said.rcode == "NOERROR"
    assert said.ttls == (0,)
    return tuple(said.answer[0].split(" ", 4)[4].strip('"').split('","'))


def test_it_tells_verdict_layer_reason_letter_and_view(world: Worlds) -> None:
    here = world(policy(BLOCK_SOCIAL), LISTS)
    assert told(here, "www.Judi.example") == (
        "blocked by lists",
        "matched=judi.example",
        "list=trustpositif version=7",
        "category=perjudian",
        "told=Diblokir: perjudian (TrustPositif)",
        "view=dinkes (1) generation=1",
        "until=2026-03-02T12:00:00+07:00",
    )
    facts = told(here, "sosial.example")
    assert facts[0] == "blocked by agency rules"
    assert {"rule=4 Larang medsos", "letter=800/12/2026 2026-01-05 Bupati", "list=sosial version=-"} <= {*facts}
    assert told(here, "good.example")[:2] == ("allowed by default", "view=dinkes (1) generation=1")
    assert told(here, "2.0.192.in-addr.arpa")[0] == "allowed by default"


def test_it_tells_observing_expressions_and_encrypted_client_hello(world: Worlds) -> None:
    ech = Rule(2, Scope(), Target(TargetKind.BYPASS, Bypass.ECH), Action.BLOCK)
    observe = Rule(3, Scope(), Target(TargetKind.NAME, "amati.example"), Action.OBSERVE)
    line = ListRule(Kind.REGEX, "^slot[0-9]+[.]", RuleAction.BLOCK, line=812, text="/^slot[0-9]+[.]/")
    here = world(policy(ech, observe), LISTS, rules=RulesIndex([(NATIONAL_LIST, [line])]))
    assert told(here, "amati.example")[0] == "allowed, and counted: regency rules would bar it"
    facts = told(here, "slot88.example")
    assert "list=trustpositif version=7 line=812" in facts
    assert "encrypted ClientHello is taken out of the answers" in facts


def test_it_is_for_administrators_networks_alone(world: Worlds) -> None:
    """For others there is no such name; they learn neither what lists hold nor that somebody may."""
    here = world(policy(), LISTS)
    for host in (HEALTH_CLIENT, SCHOOLS_CLIENT):
        said = here.ask("judi.example.explain.saring", "TXT", host=host)
        assert (said.rcode, said.answer, said.ede[0][0]) == ("NXDOMAIN", (), 18)
    assert here.ask("judi.example.explain.saring", "TXT", host=STRANGER).rcode == "REFUSED"
    assert told(here, "judi.example", "2001:db8:1:ff::7")[0] == "blocked by lists"
    without = world(sample_policy(), LISTS)
    assert without.ask("judi.example.explain.saring", "TXT", host=ADMIN).rcode == "NXDOMAIN"


def test_what_a_forwarder_says_of_a_client_gives_no_rights(world: Worlds) -> None:
    here = world(policy(), LISTS)
    claim = (8, b"\0\1\x20\0" + bytes((10, 1, 255, 7)))
    assert here.ask("whoami.saring", "TXT", host=ROUTER, options=[claim]).answer[0].count("10.1.255.7")
    assert here.ask("judi.example.explain.saring", "TXT", host=ROUTER, options=[claim]).rcode == "NXDOMAIN"


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_nothing_below_saring_is_ever_asked_upstream_or_cached(world: Worlds, transport: Transport) -> None:
    here = world(policy(), LISTS)
    for name in ("saring", "x.saring", "explain.saring", "judi.example.explain.saring", "a.whoami.saring"):
        for host in (ADMIN, HEALTH_CLIENT):
            for rrtype in ("TXT", "A", "ANY", "HTTPS"):
                here.ask(name, rrtype, host=host, transport=transport)
    assert (here.upstream.asked, here.cache.counters()["entries"]) == ([], 0)
    assert {row.verdict for row in here.logged()} == {Verdict.LOCAL}


def test_other_types_and_the_bare_name_have_answers_too(world: Worlds) -> None:
    here = world(policy())
    assert (here.ask("x.explain.saring", "A", host=ADMIN).rcode, here.ask("saring", "A").rcode) == ("NOERROR",) * 2
    assert "NAME.explain.saring" in here.ask("explain.saring", "TXT", host=ADMIN).answer[0]
    assert here.ask("x.saring", "TXT").rcode == "NXDOMAIN"
    assert len(here.ask("x.explain.saring", "A", host=ADMIN).authority) == 1


def test_names_are_as_long_as_names_may_be_and_texts_are_cut(world: Worlds) -> None:
    long = ".".join(["y" * 60] * 3 + ["z" * 40, "explain.saring"])
    title = "ä" * 200
    here = world(policy(Rule(1, agency(HEALTH), Target(TargetKind.REGEX, "^y"), Action.BLOCK, title=title)), LISTS)
    said = here.ask(long, "TXT", host=ADMIN)
    assert (said.rcode, "tc" in said.flags) == ("NOERROR", False)
    assert ("rule=1 " + "ä" * 124) in heard(here.raw(ask(long, "TXT"), ADMIN, Transport.TCP)).answer[0]
    # A label that only ends in the octets of our names is another name.
    assert here.ask(r"a\007explain\006saring", "TXT", host=ADMIN).rcode == "NXDOMAIN"
