"""Clients behind NAT: who may name them, and everything that may not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address, ip_address

import pytest

from blocklists.rule import Kind, ListRule, RuleAction
from blocklists.rules_index import RulesIndex
from policy.model import (
    Action,
    Device,
    Forwarder,
    Identification,
    Network,
    Rule,
    Scope,
    ScopeKind,
    Target,
    TargetKind,
    Unit,
)
from querylog.record import Transport
from resolver import in_force
from tests.support.fixtures_world import Worlds
from tests.support.world import (
    HEALTH,
    HEALTH_CLIENT,
    NATIONAL_LIST,
    SCHOOLS,
    SCHOOLS_CLIENT,
    SOCIAL_LIST,
    STRANGER,
    World,
    agency,
    sample_policy,
)

# The first stands outside all networks, the others in a network of their agency.
HEALTH_ROUTER, INNER_ROUTER, SCHOOLS_ROUTER = "192.0.2.10", "10.1.0.1", "10.2.0.1"
EMERGENCY = 11
EMERGENCY_CLIENT = "10.1.9.7"
LAPTOP, SCHOOL_TABLET, UNKNOWN_DEVICE = "02:11:22:33:44:55", "02:99:99:99:99:99", "02:00:00:00:00:01"
SITE, SCHOOL_SITE = "rtr-igd-01", "rtr-sekolah-07"
ALL = (Identification.CLIENT_SUBNET, Identification.MAC, Identification.CPE_ID)
LISTS = {NATIONAL_LIST: ["*.judi.example"], SOCIAL_LIST: ["*.sosial.example"]}
POLICY = replace(
    sample_policy(
        Rule(1, agency(HEALTH), Target(TargetKind.CATEGORY, "media_sosial"), Action.BLOCK),
        Rule(2, Scope(ScopeKind.UNIT, EMERGENCY), Target(TargetKind.NAME, "sosial.example"), Action.ALLOW),
    ),
    units=(Unit(EMERGENCY, "igd", "Instalasi gawat darurat", HEALTH),),
    networks=(*sample_policy().networks, Network("10.1.9.0/24", HEALTH, EMERGENCY)),
    forwarders=(
        Forwarder(1, HEALTH_ROUTER, "Router Dinkes", (HEALTH,), ALL),
        Forwarder(2, INNER_ROUTER, "Router Dinkes, lantai 2", (HEALTH,), ALL),
        Forwarder(3, SCHOOLS_ROUTER, "Router sekolah", (SCHOOLS,), ALL),
    ),
    devices=(
        Device(Identification.MAC, LAPTOP, HEALTH, EMERGENCY),
        Device(Identification.MAC, SCHOOL_TABLET, SCHOOLS),
        Device(Identification.CPE_ID, SITE, HEALTH, EMERGENCY),
        Device(Identification.CPE_ID, SCHOOL_SITE, SCHOOLS),
    ),
)

Options = list[tuple[int, bytes]]


def subnet(address: str) -> tuple[int, bytes]:
    packed = ip_address(address).packed
    family, bits = (1, 32) if len(packed) == 4 else (2, 128)
    return 8, family.to_bytes(2, "big") + bytes((bits, 0)) + packed


def mac(text: str) -> tuple[int, bytes]:
    return 65001, bytes.fromhex(text.replace(":", ""))


def cpe(text: str) -> tuple[int, bytes]:
    return 65074, text.encode()


def taken_for(here: World, host: str, *options: tuple[int, bytes]) -> tuple[str, str, str]:
    """Agency, unit and address under which a query from ``host`` is answered and logged."""
    said = here.ask("whoami.saring", "TXT", host=host, options=options)
    facts = said.answer[0].split(" ", 4)[4] if said.answer else said.rcode
    row = here.logged()[-1]
    address = ip_address(row.client)
    shown = str(address.ipv4_mapped or address) if isinstance(address, IPv6Address) else str(address)
    named = [fact.split("=")[1].strip('"') for fact in facts.split(",")[:2]] if said.answer else [said.rcode, ""]
    return named[0], named[1], shown


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([subnet(HEALTH_CLIENT)], ("dinkes", "-", HEALTH_CLIENT)),
        ([subnet(EMERGENCY_CLIENT)], ("dinkes", "igd", EMERGENCY_CLIENT)),
        ([subnet("2001:db8:1::7")], ("dinkes", "-", "2001:db8:1::7")),
        ([subnet("::ffff:10.1.9.7")], ("dinkes", "igd", EMERGENCY_CLIENT)),
        ([mac(LAPTOP)], ("dinkes", "igd", "fe80::11:22ff:fe33:4455")),
        ([(65073, b"02:11:22:33:44:55")], ("dinkes", "igd", "fe80::11:22ff:fe33:4455")),
        ([(65073, b"AhEiM0RV")], ("dinkes", "igd", "fe80::11:22ff:fe33:4455")),
        ([cpe(SITE)], ("dinkes", "igd", HEALTH_ROUTER)),
        # The most particular goes first: a laptop of the emergency room, in whatever office of its agency.
        ([subnet(HEALTH_CLIENT), mac(LAPTOP)], ("dinkes", "igd", HEALTH_CLIENT)),
        ([subnet(HEALTH_CLIENT), mac(UNKNOWN_DEVICE), cpe(SITE)], ("dinkes", "-", HEALTH_CLIENT)),
        ([subnet("192.168.88.9"), mac(LAPTOP)], ("dinkes", "igd", "fe80::11:22ff:fe33:4455")),
        # Options of which we know nothing do not stand in the way.
        ([(10, b"12345678"), subnet(HEALTH_CLIENT), (65432, b"x")], ("dinkes", "-", HEALTH_CLIENT)),
    ],
)
def test_a_forwarder_names_its_clients(world: Worlds, options: Options, expected: tuple[str, str, str]) -> None:
    assert taken_for(world(POLICY), HEALTH_ROUTER, *options) == expected


NOT_BELIEVED = {
    "a client of another agency": [subnet(SCHOOLS_CLIENT)],
    "a device of another agency": [mac(SCHOOL_TABLET)],
    "a site of another agency": [cpe(SCHOOL_SITE)],
    "a stranger": [subnet(STRANGER)],
    "a private address of nobody": [subnet("192.168.88.9")],
    "an address shortened to a prefix": [(8, b"\0\1\x18\0\x0a\1\x09")],
    "no address at all": [(8, b"\0\1\0\0")],
    "a device that nobody entered": [mac(UNKNOWN_DEVICE)],
    "two devices": [mac(LAPTOP), mac(UNKNOWN_DEVICE)],
    "two sites": [cpe(SITE), cpe("other")],
    "a MAC address of five octets": [(65001, b"\2\x11\x22\x33\x44")],
    "a MAC address as text in the wrong option": [(65001, LAPTOP.encode())],
    "a MAC address with something behind it": [(65073, LAPTOP.encode() + b"\0")],
    "base64 of five octets": [(65073, b"AhEiM0Q=")],
    "a site in no UTF-8": [(65074, b"\xff\xfe")],
    "a site of 500 octets": [cpe("x" * 500)],
    "nothing": [],
}


@pytest.mark.parametrize("options", NOT_BELIEVED.values(), ids=NOT_BELIEVED)
def test_what_is_not_believed_leaves_the_query_with_the_forwarder_s_own_tenant(world: Worlds, options: Options) -> None:
    here = world(POLICY)
    assert taken_for(here, HEALTH_ROUTER, *options) == ("REFUSED", "", HEALTH_ROUTER)  # whose address is no client's
    assert taken_for(here, INNER_ROUTER, *options) == ("dinkes", "-", INNER_ROUTER)


def test_a_client_that_is_no_forwarder_cannot_pass_for_another(world: Worlds) -> None:
    """Whatever it adds to its query, its socket says who it is."""
    here = world(POLICY, LISTS)
    options = [subnet(EMERGENCY_CLIENT), mac(LAPTOP), cpe(SITE)]
    assert taken_for(here, HEALTH_CLIENT, *options) == ("dinkes", "-", HEALTH_CLIENT)
    assert taken_for(here, STRANGER, *options) == ("REFUSED", "", STRANGER)
    here.upstream.zones["sosial.example"] = ["sosial.example. 300 IN A 192.0.2.1"]
    assert here.ask("sosial.example", options=options).rcode == "NXDOMAIN"
    assert here.ask("sosial.example", host=EMERGENCY_CLIENT).rcode == "NOERROR"


def test_a_forwarder_cannot_speak_for_another_agency(world: Worlds) -> None:
    """Schools' router says that a client of the emergency room asks, in every way there is."""
    here = world(POLICY, LISTS)
    options = [subnet(EMERGENCY_CLIENT), mac(LAPTOP), cpe(SITE)]
    assert taken_for(here, SCHOOLS_ROUTER, *options) == ("disdik", "-", SCHOOLS_ROUTER)
    here.upstream.zones["sosial.example"] = ["sosial.example. 300 IN A 192.0.2.1"]
    here.publish(replace(POLICY, forwarders=(replace(POLICY.forwarders[0], agency_ids=(SCHOOLS,)),)), LISTS)
    assert taken_for(here, HEALTH_ROUTER, *options)[0] == "REFUSED"


def test_one_claim_that_is_not_believed_does_not_spoil_another(world: Worlds) -> None:
    assert taken_for(world(POLICY), HEALTH_ROUTER, mac(SCHOOL_TABLET), subnet(HEALTH_CLIENT)) == (
        "dinkes",
        "-",
        HEALTH_CLIENT,
    )


@pytest.mark.parametrize("kind", Identification)
def test_a_forwarder_is_believed_only_in_what_it_is_trusted_in(world: Worlds, kind: Identification) -> None:
    others = tuple(one for one in ALL if one is not kind)
    claims = {
        Identification.CLIENT_SUBNET: subnet(EMERGENCY_CLIENT),
        Identification.MAC: mac(LAPTOP),
        Identification.CPE_ID: cpe(SITE),
    }
    here = world(replace(POLICY, forwarders=(replace(POLICY.forwarders[0], trusts=others),)))
    assert taken_for(here, HEALTH_ROUTER, claims[kind])[0] == "REFUSED"
    for other in others:
        assert taken_for(here, HEALTH_ROUTER, claims[other])[1] == "igd"


def test_the_policy_of_the_named_client_holds_and_its_agency_is_counted(world: Worlds) -> None:
    here = world(POLICY, LISTS)
    here.upstream.zones["sosial.example"] = ["sosial.example. 300 IN A 192.0.2.1"]
    for _ in range(2):
        assert here.ask("sosial.example", host=HEALTH_ROUTER, options=[subnet(HEALTH_CLIENT)]).rcode == "NXDOMAIN"
        assert here.ask("sosial.example", host=HEALTH_ROUTER, options=[subnet(EMERGENCY_CLIENT)]).rcode == "NOERROR"
        assert here.ask("sosial.example", host=HEALTH_ROUTER).rcode == "REFUSED"
    assert here.stats.document(POLICY)["by_agency"]["dinkes"] == {"blocked": 2, "allowed": 2}
    assert [(row.agency_id, row.unit_id) for row in here.logged()][:2] == [(HEALTH, 0), (HEALTH, EMERGENCY)]


def test_conditions_of_lists_see_the_named_client(world: Worlds) -> None:
    by_address = ListRule(Kind.EVERYTHING, "", RuleAction.BLOCK, clients=(EMERGENCY_CLIENT,))
    over_tcp = ListRule(Kind.EXACT, "tcp.example", RuleAction.TCP_ONLY)
    here = world(POLICY, LISTS, rules=RulesIndex([(NATIONAL_LIST, [by_address, over_tcp])]))
    here.upstream.zones["good.example"] = ["good.example. 300 IN A 192.0.2.1"]
    here.upstream.zones["tcp.example"] = ["tcp.example. 300 IN A 192.0.2.1"]
    options = [subnet(EMERGENCY_CLIENT)]
    assert here.ask("good.example", host=HEALTH_ROUTER, options=options).rcode == "NXDOMAIN"
    options = [subnet(HEALTH_CLIENT)]
    assert here.ask("good.example", host=HEALTH_ROUTER, options=options).rcode == "NOERROR"
    for _ in range(2):
        assert "tc" in here.ask("tcp.example", host=HEALTH_ROUTER, options=options).flags
        said = here.ask("tcp.example", host=HEALTH_ROUTER, transport=Transport.TCP, options=options)
        assert said.addresses == ("192.0.2.1",)


def test_an_edge_or_a_new_generation_forgets_who_was_named(world: Worlds) -> None:
    here = world(POLICY)
    assert taken_for(here, HEALTH_ROUTER, mac(LAPTOP))[1] == "igd"
    here.publish(replace(POLICY, devices=()))
    assert taken_for(here, HEALTH_ROUTER, mac(LAPTOP))[0] == "REFUSED"


def test_a_forwarder_cannot_fill_our_memory(world: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may name as many addresses as its networks hold, and as many more as it likes."""
    monkeypatch.setattr(in_force, "MAX_CLIENTS", 10)
    here = world(POLICY)
    for number in range(60):
        here.ask("whoami.saring", "TXT", host=HEALTH_ROUTER, options=[subnet(f"10.1.0.{number}")])
        here.ask("whoami.saring", "TXT", host=HEALTH_ROUTER, options=[subnet(f"203.0.113.{number}")])
        here.ask("whoami.saring", "TXT", host=HEALTH_ROUTER, options=[(10, number.to_bytes(8, "big")), mac(LAPTOP)])
        assert len(here.pipeline.in_force.named) <= 10
        assert len(here.pipeline.in_force.known) == 1
    assert taken_for(here, HEALTH_ROUTER, subnet(HEALTH_CLIENT))[2] == HEALTH_CLIENT


def test_limits_count_the_forwarder_s_socket_and_not_whom_it_names(world: Worlds) -> None:
    here = world(POLICY)
    here.upstream.instant = False
    for address in (HEALTH_CLIENT, EMERGENCY_CLIENT):
        here.ask_later("good.example", host=HEALTH_ROUTER, options=[subnet(address)])
    assert here.pipeline.in_force.known[HEALTH_ROUTER].source.pending == 2
    here.upstream.land()
    assert here.pipeline.in_force.known[HEALTH_ROUTER].source.pending == 0


def test_whoami_tells_by_what_a_client_was_known(world: Worlds) -> None:
    said = world(POLICY).ask("whoami.saring", "TXT", host=HEALTH_ROUTER, options=[subnet(EMERGENCY_CLIENT)])
    assert said.answer[0].endswith('"client=10.1.9.7","named_by=client_subnet"')
