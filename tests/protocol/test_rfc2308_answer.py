"""What is learnt from an upstream's answer: TTLs, negatives (RFC 2308, 2181), targets (RFC 9460)."""

from __future__ import annotations

import dnslib
import pytest

from dnswire.answer import Answer, parse_answer, records
from dnswire.errors import WireError
from dnswire.name import from_text
from tests.support.dns import answer, ask

SOA = "example.com. {ttl} IN SOA ns.example.com. host.example.com. 1 2 3 4 {minimum}"


def said(qname: str, rrtype: str, *rrs: str, authority: tuple[str, ...] = (), rcode: str = "NOERROR") -> Answer:
    return parse_answer(answer(ask(qname, rrtype), *rrs, authority=authority, rcode=rcode))


def test_an_answer_may_be_kept_as_long_as_its_shortest_ttl() -> None:
    found = said(
        "www.example.com", "A", "www.example.com. 300 IN CNAME e.example.com.", "e.example.com. 60 IN A 192.0.2.1"
    )
    assert found.ttl_s == 60
    assert found.aliases == (from_text("e.example.com"),)
    assert found.addresses == (bytes((192, 0, 2, 1)),)


@pytest.mark.parametrize(("ttl", "minimum", "kept"), [(900, 60, 60), (30, 3600, 30)])
def test_a_negative_answer_may_be_kept_as_long_as_the_soa_says(ttl: int, minimum: int, kept: int) -> None:
    # RFC 2308 5: "the TTL of this record is set from the minimum of the MINIMUM field of the SOA record and the TTL of
    # the SOA itself".
    soa = SOA.format(ttl=ttl, minimum=minimum)
    assert said("no.example.com", "A", authority=(soa,), rcode="NXDOMAIN").ttl_s == kept
    assert said("www.example.com", "MX", authority=(soa,)).ttl_s == kept


def test_a_negative_answer_behind_an_alias_keeps_both_in_mind() -> None:
    soa = SOA.format(ttl=900, minimum=600)
    found = said("a.example.com", "A", "a.example.com. 20 IN CNAME no.example.com.", authority=(soa,), rcode="NXDOMAIN")
    assert found.ttl_s == 20


def test_a_negative_answer_without_soa_is_not_kept() -> None:
    # RFC 2308 5: "Negative responses without SOA records SHOULD NOT be cached".
    assert said("no.example.com", "A", rcode="NXDOMAIN").ttl_s == 0
    assert said("no.example.com", "A").ttl_s == 0


def test_an_alias_without_its_end_is_not_kept() -> None:
    assert said("a.example.com", "A", "a.example.com. 300 IN CNAME b.example.com.").ttl_s == 0
    assert said("a.example.com", "CNAME", "a.example.com. 300 IN CNAME b.example.com.").ttl_s == 300


def test_a_servfail_is_not_kept_by_its_own_words() -> None:
    assert said("a.example.com", "A", rcode="SERVFAIL").ttl_s == 0


def test_a_ttl_with_its_top_bit_set_is_zero() -> None:
    # RFC 2181 8: "treat TTL values received with the most significant bit set as if the entire value received was
    # zero".
    message = bytearray(answer(ask("a.example.com"), "a.example.com. 300 IN A 192.0.2.1"))
    offset = parse_answer(bytes(message)).ttls[0][0]
    message[offset] = 0x80
    assert parse_answer(bytes(message)).ttl_s == 0


def test_the_opt_rr_is_hop_by_hop_and_not_kept() -> None:
    # RFC 6891 6.2.1: "The OPT RR ... MUST NOT be cached, forwarded, or stored in or loaded from master files."
    message = answer(ask("a.example.com"), "a.example.com. 300 IN A 192.0.2.1")
    found = parse_answer(message)
    assert found.message == message[:-11]
    assert (found.ancount, found.nscount, found.arcount) == (1, 0, 0)


def test_what_stands_behind_the_opt_rr_goes_with_it() -> None:
    reply = dnslib.DNSRecord.parse(answer(ask("a.example.com"), "a.example.com. 300 IN A 192.0.2.1"))
    reply.add_ar(*dnslib.RR.fromZone("ns.example.com. 9 IN A 192.0.2.9"))
    found = parse_answer(bytes(reply.pack()))
    assert (found.arcount, found.ttl_s) == (0, 300)


def test_an_extended_rcode_is_whole() -> None:
    message = bytearray(answer(ask("a.example.com")))
    message[-6] = 1  # the upper eight bits, in the OPT RR
    assert parse_answer(bytes(message)).rcode == 16


def test_https_targets_and_hints_are_noted() -> None:
    rdata = (
        b"\x00\x01\x03cdn\x07example\x00"
        + b"\x00\x04\x00\x08\xc0\x00\x02\x01\xc0\x00\x02\x02"
        + b"\x00\x06\x00\x10"
        + bytes(15)
        + b"\x01"
    )
    reply = dnslib.DNSRecord.parse(answer(ask("a.example", "HTTPS")))
    reply.add_answer(dnslib.RR("a.example", 65, rdata=dnslib.RD(rdata), ttl=60))
    found = parse_answer(bytes(reply.pack()))
    assert found.bindings == (from_text("cdn.example"),)
    assert found.addresses == (bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)), bytes(15) + b"\x01")


@pytest.mark.parametrize(
    "rdata",
    [
        b"\x00\x01",
        b"\x00\x01\x00\x00",
        b"\x00\x01\x00\x00\x04\x00\x05\x01\x02\x03\x04\x05",
        b"\x00\x01\x00\x00\x04\x00\x00",
        b"\x00\x01\x00\x00\x06\x00\x20" + bytes(16),
    ],
)
def test_a_malformed_https_rr_is_no_answer(rdata: bytes) -> None:
    reply = dnslib.DNSRecord.parse(answer(ask("a.example", "HTTPS")))
    reply.add_answer(dnslib.RR("a.example", 65, rdata=dnslib.RD(rdata), ttl=60))
    with pytest.raises(WireError):
        parse_answer(bytes(reply.pack()))


def test_records_are_read_back_as_they_were_sent() -> None:
    found = said(
        "www.example.com", "A", "www.example.com. 300 IN CNAME e.example.com.", "e.example.com. 60 IN A 192.0.2.1"
    )
    assert [(rr.section, rr.owner, rr.rrtype, rr.ttl_s) for rr in records(found)] == [
        (0, from_text("www.example.com"), 5, 300),
        (0, from_text("e.example.com"), 1, 60),
    ]


def test_a_thousand_rrs_are_too_many() -> None:
    lines = [f"a.example.com. 300 IN A 10.0.{i // 256}.{i % 256}" for i in range(1001)]
    with pytest.raises(WireError, match="too many"):
        said("a.example.com", "A", *lines)
