"""How a blocked name is answered: the sections and EDNS options of the response, ready for the wire.

Every block carries an SOA, so that clients cache it for its TTL instead of asking again (RFC 2308 5), and an Extended
DNS Error that tells whose block it is (RFC 8914).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from dnswire import edns, name
from dnswire.constants import EdeCode, Rcode, RRType
from dnswire.response import question_rr, soa_rr
from policy.model import AnswerKind, BlockAnswer, Decision, Ede

_ADDRESS_SIZES: Final[dict[int, int]] = {RRType.A: 4, RRType.AAAA: 16}


@dataclass(frozen=True, slots=True)
class Rendered:
    """Sections of a response of our own; ``alias`` is the name to resolve in the question's stead (REDIRECT)."""

    rcode: int
    answer: bytes = b""
    ancount: int = 0
    authority: bytes = b""
    nscount: int = 0
    options: bytes = b""
    alias: bytes = b""
    ttl_s: int = 0


def render(decision: Decision, rrtype: int, max_ttl_s: int) -> Rendered:
    """The response to a question of type ``rrtype`` that ``decision`` blocks or redirects.

    ``max_ttl_s``: seconds to the next edge of the policy, which no TTL may reach over.
    """
    answer = decision.answer or BlockAnswer()
    ttl_s = max(min(answer.ttl_s, max_ttl_s), 0)
    options = ede_option(decision)
    if answer.kind is AnswerKind.REFUSED:
        return Rendered(Rcode.REFUSED, options=options)
    if answer.kind is AnswerKind.REDIRECT:
        target = name.from_text(answer.name)
        rr = question_rr(RRType.CNAME, ttl_s, target)
        return Rendered(Rcode.NOERROR, rr, 1, options=options, alias=target.lower(), ttl_s=ttl_s)
    rdata = _address(answer, rrtype)
    if rdata:
        return Rendered(Rcode.NOERROR, question_rr(rrtype, ttl_s, rdata), 1, options=options, ttl_s=ttl_s)
    rcode = Rcode.NXDOMAIN if answer.kind is AnswerKind.NXDOMAIN else Rcode.NOERROR
    return Rendered(rcode, authority=soa_rr(ttl_s), nscount=1, options=options, ttl_s=ttl_s)


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
