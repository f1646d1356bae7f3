"""What the server says of itself, and the names that must never leave this machine.

These answers need no upstream and no list: server identity (RFC 4892, RFC 5001), the canary name that keeps browsers
from bypassing the resolver, and the special-use names of RFC 6761 and RFC 6303. Names below ``saring.`` are in
``saring_names.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dnswire import edns, name
from dnswire.constants import EdnsOption, Rcode, RRClass, RRType
from dnswire.query import Query
from dnswire.response import question_rr, soa_rr
from policy.bypass import hides_canary
from policy.model import Decision
from resolver.block import Rendered

_TTL_S: Final = 60
_ANY_TTL_S: Final = 3_600

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


@dataclass(frozen=True, slots=True)
class Identity:
    """What this worker says about itself."""

    version: str
    hostname: str


def about_server(query: Query, identity: Identity) -> Rendered:
    """The answer to a question of class CH: TXT of the four names people ask (RFC 4892), REFUSED for all others."""
    text = {
        b"\x07version\x04bind\x00": f"Saring {identity.version}",
        b"\x07version\x06server\x00": f"Saring {identity.version}",
        b"\x08hostname\x04bind\x00": identity.hostname,
        b"\x02id\x06server\x00": identity.hostname,
    }.get(query.name)
    if text is None or query.rrtype not in (RRType.TXT, RRType.ANY):
        return Rendered(Rcode.REFUSED)
    return Rendered(Rcode.NOERROR, question_rr(RRType.TXT, 0, txt(text), RRClass.CH), 1)


def special_name(query: Query, decision: Decision, inside: bool) -> Rendered | None:
    """The answer to a name that is never asked upstream, None for all others.

    ``decision``: on the name; it counts for the canary name alone, where Firefox turns its own DoH off if that does not
    exist. ``inside``: a route leads to servers that know our own networks; reverse zones of private addresses are
    theirs then.
    """
    qname = query.name
    if hides_canary(qname, decision):
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
    if any(parent in _NEVER_EXIST_SET for parent in name.parents(qname)):
        return Rendered(Rcode.NXDOMAIN, authority=soa_rr(_TTL_S), nscount=1)
    return None


def identity_options(query: Query, identity: Identity) -> bytes:
    """EDNS options that a query asks for: NSID (RFC 5001), where it is asked with empty data."""
    if not query.edns_options:
        return b""
    for code, _ in edns.options(query.edns_options):
        if code == EdnsOption.NSID:
            return edns.option(EdnsOption.NSID, identity.hostname.encode()[:128])
    return b""


# RFC 8482 4.2: a synthesized HINFO answers ANY, which otherwise amplifies and helps nobody.
ANY_ANSWER: Final = Rendered(Rcode.NOERROR, question_rr(RRType.HINFO, _ANY_TTL_S, b"\x07RFC8482\x00"), 1)


def txt(text: str) -> bytes:
    """One TXT character-string; text over 255 octets is cut."""
    data = text.encode()[:255]
    return bytes((len(data),)) + data
