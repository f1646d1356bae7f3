"""The nameservers that an answer's authority section names, for lists that speak of them."""

from __future__ import annotations

from dnswire.answer import parse_answer
from dnswire.name import from_text
from resolver.inspection import servers
from tests.support.dns import answer, ask
from tests.support.mutation import mutations

LINES = ["situs.example. 300 IN A 192.0.2.1"]
SERVERS = ["situs.example. 300 IN NS NS1.contoh.example.", "situs.example. 300 IN NS ns2.contoh.example."]
GLUE = [
    "Ns1.contoh.example. 300 IN A 203.0.113.1",
    "ns1.contoh.example. 300 IN AAAA 2001:db8::1",
    "lain.example. 300 IN A 203.0.113.9",
]


def test_servers_with_the_addresses_that_came_along() -> None:
    heard = parse_answer(answer(ask("situs.example"), *LINES, authority=SERVERS, additional=GLUE))
    assert servers(heard) == {
        from_text("ns1.contoh.example"): [b"\xcb\0\x71\1", b"\x20\1\x0d\xb8" + bytes(11) + b"\1"],
        from_text("ns2.contoh.example"): [],
    }
    assert servers(parse_answer(answer(ask("situs.example"), *LINES))) == {}


def test_a_damaged_authority_section_names_none() -> None:
    whole = answer(ask("situs.example"), *LINES, authority=SERVERS, additional=GLUE)
    for damaged in mutations([whole], 3000, seed=3):
        try:
            heard = parse_answer(damaged)
        except ValueError:
            continue
        for name, addresses in servers(heard).items():
            assert len(name) <= 255
            assert all(len(address) in (4, 16) for address in addresses)
