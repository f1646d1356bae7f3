"""Types of resource records by name, for arguments and tables (IANA, "DNS Parameters")."""

from __future__ import annotations

_NAMES: dict[str, int] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "NAPTR": 35,
    "DNAME": 39,
    "DS": 43,
    "SSHFP": 44,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "TLSA": 52,
    "SVCB": 64,
    "HTTPS": 65,
    "ANY": 255,
    "CAA": 257,
}
_TEXTS = {number: name for name, number in _NAMES.items()}
_RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")


def type_number(text: str) -> int:
    """The number of ``AAAA``, ``TYPE28`` or ``28``. Raises ``ValueError``."""
    upper = text.strip().upper()
    if upper in _NAMES:
        return _NAMES[upper]
    digits = upper.removeprefix("TYPE")
    if digits.isascii() and digits.isdecimal() and len(digits) <= 5 and int(digits) <= 65_535:
        return int(digits)
    raise ValueError(f"{text!r} is no type; write for example A, AAAA, HTTPS or TYPE65 (RFC 3597)")


def type_text(number: int) -> str:
    """``AAAA``, or ``TYPE<n>`` (RFC 3597, section 5) for those without a name here."""
    return _TEXTS.get(number, f"TYPE{number}")


def rcode_text(number: int) -> str:
    """``NXDOMAIN``, or ``RCODE<n>``."""
    return _RCODES[number] if number < len(_RCODES) else f"RCODE{number}"
