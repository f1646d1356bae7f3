"""Names that must never leave this machine: answered here, without upstreams and lists.

The canary name that keeps browsers from bypassing the resolver, and the special-use names of RFC 6761, RFC 7686 and
RFC 6303.
"""

from __future__ import annotations

from typing import Final

from dnswire import name
from dnswire.constants import Rcode, RRType
from dnswire.query import Query
from dnswire.response import question_rr, soa_rr
from policy.bypass import CANARY, hides_canary
from policy.model import Decision
from resolver.block import Rendered

_TTL_S: Final = 60

_LOCALHOST: Final = name.from_text("localhost")
_LOOPBACK: Final[dict[int, bytes]] = {RRType.A: bytes((127, 0, 0, 1)), RRType.AAAA: bytes(15) + b"\x01"}

# RFC 6761 6.4 (invalid), RFC 7686 2 (onion), and the reverse zones of private and local addresses (RFC 6303 4):
# asking an upstream for these tells it about our inside and can only be answered by a liar.
_NEVER_EXIST: Final = tuple(
    name.from_text(text)
    for text in (
        "invalid",
        "onion",
        "10.in-addr.arpa",
        *(f"{octet}.172.in-addr.arpa" for octet in range(16, 32)),
        "168.192.in-addr.arpa",
        "254.169.in-addr.arpa",
        "0.in-addr.arpa",
        "127.in-addr.arpa",
        "255.255.255.255.in-addr.arpa",
        "d.f.ip6.arpa",
        "8.e.f.ip6.arpa",
        "9.e.f.ip6.arpa",
        "a.e.f.ip6.arpa",
        "b.e.f.ip6.arpa",
    )
)
_NEVER_EXIST_SET: Final = frozenset(_NEVER_EXIST)
_ARPA: Final = b"\x04arpa\x00"
_LAST_LABELS: Final = (_ARPA, b"\x07invalid\x00", b"\x05onion\x00", _LOCALHOST)


def special_name(query: Query, decision: Decision, inside: bool) -> Rendered | None:
    """The answer to a name that is never asked upstream, None for all others.

    ``decision``: on the name; it counts for the canary name alone, where Firefox turns its own DoH off if that does not
    exist. ``inside``: a route leads to servers that know our own networks; reverse zones of private addresses are
    theirs then.
    """
    qname = query.name
    if qname == CANARY and hides_canary(qname, decision):
        return Rendered(Rcode.NXDOMAIN, authority=soa_rr(_TTL_S), nscount=1)
    if not qname.endswith(_LAST_LABELS):
        return None
    if name.is_subdomain(qname, _LOCALHOST):
        rdata = _LOOPBACK.get(query.rrtype)
        if rdata is None:
            return Rendered(Rcode.NOERROR, authority=soa_rr(_TTL_S), nscount=1)
        return Rendered(Rcode.NOERROR, question_rr(query.rrtype, _TTL_S, rdata), 1)
    if inside and qname.endswith(_ARPA):
        return None
    if not _NEVER_EXIST_SET.isdisjoint(name.parents(qname)):
        return Rendered(Rcode.NXDOMAIN, authority=soa_rr(_TTL_S), nscount=1)
    return None
