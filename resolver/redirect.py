"""The response that begins with a CNAME of ours: behind it, what is known of the target."""

from __future__ import annotations

from dnswire import name as wire
from dnswire.answer import Answer, records
from dnswire.constants import Rcode, RRType
from dnswire.edns import ede
from dnswire.response import rr, soa_rr
from resolver.block import Rendered
from resolver.cache import is_failure

_ADDRESS_TYPES = (RRType.A, RRType.AAAA)


def redirected(rendered: Rendered, answer: Answer, age_s: int) -> Rendered:
    """``rendered`` completed by the answer to its alias.

    Only addresses and the aliases on the way to them are taken over; the TTL of each is aged by ``age_s`` and no longer
    than the redirection's own. Where the target has no such addresses the CNAME stands alone with an SOA: NODATA.
    Where the upstream cannot tell, neither can we: said to be empty, the name would stay so with clients for minutes.
    """
    if is_failure(answer):
        return Rendered(Rcode.SERVFAIL, options=b"".join([ede(code, text) for code, text in answer.ede]))
    sections = rendered.answer
    count = rendered.ancount
    for record in records(answer):
        if record.section or record.rrtype not in (*_ADDRESS_TYPES, RRType.CNAME):
            continue
        rdata = record.rdata
        if record.rrtype == RRType.CNAME:
            rdata = wire.read(answer.message, record.rdata_offset)[0]  # its compression points into another message
        ttl_s = max(min(record.ttl_s - age_s, rendered.ttl_s), 0)
        sections += rr(record.owner, record.rrtype, ttl_s, rdata)
        count += 1
    if count > rendered.ancount:
        return Rendered(rendered.rcode, sections, count, options=rendered.options, ttl_s=rendered.ttl_s)
    return Rendered(
        rendered.rcode, sections, count, soa_rr(rendered.ttl_s), 1, options=rendered.options, ttl_s=rendered.ttl_s
    )


def joined(rendered: Rendered, own: Rendered) -> Rendered:
    """``rendered`` completed by records of our own for its alias, whose owner they carry in full."""
    return Rendered(
        rendered.rcode,
        rendered.answer + own.answer,
        rendered.ancount + own.ancount,
        own.authority,
        own.nscount,
        rendered.options,
        ttl_s=rendered.ttl_s,
    )
