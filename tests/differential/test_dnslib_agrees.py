"""Where dnslib reads a query or an answer too, it reads the same: two parsers of different hands."""

from __future__ import annotations

import random
import string

import dnslib

from dnswire.answer import parse_answer, records
from dnswire.name import to_text
from dnswire.query import parse_query
from tests.support.dns import answer, ask

TYPES = ("A", "AAAA", "MX", "TXT", "NS", "HTTPS", "SRV", "PTR")


def random_name(source: random.Random) -> str:
    letters = string.ascii_letters + string.digits + "-_"
    return ".".join("".join(source.choices(letters, k=source.randint(1, 20))) for _ in range(source.randint(1, 6)))


def test_queries_mean_the_same() -> None:
    source = random.Random(11)
    for _ in range(1_000):
        rrtype = source.choice(TYPES)
        message = ask(random_name(source), rrtype, edns=source.random() < 0.7, message_id=source.randrange(65_536))
        ours, theirs = parse_query(message), dnslib.DNSRecord.parse(message)
        assert ours.id == theirs.header.id
        assert to_text(ours.qname) == str(theirs.questions[0].qname).rstrip(".")
        assert ours.rrtype == theirs.questions[0].qtype


def test_answers_mean_the_same() -> None:
    source = random.Random(12)
    for _ in range(500):
        owner = random_name(source)
        query = ask(owner)
        lines = [f"{owner}. {source.randint(1, 9999)} IN A 192.0.2.{source.randint(1, 254)}" for _ in range(3)]
        message = answer(query, *lines, authority=[f"example. 9 IN NS {random_name(source)}."])
        theirs = dnslib.DNSRecord.parse(message)
        ours = list(records(parse_answer(message)))
        expected = [(rr.rtype, rr.ttl, str(rr.rname).rstrip(".")) for rr in [*theirs.rr, *theirs.auth]]
        assert [(rr.rrtype, rr.ttl_s, to_text(rr.owner)) for rr in ours] == expected
