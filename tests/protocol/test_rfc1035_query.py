"""What a resolver must make of a query's bytes (RFC 1035, 2181, 6891, 9619)."""

from __future__ import annotations

import pytest

from dnswire.constants import Rcode
from dnswire.query import Query, Refused, Unanswerable, parse_query, refuse_type
from tests.support.dns import ask


def refused(message: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        parse_query(message)
    return caught.value


def patched(message: bytes, **octets: int) -> bytes:
    out = bytearray(message)
    for position, value in octets.items():
        out[int(position.removeprefix("at_"))] = value
    return bytes(out)


def test_a_query_is_its_question_and_what_the_client_can_receive() -> None:
    query = parse_query(ask("WwW.example.COM", "AAAA", message_id=7, do=True, udp_size=4096, cd=True))
    assert (query.id, query.qname, query.name) == (7, b"\x03WwW\x07example\x03COM\0", b"\x03www\x07example\x03com\0")
    assert (query.rrtype, query.rrclass, query.udp_size) == (28, 1, 4096)
    assert (query.edns, query.do, query.rd, query.cd, query.ad) == (True, True, True, True, False)


def test_without_edns_a_client_receives_512_octets() -> None:
    # RFC 1035 4.2.1: "Messages carried by UDP are restricted to 512 bytes".
    query = parse_query(ask("example.com", edns=False))
    assert (query.edns, query.udp_size) == (False, 512)


def test_a_udp_size_under_512_counts_as_512() -> None:
    # RFC 6891 6.2.3: "Values lower than 512 MUST be treated as equal to 512."
    assert parse_query(ask("example.com", udp_size=100)).udp_size == 512


@pytest.mark.parametrize("message", [b"", b"\0" * 11, patched(ask("example.com"), at_2=0x81)])
def test_what_has_no_id_or_is_a_response_gets_no_answer(message: bytes) -> None:
    with pytest.raises(Unanswerable):
        parse_query(message)


@pytest.mark.parametrize(
    ("message", "rcode"),
    [
        (patched(ask("example.com"), at_2=0x21), Rcode.NOTIMP),  # NOTIFY
        (patched(ask("example.com"), at_2=0x29), Rcode.NOTIMP),  # UPDATE
        (patched(ask("example.com"), at_5=0), Rcode.FORMERR),  # no question
        # RFC 9619 4: "QDCOUNT parameter whose value is greater than 1 ... MUST be treated as ... FORMERR"
        (patched(ask("example.com"), at_5=2), Rcode.FORMERR),
        (patched(ask("example.com"), at_7=1), Rcode.FORMERR),  # an answer in a query
        (patched(ask("example.com"), at_9=1), Rcode.FORMERR),  # an authority in a query
        (patched(ask("example.com"), at_11=9), Rcode.FORMERR),  # more additional RRs than anybody sends
        (patched(ask("example.com"), at_12=0xC0, at_13=0x0C), Rcode.FORMERR),  # a pointer to itself
        (patched(ask("example.com"), at_12=0x40), Rcode.FORMERR),  # a reserved label type
        (ask("example.com") + b"\0", Rcode.FORMERR),  # octets behind the end
        (ask("example.com")[:-1], Rcode.FORMERR),
        (ask("example.com", edns=False)[:-2], Rcode.FORMERR),
        (ask("example.com", edns=False)[:20], Rcode.FORMERR),
        (ask("example.com", options=[(10, b"12345678")])[:-3], Rcode.FORMERR),
    ],
)
def test_a_malformed_query_is_refused_with_its_reason(message: bytes, rcode: Rcode) -> None:
    refusal = refused(message)
    assert refusal.rcode == rcode
    assert refusal.reason


def test_more_than_one_opt_is_formerr() -> None:
    # RFC 6891 6.1.1: "If a query message with more than one OPT RR is received, a FORMERR (RCODE=1) MUST be returned."
    message = ask("example.com")
    opt = message[-11:]
    assert refused(patched(message + opt, at_11=2)).rcode == Rcode.FORMERR


def test_an_opt_that_is_not_at_the_root_is_formerr() -> None:
    message = ask("example.com")
    assert refused(message[:-11] + b"\x01a\0" + message[-10:]).rcode == Rcode.FORMERR


def test_an_unknown_edns_version_is_badvers() -> None:
    # RFC 6891 6.1.3: "If a responder does not implement the VERSION level of the request, then it MUST respond with
    # RCODE=BADVERS."
    message = ask("example.com")
    refusal = refused(patched(message, **{f"at_{len(message) - 5}": 1}))
    assert refusal.rcode == Rcode.BADVERS
    assert refusal.query.edns


def test_an_edns_option_that_leaves_its_rr_is_formerr() -> None:
    message = ask("example.com", options=[(10, b"1234")])
    assert refused(patched(message, **{f"at_{len(message) - 5}": 9})).rcode == Rcode.FORMERR


@pytest.mark.parametrize(
    ("rrtype", "rrclass", "rcode"),
    [
        (1, 1, None),
        (255, 1, None),
        (65, 1, None),
        (65280, 1, None),
        (1, 3, None),
        (252, 1, Rcode.REFUSED),
        (251, 1, Rcode.REFUSED),
        (41, 1, Rcode.FORMERR),
        (250, 1, Rcode.FORMERR),
        (0, 1, Rcode.FORMERR),
        (254, 1, Rcode.NOTIMP),
        (1, 255, Rcode.REFUSED),
        (1, 4, Rcode.REFUSED),
    ],
)
def test_types_and_classes_that_are_never_answered(rrtype: int, rrclass: int, rcode: Rcode | None) -> None:
    query = Query(1, 0x0100)
    query.rrtype, query.rrclass = rrtype, rrclass
    found = refuse_type(query)
    assert (found and found[0]) == rcode
