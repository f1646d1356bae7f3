"""An answer without its additional section is the same answer otherwise."""

from __future__ import annotations

from dnswire.answer import parse_answer, records
from dnswire.less import without_additional
from tests.support import dns_messages as say


def test_answer_authority_and_what_an_opt_rr_said_stay() -> None:
    found = parse_answer(
        say.response(
            say.question("www.example"),
            answer=(say.a("www.example"),),
            authority=(say.soa("example"),),
            additional=(say.a("ns.example", "10.0.0.1"), say.opt(say.ede(3, "old"))),
        )
    )
    assert found.glue == (bytes((10, 0, 0, 1)),)
    less = without_additional(found)
    assert (less.ancount, less.nscount, less.arcount, less.glue) == (1, 1, 0, ())
    assert [one for one in records(found) if one.section < 2] == list(records(less))
    assert (less.ede, less.rcode, less.ttl_s, less.addresses) == (((3, "old"),), 0, found.ttl_s, found.addresses)


def test_an_extended_rcode_stays() -> None:
    message = say.response(say.question("www.example"), additional=(say.a("ns.example"), say.opt(extended_rcode=1)))
    assert without_additional(parse_answer(message)).rcode == parse_answer(message).rcode == 16
