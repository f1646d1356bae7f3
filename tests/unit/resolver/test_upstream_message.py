from __future__ import annotations

import dnslib
import pytest

from dnswire.name import from_text
from resolver.upstream import message as m
from tests.support import dns_messages as say

ASKED = m.question(from_text("www.example.com"), 1, 1)


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("cd", [False, True])
@pytest.mark.parametrize("edns", [False, True])
def test_a_query_is_what_it_was_asked_to_be(do: bool, cd: bool, edns: bool) -> None:
    parsed = dnslib.DNSRecord.parse(m.build_query(0xBEEF, ASKED, do, cd, edns))
    header = parsed.header
    assert (header.id, header.qr, header.opcode, header.rd, header.cd, header.ad) == (0xBEEF, 0, 0, 1, int(cd), 1)
    assert str(parsed.q.qname) == "www.example.com."
    assert (parsed.q.qtype, parsed.q.qclass, len(parsed.questions)) == (1, 1, 1)
    assert len(parsed.ar) == int(edns)
    if edns:
        assert parsed.ar[0].rclass == 1_232
        assert parsed.ar[0].rdata == [], "no option: no client's address (ECS) leaves"
        assert bool(parsed.ar[0].ttl & 0x8000) == do


def test_the_reply_asked_for_is_accepted() -> None:
    assert m.judge(say.response(ASKED, answer=(say.a("www.example.com"),)), ASKED) == m.ACCEPT


def test_case_of_the_name_does_not_matter() -> None:
    shouted = m.question(from_text("WWW.eXample.COM"), 1, 1)
    assert m.judge(say.response(shouted), ASKED) == m.ACCEPT


# RFC 5452 9.1: a resolver must match "the question name, class and type".
@pytest.mark.parametrize(
    "other",
    [
        m.question(from_text("www.example.org"), 1, 1),
        m.question(from_text("ww.example.com"), 1, 1),
        m.question(from_text("a.www.example.com"), 1, 1),
        m.question(from_text("www.example.com"), 28, 1),
        m.question(from_text("www.example.com"), 1, 3),
        b"\x00\x00\x01\x00\x01",
        b"",
    ],
)
def test_the_reply_to_another_question_is_not(other: bytes) -> None:
    assert m.judge(say.response(other), ASKED) == m.WRONG_QUESTION


def test_a_type_is_no_letter() -> None:
    https = m.question(from_text("a.example"), 65, 1)
    lower = m.question(from_text("a.example"), 97, 1)
    assert m.judge(say.response(lower), https) == m.WRONG_QUESTION


def test_a_query_is_no_reply() -> None:
    assert m.judge(m.build_query(1, ASKED, False, False, True), ASKED) == m.NOT_A_RESPONSE


def test_a_reply_with_another_opcode_is_none() -> None:
    assert m.judge(say.response(ASKED, flags=0xA180), ASKED) == m.NOT_A_RESPONSE


@pytest.mark.parametrize("size", range(12))
def test_less_than_a_header_is_malformed(size: int) -> None:
    assert m.judge(say.response(ASKED)[:size], ASKED) == m.MALFORMED


@pytest.mark.parametrize("count", [0, 2, 256, 257])
def test_the_question_count_must_be_one(count: int) -> None:
    reply = bytearray(say.response(ASKED))
    reply[4:6] = count.to_bytes(2, "big")
    assert m.judge(bytes(reply), ASKED) == m.WRONG_QUESTION


def test_truncated() -> None:
    assert m.judge(say.response(ASKED, flags=0x8380), ASKED) == m.TRUNCATED


# RFC 6891 7: a responder without EDNS "MUST respond with a return code (RCODE) of FORMERR"; some send a bare header.
@pytest.mark.parametrize("rcode", [1, 4])
def test_formerr_and_notimp_may_mean_no_edns(rcode: int) -> None:
    assert m.judge(say.response(ASKED, rcode=rcode), ASKED) == m.NO_EDNS
    bare = b"\x00\x00\x81" + bytes((0x80 | rcode,)) + bytes(8)
    assert m.judge(bare, ASKED) == m.NO_EDNS


def test_a_bare_header_with_another_rcode_is_no_reply() -> None:
    assert m.judge(b"\x00\x00\x81\x82" + bytes(8), ASKED) == m.WRONG_QUESTION
