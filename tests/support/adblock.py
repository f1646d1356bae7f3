"""An adblock list on its whole way, text to verdict: parsed, compiled, opened, asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from blocklists.asker import Client
from blocklists.compiler import ListInput, compile_index
from blocklists.index import Index
from blocklists.progress import Silent
from blocklists.source import Source
from dnswire import name as wire
from dnswire.rrtypes import type_number
from policy.decide import decide, decide_address
from policy.model import Category, Decision, ListInfo, Policy, Regency, Verdict
from policy.resolve import resolve
from resolver.block import render
from tests.support.lists import parsed_from

LIST: Final = 1
POLICY: Final = Policy(
    Regency("Contoh"),
    categories=(Category(1, "iklan", "Iklan", True),),
    lists=(ListInfo(LIST, "adguard", "AdGuard", (1,)),),
)


class Filter:
    """A list of a negative category, in force for everybody."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._view = resolve(POLICY, 0.0).tenant(0, 0).view

    def decide(self, qname: str, rrtype: str = "A", client: Client | None = None) -> Decision:
        """The decision on a question."""
        name = wire.from_text(qname).lower()
        number = type_number(rrtype)
        matches = self.index.ask(name, number, self.index.asker(client or Client()))
        return decide(self._view, matches, name, number)

    def says(self, qname: str, rrtype: str = "A", client: Client | None = None) -> str:
        """``pass``, ``block``, or the answer that the list states: a response code, or RDATA in hexadecimal."""
        decision = self.decide(qname, rrtype, client)
        if decision.verdict is Verdict.ALLOWED:
            return "pass"
        if decision.stated is None:
            return "block"
        rendered = render(decision, type_number(rrtype), 60)
        if rendered.alias:
            return f"CNAME {wire.to_text(rendered.alias)}"
        if not rendered.ancount:
            return ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")[rendered.rcode]
        return " ".join(sorted(_rdata(rendered.answer)))

    def says_of_address(self, text: str) -> str:
        """``pass`` or ``block`` of an answer that holds the address."""
        address = ipaddress.ip_address(text).packed
        rules = self.index.rules
        matches = rules.match_address(address, self.index.asker(Client())) if rules is not None else ()
        decision = decide_address(self._view, address, matches)
        return "pass" if decision.verdict is Verdict.ALLOWED else "block"


def _rdata(rrs: bytes) -> Iterator[str]:
    offset = 0
    while offset < len(rrs):
        size = int.from_bytes(rrs[offset + 10 : offset + 12], "big")  # the owner is a pointer of two octets
        yield rrs[offset + 12 : offset + 12 + size].hex()
        offset += 12 + size


@contextmanager
def filtering(directory: Path, lines: Sequence[str]) -> Iterator[Filter]:
    """The list of these lines, in force."""
    source = Source("adguard", "x", format="adblock", rewrites=True)
    parsed = parsed_from(directory, "\n".join([*lines, ""]).encode(), source)
    inputs = [ListInput(LIST, "adguard", parsed.entries)] if parsed.entries is not None else []
    index = Index.open(compile_index(inputs, directory / "index", Silent()).path)
    try:
        yield Filter(index)
    finally:
        index.close()
