"""Messages octet by octet, wrong ones too, for tests of what receives them (``dns.py`` builds only right ones)."""

from __future__ import annotations

import struct

from dnswire.name import from_text

A = 1
SOA = 6
TXT = 16
IN = 1


def rr(name: str, rrtype: int, ttl_s: int, rdata: bytes) -> bytes:
    """An RR of class IN, uncompressed."""
    return from_text(name) + struct.pack(">HHIH", rrtype, IN, ttl_s, len(rdata)) + rdata


def a(name: str, address: str = "192.0.2.1", ttl_s: int = 300) -> bytes:
    return rr(name, A, ttl_s, bytes(int(octet) for octet in address.split(".")))


def soa(zone: str, ttl_s: int = 3600, minimum_s: int = 300) -> bytes:
    rdata = from_text(f"ns.{zone}") + from_text(f"admin.{zone}") + struct.pack(">IIIII", 1, 7200, 900, 86400, minimum_s)
    return rr(zone, SOA, ttl_s, rdata)


def opt(options: bytes = b"", extended_rcode: int = 0) -> bytes:
    return b"\x00" + struct.pack(">HHBBHH", 41, 1232, extended_rcode, 0, 0, len(options)) + options


def ede(code: int, text: str = "") -> bytes:
    data = struct.pack(">H", code) + text.encode()
    return struct.pack(">HH", 15, len(data)) + data


def response(
    question: bytes,
    message_id: int = 0,
    flags: int = 0x8180,
    rcode: int = 0,
    answer: tuple[bytes, ...] = (),
    authority: tuple[bytes, ...] = (),
    additional: tuple[bytes, ...] = (),
) -> bytes:
    """A response to ``question`` (wire form: name, type, class)."""
    head = struct.pack(">HHHHHH", message_id, flags | rcode, 1, len(answer), len(authority), len(additional))
    return head + question + b"".join(answer + authority + additional)


def question(name: str, rrtype: int = A, rrclass: int = IN) -> bytes:
    return from_text(name) + struct.pack(">HH", rrtype, rrclass)


def question_of(query: bytes) -> bytes:
    """The question section of a query."""
    end = query.index(b"\x00", 12) + 5
    return query[12:end]


def id_of(message: bytes) -> int:
    return int.from_bytes(message[:2], "big")
