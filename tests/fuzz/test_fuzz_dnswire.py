"""Whatever the bytes: facts, or a refusal with its reason; never another error, never a hang, never growth.

``SARING_FUZZ_FACTOR`` multiplies how many mutations each target gets (``make fuzz`` sets it). Files of
``tests/fuzz/corpus/dns-*.hex`` are messages that once crashed something, ours or a peer's; each runs as it is too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dnswire.answer import Answer, parse_answer, records
from dnswire.ech import without_ech
from dnswire.errors import NameSyntaxError, WireError
from dnswire.message_text import message_text
from dnswire.name import from_text, index_key, parents, to_text
from dnswire.query import Query, Refused, Unanswerable, parse_query, refuse_type
from dnswire.response import relay, respond, size_limit
from policy.forwarders import Speaker
from policy.model import Forwarder, Identification
from resolver.identification import claim_of
from tests.support.dns import answer, ask
from tests.support.ech import ALPN, ECH, HTTPS, RRSIG, binding, https_answer, signature
from tests.support.mutation import mutations

COUNT = 20_000 * int(os.environ.get("SARING_FUZZ_FACTOR", "1"))
CORPUS = sorted((Path(__file__).parent / "corpus").glob("dns-*.hex"))

QUERIES = [
    ask("www.example.com"),
    ask("a.b.c.d.example.org", "AAAA", do=True, options=[(10, b"12345678"), (8, b"\0\1\x18\0\x7f\0\0")]),
    ask("example.com", "HTTPS", edns=False),
    ask("example.com", options=[(8, b"\0\1\x20\0\x0a\1\0\5"), (65001, b"\2\1\1\1\1\1"), (65074, b"rtr-01")]),
    ask("example.com", options=[(8, b"\0\2\x80\0" + bytes(16)), (65073, b"AhEiM0RV"), (65073, b"02:11:22:33:44:55")]),
]
TRUSTED = Speaker(Forwarder(1, "10.0.0.1", "", (1,), tuple(Identification)))
SOA = "example.com. 300 IN SOA ns.example.com. host.example.com. 1 2 3 4 60"
ANSWERS = [
    answer(QUERIES[0], "www.example.com. 300 IN CNAME e.example.net.", "e.example.net. 60 IN A 192.0.2.1"),
    answer(QUERIES[1], authority=(SOA,), rcode="NXDOMAIN"),
    answer(QUERIES[2], "example.com. 60 IN MX 10 mail.example.com."),
    https_answer(
        ("site.example", HTTPS, binding(ALPN, ECH)),
        ("site.example", RRSIG, signature(HTTPS)),
        ("site.example", HTTPS, binding(b"\0\0\0\2\0\5", ECH, target="cdn.example")),
        lines=["www.site.example. 60 IN CNAME site.example.", "site.example. 60 IN A 192.0.2.1"],
        authority=[SOA],
    ),
]


def query_from(message: bytes) -> Query | None:
    try:
        return parse_query(message)
    except Unanswerable:
        return None
    except Refused as refusal:
        assert refusal.reason
        return refusal.query


def check_query(message: bytes) -> None:
    query = query_from(message)
    if query is None:
        return
    wire = respond(query, 3, size_limit(query, udp=True))
    assert len(wire) <= 512 or query.edns
    assert wire[:2] == message[:2]
    refuse_type(query)
    try:
        claim, echo = claim_of(query.edns_options, TRUSTED)
        assert (len(claim.address), len(claim.mac)) in {(a, m) for a in (0, 4, 16) for m in (0, 6)}
        assert not echo or (echo[:2] == b"\0\x08" and len(echo) <= 24)
    except WireError as error:
        assert error.reason
    if query.name:
        assert from_text(to_text(query.qname)) == query.qname
        assert all(index_key(query.name).startswith(index_key(parent)) for parent in parents(query.name))


def check_answer(message: bytes) -> None:
    assert all(line.isprintable() for line in message_text(message).split("\n"))
    try:
        found = parse_answer(message)
    except WireError as error:
        assert error.reason
        return
    assert 0 <= found.ttl_s < 2**31
    try:
        list(records(found))
    except WireError:
        return  # owner names are not needed on the way of a query and are read only for people
    query = Query(1, 0x0100)
    query.qname, query.name, query.rrtype, query.rrclass = found.name, found.name, found.rrtype, found.rrclass
    wire = relay(query, found, 5, 100, 65_535)
    assert parse_answer(wire).ancount == found.ancount
    plain = without_ech(found)
    assert not plain.ech
    assert [one for one in untouched(plain) if one not in untouched(found)] == []


def untouched(found: Answer) -> list[tuple[int, bytes, int, bytes]]:
    """RRs whose RDATA holds no name that could be compressed: taking out ECH leaves them as they are."""
    return [
        (record.section, record.owner.lower(), record.rrtype, record.rdata)
        for record in records(found)
        if record.rrtype in (1, 16, 28)
    ]


def test_mutated_queries() -> None:
    for message in mutations(QUERIES, COUNT, seed=1):
        check_query(message)


def test_mutated_answers() -> None:
    for message in mutations(ANSWERS, COUNT, seed=2):
        check_answer(message)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus(path: Path) -> None:
    message = bytes.fromhex(path.read_text().split("#", 1)[0])
    check_query(message)
    check_answer(message)


def test_mutated_texts() -> None:
    seeds = [b"www.example.com", "münchen.example".encode(), rb"a\.b\032.c", b"xn--mnchen-3ya.example"]
    for raw in mutations(seeds, COUNT // 4, seed=3):
        text = raw.decode("utf-8", "replace")
        try:
            wire = from_text(text)
        except NameSyntaxError as error:
            assert str(error)
            continue
        assert from_text(to_text(wire)) == wire
