"""Step 7 of a query's way: whom the answer points to.

A name that passes may lead by CNAME, DNAME, HTTPS or SVCB to one that does not, or to a blocked address. Each is put
to the same decision function as the question; on cache hits too, since the policy may have changed after caching.
"""

from __future__ import annotations

from contextlib import suppress

from blocklists.asker import Asker
from blocklists.index import Index
from blocklists.rules_index import RulesIndex
from dnswire.answer import Answer, records
from dnswire.constants import RRClass, RRType
from dnswire.errors import WireError
from dnswire.name import read
from policy.decide import combine, decide, decide_address
from policy.model import Decision, Verdict, Via
from policy.view import View

_AUTHORITY = 1
_ADDRESS_TYPES = (RRType.A, RRType.AAAA)


def inspect(view: View, index: Index, question: Decision, answer: Answer, rrtype: int, asker: Asker) -> Decision:
    """The decision on the whole exchange: the question's, or the first block that something in the answer earns.

    Lists' rules about types see the type of the RR that led on (AdGuard, ``dnstype``): CNAME for an alias.
    """
    decision = question
    for target in answer.aliases:
        decision = combine(decision, decide_alias(view, index, target, rrtype, asker), Via.ALIAS)
        if bars(decision):
            return decision
    for target in answer.bindings:
        matches = index.ask(target, rrtype, asker)
        decision = combine(decision, decide(view, matches, target, rrtype), Via.SERVICE_BINDING)
        if bars(decision):
            return decision
    rules = index.rules
    for address in answer.addresses:
        said = rules.match_address(address, asker) if rules is not None else ()
        decision = combine(decision, decide_address(view, address, said), Via.ADDRESS)
        if bars(decision):
            return decision
    if rules is not None and rules.about_servers:
        decision = _inspect_servers(view, rules, decision, answer, asker)
    return decision


def decide_alias(view: View, index: Index, target: bytes, rrtype: int, asker: Asker) -> Decision:
    """The decision on a name that a CNAME leads to."""
    return decide(view, index.ask(target, RRType.CNAME, asker), target, rrtype)


def _inspect_servers(view: View, rules: RulesIndex, question: Decision, answer: Answer, asker: Asker) -> Decision:
    decision = question
    for name, addresses in servers(answer).items():
        said = rules.match_server(name, addresses, asker)
        if said:
            decision = combine(decision, decide_address(view, b"", said), Via.NAMESERVER)
            if bars(decision):
                break
    return decision


def servers(answer: Answer) -> dict[bytes, list[bytes]]:
    """The nameservers that the answer's authority section names, each with the addresses that came along.

    Upstreams seldom send them: a resolver that forwards knows no more of a zone's servers than what it is told.
    """
    found: dict[bytes, list[bytes]] = {}
    if not answer.nscount:
        return found
    # What nothing else reads was not checked when the answer came: names of the authority section among it.
    with suppress(WireError):
        for record in records(answer):
            if record.rrclass != RRClass.IN:
                continue
            if record.section == _AUTHORITY and record.rrtype == RRType.NS:
                found.setdefault(read(answer.message, record.rdata_offset)[0].lower(), [])
            elif record.section > _AUTHORITY and record.rrtype in _ADDRESS_TYPES:
                addresses = found.get(record.owner.lower())
                if addresses is not None:
                    addresses.append(record.rdata)
    return found


def bars(decision: Decision) -> bool:
    """Whether the decision keeps the upstream's answer from the client."""
    return decision.verdict is Verdict.BLOCKED or decision.verdict is Verdict.REDIRECTED
