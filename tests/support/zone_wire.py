"""Messages of zone transfers, made by hand: what a primary sends, and what one that lies sends."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from dnswire.constants import RRClass, RRType
from dnswire.name import from_text

ZONE = from_text("rpz.test")
AA_ANSWER = 0x8400
_ROOT = b"\x00"


def rr(owner: str | bytes, rrtype: int, rdata: bytes, rrclass: int = RRClass.IN, ttl_s: int = 60) -> bytes:
    """One RR; ``owner`` is text relative to the zone ("" for its apex), or a wire name as it is."""
    name = owner if isinstance(owner, bytes) else in_zone(owner)
    return name + struct.pack(">HHIH", rrtype, rrclass, ttl_s, len(rdata)) + rdata


def in_zone(owner: str) -> bytes:
    """The wire name of an owner relative to the zone."""
    return from_text(f"{owner}.rpz.test") if owner else ZONE


def soa(serial: int, zone: bytes = ZONE, refresh_s: int = 3600) -> bytes:
    """The zone's SOA."""
    numbers = struct.pack(">IIIII", serial, refresh_s, 600, 86_400, 60)
    return rr(zone, RRType.SOA, _ROOT + _ROOT + numbers)


def block(owner: str, target: str = ".") -> bytes:
    """``owner CNAME target``."""
    return rr(owner, RRType.CNAME, from_text(target))


def header(message_id: int, answers: int, *, flags: int = AA_ANSWER, questions: int = 1, additional: int = 0) -> bytes:
    """A message's header."""
    return struct.pack(">HHHHHH", message_id, flags, questions, answers, 0, additional)


def question(rrtype: int, zone: bytes = ZONE, rrclass: int = RRClass.IN) -> bytes:
    """A question."""
    return zone + struct.pack(">HH", rrtype, rrclass)


def answer(message_id: int, rrtype: int, records: Sequence[bytes], *, flags: int = AA_ANSWER) -> bytes:
    """A whole answer message."""
    return header(message_id, len(records), flags=flags) + question(rrtype) + b"".join(records)
