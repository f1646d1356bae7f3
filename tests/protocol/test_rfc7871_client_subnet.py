"""EDNS client subnet as a resolver meets it that serves forwarders (RFC 7871)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dnswire.client_options import read_client_subnet
from dnswire.constants import EdnsOption
from dnswire.errors import WireError
from policy.model import Forwarder, Identification
from querylog.record import Transport
from tests.support.fixtures_world import Worlds
from tests.support.world import HEALTH, HEALTH_CLIENT, NATIONAL_LIST, sample_policy

ROUTER = "10.1.0.1"
POLICY = replace(
    sample_policy(),
    forwarders=(Forwarder(1, ROUTER, "Router Dinkes", (HEALTH,), (Identification.CLIENT_SUBNET,)),),
)
ECS = int(EdnsOption.ECS)
WHOLE = b"\0\1\x20\0\x0a\1\0\5"  # 10.1.0.5/32

MALFORMED = {
    "nothing": b"",
    "a head cut short": b"\0\1\x20",
    "too few ADDRESS octets": b"\0\1\x20\0\x0a\1\0",
    "too many ADDRESS octets": b"\0\1\x18\0\x0a\1\0\5",
    "bits beyond SOURCE PREFIX-LENGTH": b"\0\1\x1f\0\x0a\1\0\5",
    "SOURCE PREFIX-LENGTH beyond IPv4": b"\0\1\x21\0\x0a\1\0\5\0",
    "SOURCE PREFIX-LENGTH beyond IPv6": b"\0\2\x81\0" + bytes(17),
    "SCOPE PREFIX-LENGTH in a query": b"\0\1\x20\x20\x0a\1\0\5",
    "an unknown FAMILY": b"\0\3\x20\0\x0a\1\0\5",
    "FAMILY 0 with an address": b"\0\0\x08\0\x0a",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_a_wrongly_formatted_option_is_answered_with_formerr(world: Worlds, data: bytes) -> None:
    # RFC 7871 7.2.1: "A query with a wrongly formatted option (e.g., an unknown FAMILY) MUST be rejected and a FORMERR
    # response MUST be returned to the sender".
    with pytest.raises(WireError):
        read_client_subnet(data)
    here = world(POLICY)
    said = here.ask("good.example", host=ROUTER, options=[(ECS, data)])
    assert (said.rcode, said.edns, said.options, here.upstream.asked) == ("FORMERR", True, {}, [])


def test_two_options_contradict_each_other(world: Worlds) -> None:
    assert world(POLICY).ask("good.example", host=ROUTER, options=[(ECS, WHOLE), (ECS, WHOLE)]).rcode == "FORMERR"


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_from_whom_the_option_is_not_taken_it_is_ignored_whatever_it_holds(world: Worlds, data: bytes) -> None:
    # RFC 7871 7.2.1: those that have not "enabled support for the ECS option ought to safely ignore it within incoming
    # queries ... MUST NOT include an ECS option within replies".
    here = world(POLICY)
    here.upstream.zones["good.example"] = ["good.example. 300 IN A 192.0.2.1"]
    said = here.ask("good.example", host=HEALTH_CLIENT, options=[(ECS, data)])
    assert (said.rcode, said.options) == ("NOERROR", {})


# What is answered, for a question: any way a response can be made.
ANSWERS = {
    "from the cache": ("good.example", "A", "NOERROR"),
    "blocked": ("judi.example", "A", "NXDOMAIN"),
    "blocked by its alias": ("cdn.example", "A", "NXDOMAIN"),
    "special": ("localhost", "A", "NOERROR"),
    "of its own": ("whoami.saring", "TXT", "NOERROR"),
    "refused": ("good.example", "AXFR", "REFUSED"),
}
# Sent data, and what RFC 7871 7.2.1 wants in the response: "The FAMILY, SOURCE PREFIX-LENGTH, and ADDRESS in the
# response MUST match those in the query". The scope is never wider than what was asked for: policy may differ beyond.
ECHOES = {
    "IPv4": (WHOLE, b"\0\1\x20\x20\x0a\1\0\5"),
    "IPv6": (b"\0\2\x80\0" + bytes(15) + b"\1", b"\0\2\x80\x80" + bytes(15) + b"\1"),
    "shortened": (b"\0\1\x18\0\x0a\1\0", b"\0\1\x18\x18\x0a\1\0"),
    "an address of nobody": (b"\0\1\x20\0\xcb\0\x71\7", b"\0\1\x20\x20\xcb\0\x71\7"),
    "SOURCE PREFIX-LENGTH 0": (b"\0\1\0\0", b"\0\1\0\0"),
    "FAMILY 0": (b"\0\0\0\0", b"\0\0\0\0"),
}


@pytest.mark.parametrize(("qname", "rrtype", "rcode"), ANSWERS.values(), ids=ANSWERS)
def test_a_response_has_the_option_if_and_only_if_the_query_had_it(
    world: Worlds, qname: str, rrtype: str, rcode: str
) -> None:
    # RFC 7871 7.2.2: "the server MUST NOT provide one in its response. If the client query did include the option, the
    # server MUST include one in its response".
    here = world(POLICY, {NATIONAL_LIST: ["*.judi.example"]})
    here.upstream.zones["good.example"] = ["good.example. 300 IN A 192.0.2.1"]
    here.upstream.zones["cdn.example"] = ["cdn.example. 300 IN CNAME judi.example."]
    for _ in range(2):
        without = here.ask(qname, rrtype, host=ROUTER)
        assert (without.rcode, without.options.get(ECS)) == (rcode, None)
        if rrtype == "AXFR":  # such a type is refused before anybody is listened to
            continue
        for data, echo in ECHOES.values():
            for transport in (Transport.UDP, Transport.TCP):
                said = here.ask(qname, rrtype, host=ROUTER, transport=transport, options=[(ECS, data)])
                assert (said.rcode, said.options.get(ECS)) == (rcode, echo)


def test_an_answer_that_is_cut_to_size_keeps_the_option(world: Worlds) -> None:
    # RFC 7871 7.2.1: "the answer section of the response will be truncated and fallback to TCP indicated accordingly".
    here = world(POLICY)
    here.upstream.zones["big.example"] = [f"big.example. 300 IN A 192.0.2.{number}" for number in range(30)]
    said = here.ask("big.example", host=ROUTER, udp_size=512, options=[(ECS, WHOLE)])
    assert ("tc" in said.flags, said.options) == (True, {ECS: WHOLE[:3] + b"\x20" + WHOLE[4:]})


def test_nothing_of_the_option_goes_upstream_or_into_the_cache(world: Worlds) -> None:
    """RFC 7871 7.1.2: an intermediate "MUST NOT make queries that include more bits of client address": we add none."""
    here = world(POLICY)
    here.upstream.zones["good.example"] = ["good.example. 300 IN A 192.0.2.1"]
    for data in (WHOLE, b"\0\1\x20\0\x0a\1\0\6", b"\0\1\0\0"):
        assert here.ask("good.example", host=ROUTER, options=[(ECS, data)]).rcode == "NOERROR"
    assert here.upstream.asked == [("good.example", 1)]  # one cached answer for all; real octets: test_real_forwarder
