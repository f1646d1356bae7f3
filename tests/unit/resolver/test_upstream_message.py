from __future__ import annotations

import random

import dnslib
import pytest

from dnswire.edns import opt, option
from dnswire.name import from_text
from resolver.upstream import message as m
from tests.support import dns_messages as say

ASKED = m.question(from_text("www.example.com"), 1, 1)


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("cd", [False, True])
@pytest.mark.parametrize("edns", [False, True])
def test_a_query_is_what_it_was_asked_to_be(do: bool, cd: bool, edns: bool) -> None:
    parsed = dnslib.DNSRecord.parse(m.build_query(0xBEEF, ASKED, cd, opt(m.UDP_SIZE_BYTES, 0, do) if edns else b""))
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
    assert m.judge(say.response(ASKED, answer=(say.a("www.example.com"),)), ASKED, False) == m.ACCEPT


def test_the_case_of_the_name_matters_unless_the_server_is_known_not_to_keep_it() -> None:
    shouted = m.question(from_text("WWW.eXample.COM"), 1, 1)
    assert m.judge(say.response(shouted), ASKED, False) == m.WRONG_CASE
    assert m.judge(say.response(ASKED), shouted, False) == m.WRONG_CASE
    assert m.judge(say.response(shouted), shouted, False) == m.ACCEPT
    assert m.judge(say.response(shouted), ASKED, True) == m.ACCEPT


def test_every_letter_is_raised_as_often_as_not_and_nothing_else_is_touched() -> None:
    asked = m.question(from_text(r"a-z0_9.@[`{.\001\255." + "x" * 63), 28, 0x51)
    source = random.Random(1)
    raised = [0] * len(asked)
    for _ in range(400):
        cased = m.mixed_case(asked, source.randbytes(len(asked) // 8 + 1))
        assert cased[:-4].lower() == asked[:-4]
        assert cased[-4:] == asked[-4:]
        for place, (was, is_) in enumerate(zip(asked, cased, strict=True)):
            raised[place] += was != is_
    letters = [chr(octet).isascii() and chr(octet).isalpha() for octet in asked[:-4]] + [False] * 4
    assert [count > 0 for count in raised] == letters, "neither length octets, nor class 0x51, which would be a letter"
    assert all(140 < count < 260 for count, letter in zip(raised, letters, strict=True) if letter)


# RFC 8467 4.1: "Clients SHOULD pad queries to the closest multiple of 128 octets."
@pytest.mark.parametrize("size", range(1, 60, 7))
def test_an_encrypted_query_has_a_length_that_tells_nothing(size: int) -> None:
    asked = m.question(from_text("x" * size + ".example"), 1, 1)
    for do in (False, True):
        query = m.build_query(0, asked, False, m.padded_opt(asked, do, option(11, b"")))
        assert len(query) % 128 == 0
        parsed = dnslib.DNSRecord.parse(query)
        assert [o.code for o in parsed.ar[0].rdata] == [11, 12]
        assert bool(parsed.ar[0].ttl & 0x8000) == do


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
    assert m.judge(say.response(other), ASKED, False) == m.WRONG_QUESTION


def test_a_type_is_no_letter() -> None:
    https = m.question(from_text("a.example"), 65, 1)
    lower = m.question(from_text("a.example"), 97, 1)
    assert m.judge(say.response(lower), https, False) == m.WRONG_QUESTION


def test_a_query_is_no_reply() -> None:
    assert m.judge(m.build_query(1, ASKED, False, opt(m.UDP_SIZE_BYTES, 0, False)), ASKED, False) == m.NOT_A_RESPONSE


def test_a_reply_with_another_opcode_is_none() -> None:
    assert m.judge(say.response(ASKED, flags=0xA180), ASKED, False) == m.NOT_A_RESPONSE


@pytest.mark.parametrize("size", range(12))
def test_less_than_a_header_is_malformed(size: int) -> None:
    assert m.judge(say.response(ASKED)[:size], ASKED, False) == m.MALFORMED


@pytest.mark.parametrize("count", [0, 2, 256, 257])
def test_the_question_count_must_be_one(count: int) -> None:
    reply = bytearray(say.response(ASKED))
    reply[4:6] = count.to_bytes(2, "big")
    assert m.judge(bytes(reply), ASKED, False) == m.WRONG_QUESTION


def test_truncated() -> None:
    assert m.judge(say.response(ASKED, flags=0x8380), ASKED, False) == m.TRUNCATED


# RFC 6891 7: a responder without EDNS "MUST respond with a return code (RCODE) of FORMERR"; some send a bare header.
@pytest.mark.parametrize("rcode", [1, 4])
def test_formerr_and_notimp_may_mean_no_edns(rcode: int) -> None:
    assert m.judge(say.response(ASKED, rcode=rcode), ASKED, False) == m.NO_EDNS
    with_opt = say.response(ASKED, rcode=rcode, additional=(say.opt(),))
    assert m.judge(with_opt, ASKED, False) == m.ACCEPT, "it knows EDNS, so that was not its trouble"
    bare = b"\x00\x00\x81" + bytes((0x80 | rcode,)) + bytes(8)
    assert m.judge(bare, ASKED, False) == m.NO_EDNS


def test_a_bare_header_with_another_rcode_is_no_reply() -> None:
    assert m.judge(b"\x00\x00\x81\x82" + bytes(8), ASKED, False) == m.WRONG_QUESTION
