"""What the server says of itself: its identity (RFC 4892, RFC 5001), and that ANY is not served (RFC 8482).

Names below ``saring.`` are in ``saring_names.py``, names that must never leave this machine in ``special_names.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dnswire import edns
from dnswire.constants import EdnsOption, Rcode, RRClass, RRType
from dnswire.query import Query
from dnswire.response import question_rr
from resolver.block import Rendered

_ANY_TTL_S: Final = 3_600


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
