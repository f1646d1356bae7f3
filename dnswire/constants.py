"""Numbers of the protocol that Saring speaks of by name (IANA DNS Parameters)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

HEADER_SIZE: Final = 12
MAX_NAME_SIZE: Final = 255  # RFC 1035 2.3.4
MAX_LABEL_SIZE: Final = 63
MAX_MESSAGE_SIZE: Final = 65_535

FLAG_QR: Final = 0x8000
FLAG_AA: Final = 0x0400
FLAG_TC: Final = 0x0200
FLAG_RD: Final = 0x0100
FLAG_RA: Final = 0x0080
FLAG_AD: Final = 0x0020
FLAG_CD: Final = 0x0010
OPCODE_MASK: Final = 0x7800

EDNS_DO: Final = 0x8000  # in the low half of the OPT TTL


class RRType(IntEnum):
    """RR types that some line of Saring treats specially; every other number passes through as it is."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    HINFO = 13
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33
    NAPTR = 35
    DNAME = 39
    OPT = 41
    DS = 43
    RRSIG = 46
    NSEC = 47
    DNSKEY = 48
    NSEC3 = 50
    SVCB = 64
    HTTPS = 65
    TKEY = 249
    TSIG = 250
    IXFR = 251
    AXFR = 252
    MAILB = 253
    MAILA = 254
    ANY = 255


class RRClass(IntEnum):
    """RR classes."""

    IN = 1
    CH = 3
    NONE = 254
    ANY = 255


class Opcode(IntEnum):
    """Message opcodes."""

    QUERY = 0
    NOTIFY = 4
    UPDATE = 5


class Rcode(IntEnum):
    """Response codes, extended ones included."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16
    BADCOOKIE = 23


class EdnsOption(IntEnum):
    """EDNS option codes."""

    NSID = 3
    ECS = 8
    COOKIE = 10
    TCP_KEEPALIVE = 11
    PADDING = 12
    EDE = 15
    DNSMASQ_MAC = 65001  # the local range; dnsmasq's source: EDNS0_OPTION_MAC, ..._NOMDEVICEID, ..._NOMCPEID
    DNSMASQ_MAC_TEXT = 65073
    DNSMASQ_CPE_ID = 65074


class EdeCode(IntEnum):
    """Extended DNS Error info-codes (RFC 8914)."""

    OTHER = 0
    STALE_ANSWER = 3
    BLOCKED = 15
    CENSORED = 16
    FILTERED = 17
    PROHIBITED = 18
    STALE_NXDOMAIN = 19
    NOT_SUPPORTED = 21
    NO_REACHABLE_AUTHORITY = 22
    NETWORK_ERROR = 23
