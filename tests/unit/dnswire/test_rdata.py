"""RDATA from text, beside what dnslib makes of the same text; and what is refused."""

from __future__ import annotations

import dnslib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnswire.constants import RRType
from dnswire.rdata import MAX_SIZE, quoted, to_wire
from dnswire.rrtypes import type_number, type_text


def by_dnslib(rrtype: str, text: str) -> bytes:
    """The RDATA of a zone-file line, names not compressed."""
    buffer = dnslib.DNSBuffer()
    dnslib.RR.fromZone(f"x. 1 IN {rrtype} {text}")[0].rdata.pack(buffer)
    return bytes(buffer.data)


@pytest.mark.parametrize(
    ("rrtype", "text"),
    [
        ("A", "192.0.2.1"),
        ("AAAA", "2001:db8::1"),
        ("CNAME", "a.example."),
        ("NS", "ns.example."),
        ("PTR", "host.example."),
        ("MX", "10 mail.example."),
        ("SRV", "10 60 8080 server.example."),
        ("TXT", '"satu dua" "tiga"'),
        ("TXT", "satu"),
        ("HTTPS", "1 svc.example. alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1"),
        ("HTTPS", "0 svc.example."),
        ("SVCB", "1 . mandatory=alpn,port alpn=h3 port=1 no-default-alpn ech=YWJj dohpath=/q{?dns} key65000=abc"),
    ],
)
def test_text_becomes_what_another_library_makes_of_it(rrtype: str, text: str) -> None:
    if rrtype == "SVCB":  # which dnslib does not read from text: octets by RFC 9460 2.2
        expected = (
            "0001" "00" "0000" "0004" "00010003" "0001" "0003" "026833" "0002" "0000" "0003" "0002" "0001"
            "0005" "0003" "616263" "0007" "0008" "2f717b3f646e737d" "fde8" "0003" "616263"
        )  # fmt: skip
        assert to_wire(64, text).hex() == expected
        return
    assert to_wire(type_number(rrtype), text) == by_dnslib(rrtype, text)


@pytest.mark.parametrize(
    ("rrtype", "text"),
    [
        (RRType.A, "2001:db8::1"),
        (RRType.AAAA, "192.0.2.1"),
        (RRType.CNAME, "a..example"),
        (RRType.MX, "mail.example"),
        (RRType.MX, "65536 mail.example"),
        (RRType.MX, "-1 mail.example"),
        (RRType.SRV, "1 2 server.example"),
        (RRType.TXT, ""),
        (RRType.TXT, '"tidak ditutup'),
        (RRType.TXT, '"\\256"'),
        (RRType.TXT, "x" * 256),
        (RRType.TXT, " ".join(["x" * 255] * 17)),
        (RRType.HTTPS, "1"),
        (RRType.HTTPS, "0 . port=1"),
        (RRType.HTTPS, "1 . port=1 port=2"),
        (RRType.HTTPS, "1 . port=x"),
        (RRType.HTTPS, "1 . alpn="),
        (RRType.HTTPS, "1 . sonst=1"),
        (RRType.HTTPS, "1 . key65536=1"),
        (RRType.HTTPS, "1 . ech=?"),
        (RRType.HTTPS, "1 . no-default-alpn=1"),
        (RRType.SOA, "a b 1 2 3 4 5"),
    ],
)
def test_what_is_no_rdata_is_refused(rrtype: int, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        to_wire(rrtype, text)


@given(st.binary(max_size=700))
@settings(max_examples=80, deadline=None)
def test_quoted_octets_come_back(octets: bytes) -> None:
    wire = to_wire(RRType.TXT, quoted(octets))
    found = b""
    at = 0
    while at < len(wire):
        found += wire[at + 1 : at + 1 + wire[at]]
        at += 1 + wire[at]
    assert found == octets


@given(st.sampled_from([1, 5, 15, 16, 28, 33, 64, 65]), st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_is_rdata_or_refused(rrtype: int, text: str) -> None:
    try:
        assert len(to_wire(rrtype, text)) <= MAX_SIZE
    except ValueError:
        return


def test_types_by_name_and_number() -> None:
    assert [type_number(text) for text in ("AAAA", "https", "TYPE65", "65", "caa")] == [28, 65, 65, 65, 257]
    assert [type_text(number) for number in (28, 65, 65_280)] == ["AAAA", "HTTPS", "TYPE65280"]
    for text in ("", "NOTYPE", "TYPE65536", "-1", "٣"):
        with pytest.raises(ValueError, match="is no type"):
            type_number(text)
