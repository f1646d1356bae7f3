"""Step 7 of a query's way: whom the answer points to.

A name that passes may lead by CNAME, DNAME, HTTPS or SVCB to one that does not, or to a blocked address. Each is put
to the same decision function as the question; on cache hits too, since the policy may have changed after caching.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from blocklists.asker import Asker
from blocklists.index import Index
from dnswire.answer import Answer, records
from dnswire.constants import RRClass, RRType
from dnswire.errors import WireError
from dnswire.name import read
from policy.decide import combine, decide, decide_address
from policy.model import Decision, Verdict, Via
from policy.view import View

if TYPE_CHECKING:
    from blocklists.rules_index import RulesIndex

_AUTHORITY = 1
_ADDRESS_TYPES = (RRType.A, RRType.AAAA)


class Hop(NamedTuple):
    """One thing that an answer leads to: a name in lower case, an address, or (``via`` NAMESERVER) both."""

    via: Via
    name: bytes = b""
    addresses: tuple[bytes, ...] = ()


def hops(answer: Answer, rules: RulesIndex | None) -> Iterator[Hop]:
    """Everything in ``answer`` that policy may have a say in, in the order in which it is asked."""
    for target in answer.aliases:
        yield Hop(Via.ALIAS, target)
    for target in answer.bindings:
        yield Hop(Via.SERVICE_BINDING, target)
    for address in answer.addresses + answer.glue:
        yield Hop(Via.ADDRESS, b"", (address,))
    if rules is not None and rules.about_servers:
        for name, addresses in servers(answer).items():
            yield Hop(Via.NAMESERVER, name, tuple(addresses))


def inspect(view: View, index: Index, question: Decision, answer: Answer, rrtype: int, asker: Asker) -> Decision:
    """The decision on the whole exchange: the question's, or the first block that something in the answer earns."""
    decision = question
    for hop in hops(answer, index.rules):
        decision = combine(decision, decide_hop(view, index, hop, rrtype, asker), hop.via)
        if bars(decision):
            break
    return decision


def decide_hop(view: View, index: Index, hop: Hop, rrtype: int, asker: Asker) -> Decision:
    """The decision on what an answer to a question of type ``rrtype`` leads to, for itself."""
    if hop.via is Via.ALIAS:
        return decide_alias(view, index, hop.name, rrtype, asker)
    if hop.via is Via.SERVICE_BINDING:
        return decide(view, index.ask(hop.name, rrtype, asker), hop.name, rrtype)
    rules = index.rules
    if hop.via is Via.ADDRESS:
        address = hop.addresses[0]
        return decide_address(view, address, rules.match_address(address, asker) if rules is not None else ())
    said = rules.match_server(hop.name, hop.addresses, asker) if rules is not None else ()
    return decide_address(view, b"", said)


def decide_alias(view: View, index: Index, target: bytes, rrtype: int, asker: Asker) -> Decision:
    """The decision on a name that a CNAME leads to.

    Lists' rules about types see the type of the RR that led on (AdGuard, ``dnstype``): CNAME for an alias.
    """
    return decide(view, index.ask(target, RRType.CNAME, asker), target, rrtype)


def servers(answer: Answer) -> dict[bytes, list[bytes]]:
    """The nameservers that the answer names, each with the addresses that came along.

    They stand in the authority section, and in the answer to a question for them. Upstreams seldom send them: a
    resolver that forwards knows no more of a zone's servers than what it is told.
    """
    found: dict[bytes, list[bytes]] = {}
    if not answer.nscount and answer.rrtype != RRType.NS:
        return found
    # What nothing else reads was not checked when the answer came: names of the authority section among it.
    with suppress(WireError):
        for record in records(answer):
            if record.rrclass != RRClass.IN:
                continue
            if record.section <= _AUTHORITY and record.rrtype == RRType.NS:
                found.setdefault(read(answer.message, record.rdata_offset)[0].lower(), [])
            elif record.section > _AUTHORITY and record.rrtype in _ADDRESS_TYPES:
                addresses = found.get(record.owner.lower())
                if addresses is not None:
                    addresses.append(record.rdata)
    return found


def bars(decision: Decision) -> bool:
    """Whether the decision keeps the upstream's answer from the client."""
    return decision.verdict is Verdict.BLOCKED or decision.verdict is Verdict.REDIRECTED
