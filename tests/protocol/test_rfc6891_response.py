"""Responses as clients get them: question repeated, OPT mirrored, sizes kept (RFC 1035, 2181, 6840, 6891)."""

from __future__ import annotations

import pytest

from dnswire import edns, response
from dnswire.answer import parse_answer
from dnswire.constants import EdeCode, Rcode
from dnswire.query import parse_query
from dnswire.response import relay, respond, size_limit, soa_rr
from tests.support.dns import answer, ask, heard

LINE = "example.com. 300 IN A 192.0.2.1"


def relayed(query: bytes, upstream: bytes, age_s: int = 0, max_ttl_s: int = 2**31 - 1, limit: int = 1232) -> bytes:
    return relay(parse_query(query), parse_answer(upstream), age_s, max_ttl_s, limit)


def test_the_client_gets_its_own_id_and_the_case_it_asked_in() -> None:
    upstream = answer(ask("example.com", message_id=1), LINE)
    said = heard(relayed(ask("eXaMpLe.CoM", message_id=0xBEEF), upstream))
    assert (said.id, said.question) == (0xBEEF, "eXaMpLe.CoM IN A")
    assert said.answer == ("eXaMpLe.CoM 300 IN A 192.0.2.1",)  # the owner is a pointer to the question


@pytest.mark.parametrize(
    ("age_s", "max_ttl_s", "ttl"), [(0, 10_000, 300), (100, 10_000, 200), (400, 10_000, 0), (0, 30, 30)]
)
def test_ttls_age_and_never_reach_over_the_edge(age_s: int, max_ttl_s: int, ttl: int) -> None:
    query = ask("example.com")
    said = heard(relayed(query, answer(query, LINE), age_s, max_ttl_s))
    assert said.answer == (f"example.com {ttl} IN A 192.0.2.1",)


def test_opt_is_sent_exactly_to_those_who_sent_it() -> None:
    # RFC 6891 6.1.1: "If an OPT record is present in a received request, compliant responders MUST include an OPT
    # record in their respective responses"; 7: otherwise "MUST NOT".
    with_edns, without = ask("example.com"), ask("example.com", edns=False)
    upstream = answer(with_edns, LINE)
    assert heard(relayed(with_edns, upstream)).edns
    assert not heard(relayed(without, upstream)).edns
    assert not heard(respond(parse_query(without), Rcode.NXDOMAIN, 512, options=edns.ede(15, "x"))).edns


def test_what_does_not_fit_is_cut_to_nothing_with_tc() -> None:
    # RFC 2181 9: "the TC bit should be set ... only when an RRSet is required ... but could not be included in its
    # entirety".
    query = ask("example.com")
    lines = [f"example.com. 300 IN A 192.0.2.{i}" for i in range(60)]
    said = heard(relayed(query, answer(query, *lines), limit=512))
    assert ("tc" in said.flags, said.answer, said.edns) == (True, (), True)
    assert len(heard(relayed(query, answer(query, *lines), limit=65_535)).answer) == 60


def test_the_limit_is_the_client_s_and_never_above_what_travels_unfragmented() -> None:
    assert size_limit(parse_query(ask("example.com", edns=False)), udp=True) == 512
    assert size_limit(parse_query(ask("example.com", udp_size=700)), udp=True) == 700
    assert size_limit(parse_query(ask("example.com", udp_size=4096)), udp=True) == 1232
    assert size_limit(parse_query(ask("example.com", edns=False)), udp=False) == 65_535


@pytest.mark.parametrize(("do", "ad", "told"), [(False, False, False), (True, False, True), (False, True, True)])
def test_ad_is_told_to_those_who_ask(do: bool, ad: bool, told: bool) -> None:
    # RFC 6840 5.8: AD is set "only ... if the request contained either a set DO bit or a set AD bit".
    query = ask("example.com", do=do, ad=ad)
    upstream = bytearray(answer(query, LINE))
    upstream[3] |= 0x20
    assert ("ad" in heard(relayed(query, bytes(upstream))).flags) is told


def test_a_response_of_our_own_says_why() -> None:
    query = parse_query(ask("example.com", do=True, cd=True, message_id=9))
    message = respond(
        query,
        Rcode.NXDOMAIN,
        1232,
        authority=soa_rr(60),
        nscount=1,
        options=edns.ede(EdeCode.CENSORED, "Diblokir: perjudian"),
    )
    said = heard(message)
    assert (said.id, said.rcode, said.flags) == (9, "NXDOMAIN", frozenset({"qr", "rd", "ra", "cd"}))
    assert said.ede == ((16, "Diblokir: perjudian"),)
    assert said.authority[0].startswith("example.com 60 IN SOA saring. hostmaster.saring.")
    assert said.authority[0].endswith(" 60")


def test_badvers_is_told_in_both_halves() -> None:
    assert heard(respond(parse_query(ask("example.com")), Rcode.BADVERS, 1232)).rcode == "BADVERS"


def test_ede_text_is_cut_at_a_character() -> None:
    code, text = edns.read_ede(edns.ede(15, "é" * 150)[4:])
    assert (code, text) == (15, "é" * 100)


def test_an_upstream_s_ede_text_cannot_forge_lines() -> None:
    assert edns.read_ede(b"\x00\x00a\nb\x1b[31m")[1] == "a\ufffdb\ufffd[31m"


def test_relay_and_respond_share_the_question_pointer() -> None:
    assert response.question_rr(1, 60, bytes(4)).startswith(b"\xc0\x0c")
