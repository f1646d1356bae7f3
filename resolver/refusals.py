"""What Saring says of its own where it does not take a question further: ready for the wire, with the reason."""

from __future__ import annotations

from typing import Final

from dnswire import edns
from dnswire.constants import EdeCode, Rcode
from resolver.block import Rendered

MALFORMED: Final = Rendered(Rcode.FORMERR)
TRY_TCP: Final = Rendered(Rcode.NOERROR, truncated=True)
TOO_FAST: Final = Rendered(
    Rcode.REFUSED, options=edns.ede(EdeCode.PROHIBITED, "This address asks too much in too short a time")
)
STRANGER: Final = Rendered(
    Rcode.REFUSED, options=edns.ede(EdeCode.PROHIBITED, "This address belongs to no registered network")
)
NOT_RECURSIVE: Final = Rendered(
    Rcode.REFUSED, options=edns.ede(EdeCode.PROHIBITED, "RD=0: only recursive queries are answered here")
)
TOO_MANY: Final = Rendered(
    Rcode.SERVFAIL,
    options=edns.ede(EdeCode.OTHER, "Too many queries of this client or for this zone wait for upstreams"),
)

# Beside an upstream's answer that has expired (RFC 8767).
OLD: Final = edns.ede(EdeCode.STALE_ANSWER, "upstreams do not answer; this is what they said before")
OLD_NXDOMAIN: Final = edns.ede(EdeCode.STALE_NXDOMAIN, "upstreams do not answer; this is what they said before")
