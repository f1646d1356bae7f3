"""Types and response codes by name, for arguments and tables (IANA, "DNS Parameters")."""

from __future__ import annotations

from dnswire.rrtypes import type_number, type_text
from querylog.record import NO_RESPONSE

__all__ = ["rcode_text", "type_number", "type_text"]

_RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")


def rcode_text(number: int) -> str:
    """``NXDOMAIN``, ``RCODE<n>``, or ``NONE`` where no response was sent."""
    if number == NO_RESPONSE:
        return "NONE"
    return _RCODES[number] if number < len(_RCODES) else f"RCODE{number}"
