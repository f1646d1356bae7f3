"""``$dnsrewrite``: what a rule answers instead of the upstream.

The value is a response code in capitals, an address, a name (a CNAME), or all three parts, ``RCODE;RRTYPE;VALUE``.
Source: AdGuard, "DNS filtering rules syntax", section ``dnsrewrite``.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from blocklists.rule import Datum, RuleAction
from dnswire.constants import Rcode, RRType
from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, to_text
from dnswire.rdata import quoted, to_wire
from dnswire.rrtypes import type_number

# Those of RFC 1035 and 2136 that answer one question; the others are about updates and transfers.
RCODES: Final = {
    "NOERROR": Rcode.NOERROR,
    "FORMERR": Rcode.FORMERR,
    "SERVFAIL": Rcode.SERVFAIL,
    "NXDOMAIN": Rcode.NXDOMAIN,
    "NOTIMP": Rcode.NOTIMP,
    "REFUSED": Rcode.REFUSED,
}
_ACTIONS: Final = {
    Rcode.NOERROR: RuleAction.NODATA,
    Rcode.NXDOMAIN: RuleAction.NXDOMAIN,
    Rcode.REFUSED: RuleAction.REFUSED,
}
_TYPES: Final = frozenset(
    (
        RRType.A,
        RRType.AAAA,
        RRType.CNAME,
        RRType.PTR,
        RRType.MX,
        RRType.TXT,
        RRType.SRV,
        RRType.SVCB,
        RRType.HTTPS,
    )
)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """``action``, ``rcode`` and ``data`` as in ``ListRule``."""

    action: RuleAction
    rcode: int = 0
    data: tuple[Datum, ...] = ()


def read_rewrite(value: str, allows: bool) -> Rewrite | None:
    """The value of the modifier; None where it cannot be one. Empty it stands in exceptions only: for all rewrites."""
    if not value:
        return Rewrite(RuleAction.ALLOW) if allows else None
    parts = value.split(";", 2)
    rewrite = _short(value) if len(parts) == 1 else _full(parts)
    if rewrite is None:
        return None
    return Rewrite(RuleAction.ALLOW, rewrite.rcode, rewrite.data) if allows else rewrite


def _short(value: str) -> Rewrite | None:
    if value in RCODES:
        return _empty(RCODES[value])
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return _answered(RRType.CNAME, value)
    return _answered(RRType.A if address.version == 4 else RRType.AAAA, value)


def _full(parts: list[str]) -> Rewrite | None:
    if len(parts) != 3:
        return None
    rcode = RCODES.get(parts[0])
    if rcode is None:
        return None
    if not parts[1] and not parts[2]:
        return _empty(rcode)
    if rcode is not Rcode.NOERROR:
        return None
    try:
        return _answered(type_number(parts[1]), parts[2])
    except ValueError:
        return None


def _empty(rcode: Rcode) -> Rewrite:
    return Rewrite(_ACTIONS.get(rcode, RuleAction.REWRITE), int(rcode))


def _answered(rrtype: int, value: str) -> Rewrite | None:
    if rrtype not in _TYPES:
        return None
    try:
        data = canonical(rrtype, value)
        to_wire(rrtype, data)
    except ValueError:
        return None
    return Rewrite(RuleAction.REWRITE, 0, (Datum(int(rrtype), data),))


def canonical(rrtype: int, value: str) -> str:
    """The one spelling of RDATA as lists write it: names in lower case without trailing dot, addresses short, the whole
    text of a TXT as one string. Raises ``ValueError``.
    """
    if rrtype in (RRType.A, RRType.AAAA):
        return str(ipaddress.ip_address(value.strip()))
    if rrtype in (RRType.CNAME, RRType.PTR):
        return _name(value.strip())
    if rrtype == RRType.TXT:
        return quoted(value.encode("utf-8", "replace"))
    words = value.split()
    at = {RRType.MX: 1, RRType.SRV: 3}.get(RRType(rrtype), 1)
    if len(words) <= at:
        raise ValueError(f"{value!r} has {len(words)} fields")
    words[at] = _name(words[at])
    return " ".join(words)


def _name(text: str) -> str:
    try:
        return to_text(from_text(text).lower())
    except NameSyntaxError as error:
        raise ValueError(str(error)) from None
