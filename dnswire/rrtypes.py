"""Types of resource records by name (IANA, "Domain Name System (DNS) Parameters")."""

from __future__ import annotations

from typing import Final

MAX_TYPE: Final = 65_535

_NAMES: Final[dict[str, int]] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "HINFO": 13,
    "MX": 15,
    "TXT": 16,
    "RP": 17,
    "AFSDB": 18,
    "SIG": 24,
    "KEY": 25,
    "AAAA": 28,
    "LOC": 29,
    "SRV": 33,
    "NAPTR": 35,
    "KX": 36,
    "CERT": 37,
    "DNAME": 39,
    "OPT": 41,
    "APL": 42,
    "DS": 43,
    "SSHFP": 44,
    "IPSECKEY": 45,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "DHCID": 49,
    "NSEC3": 50,
    "NSEC3PARAM": 51,
    "TLSA": 52,
    "SMIMEA": 53,
    "HIP": 55,
    "CDS": 59,
    "CDNSKEY": 60,
    "OPENPGPKEY": 61,
    "CSYNC": 62,
    "ZONEMD": 63,
    "SVCB": 64,
    "HTTPS": 65,
    "SPF": 99,
    "EUI48": 108,
    "EUI64": 109,
    "TKEY": 249,
    "TSIG": 250,
    "IXFR": 251,
    "AXFR": 252,
    "ANY": 255,
    "URI": 256,
    "CAA": 257,
    "AVC": 258,
    "TA": 32_768,
    "DLV": 32_769,
}
_TEXTS: Final = {number: name for name, number in _NAMES.items()}


def type_number(text: str) -> int:
    """The number of ``AAAA``, ``TYPE28`` or ``28``. Raises ``ValueError``."""
    upper = text.strip().upper()
    if upper in _NAMES:
        return _NAMES[upper]
    digits = upper.removeprefix("TYPE")
    if digits.isascii() and digits.isdecimal() and len(digits) <= 5 and int(digits) <= MAX_TYPE:
        return int(digits)
    raise ValueError(f"{text!r} is no type; write for example A, AAAA, HTTPS or TYPE65 (RFC 3597)")


def type_text(number: int) -> str:
    """``AAAA``, or ``TYPE<n>`` (RFC 3597, section 5) for those without a name here."""
    return _TEXTS.get(number, f"TYPE{number}")
