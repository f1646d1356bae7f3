"""How a blocked name is answered: the sections and EDNS options of the response, ready for the wire.

Every block carries an SOA, so that clients cache it for its TTL instead of asking again (RFC 2308 5), and an Extended
DNS Error that tells whose block it is (RFC 8914).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from blocklists.rule import ListRule, RuleAction
from dnswire import edns, name, rdata
from dnswire.constants import EdeCode, Rcode, RRType
from dnswire.response import question_rr, soa_rr
from policy.model import AnswerKind, BlockAnswer, Decision, Ede

_ADDRESS_SIZES: Final[dict[int, int]] = {RRType.A: 4, RRType.AAAA: 16}

_BINDINGS: Final = (RRType.HTTPS, RRType.SVCB)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Sections of a response of our own; ``alias`` is the name to resolve in the question's stead (REDIRECT).

    ``truncated``: with the TC bit, so that the client asks again over TCP. ``silent``: a list asks to drop the query.
    """

    rcode: int
    answer: bytes = b""
    ancount: int = 0
    authority: bytes = b""
    nscount: int = 0
    options: bytes = b""
    alias: bytes = b""
    ttl_s: int = 0
    truncated: bool = False
    silent: bool = False


def render(decision: Decision, rrtype: int, max_ttl_s: int) -> Rendered:
    """The response to a question of type ``rrtype`` that ``decision`` blocks or redirects.

    ``max_ttl_s``: seconds to the next edge of the policy, which no TTL may reach over.
    """
    answer = decision.answer or BlockAnswer()
    ttl_s = max(min(answer.ttl_s, max_ttl_s), 0)
    options = ede_option(decision)
    stated = decision.stated
    if stated is not None:
        return _as_stated(stated, rrtype, ttl_s, options)
    if answer.kind is AnswerKind.REFUSED:
        return Rendered(Rcode.REFUSED, options=options)
    if answer.kind is AnswerKind.REDIRECT:
        if rrtype in _BINDINGS:  # its hints and targets would lead past the name that is redirected to
            return _nothing(Rcode.NOERROR, ttl_s, options)
        return _alias(answer.name, ttl_s, options)
    octets = _address(answer, rrtype)
    if octets:
        return Rendered(Rcode.NOERROR, question_rr(rrtype, ttl_s, octets), 1, options=options, ttl_s=ttl_s)
    return _nothing(Rcode.NXDOMAIN if answer.kind is AnswerKind.NXDOMAIN else Rcode.NOERROR, ttl_s, options)


def _nothing(rcode: int, ttl_s: int, options: bytes) -> Rendered:
    return Rendered(rcode, authority=soa_rr(ttl_s), nscount=1, options=options, ttl_s=ttl_s)


def _alias(text: str, ttl_s: int, options: bytes) -> Rendered:
    target = name.from_text(text)
    rr = question_rr(RRType.CNAME, ttl_s, target)
    return Rendered(Rcode.NOERROR, rr, 1, options=options, alias=target.lower(), ttl_s=ttl_s)


def _as_stated(rule: ListRule, rrtype: int, ttl_s: int, options: bytes) -> Rendered:
    """The answer that a rule of a list states."""
    action = rule.action
    if action is RuleAction.DROP:
        return Rendered(Rcode.REFUSED, options=options, silent=True)
    if action is RuleAction.TCP_ONLY:
        return Rendered(Rcode.NOERROR, truncated=True)
    if action is RuleAction.REFUSED:
        return Rendered(Rcode.REFUSED, options=options)
    if action is RuleAction.NXDOMAIN:
        return _nothing(Rcode.NXDOMAIN, ttl_s, options)
    if rule.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return Rendered(rule.rcode, options=options)  # an error is no negative answer: nobody keeps it
    for datum in rule.data:
        if datum.rrtype == RRType.CNAME:
            return _alias(datum.data, ttl_s, options)
    found = [datum for datum in rule.data if datum.rrtype == rrtype]
    if not found:
        return _nothing(rule.rcode, ttl_s, options)
    rrs = b"".join(question_rr(rrtype, ttl_s, rdata.to_wire(rrtype, datum.data)) for datum in found)
    return Rendered(Rcode.NOERROR, rrs, len(found), options=options, ttl_s=ttl_s)


def ede_option(decision: Decision) -> bytes:
    """The Extended DNS Error of a decision in wire form, empty where it has none."""
    if decision.ede is Ede.NONE:
        return b""
    return edns.ede(EdeCode(decision.ede), decision.ede_text)


def _address(answer: BlockAnswer, rrtype: int) -> bytes:
    """RDATA for an A or AAAA question that is answered with an address, else empty (NODATA)."""
    if answer.kind is AnswerKind.NULL:
        return bytes(_ADDRESS_SIZES.get(rrtype, 0))
    if answer.kind is not AnswerKind.PAGE:
        return b""
    if rrtype == RRType.A and answer.address4:
        return ipaddress.IPv4Address(answer.address4).packed
    if rrtype == RRType.AAAA and answer.address6:
        return ipaddress.IPv6Address(answer.address6).packed
    return b""
