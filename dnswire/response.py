"""What Saring sends: responses built from a query and facts, or from an upstream's answer.

Every response repeats the question exactly as the client sent it (its case may be a nonce: draft-vixie-dnsext-dns0x20),
and carries an OPT RR if and only if the query did (RFC 6891 6.1.1).
"""

from __future__ import annotations

import struct
from typing import Final

from dnswire import edns
from dnswire.answer import Answer
from dnswire.constants import (
    FLAG_AA,
    FLAG_AD,
    FLAG_CD,
    FLAG_QR,
    FLAG_RA,
    FLAG_RD,
    FLAG_TC,
    HEADER_SIZE,
    MAX_MESSAGE_SIZE,
    RRClass,
    RRType,
)
from dnswire.query import Query

# The size that crosses every link without fragments (DNS flag day 2020); fragments can be forged.
UDP_SIZE: Final = 1232

_HEADER: Final = struct.Struct(">HHHHHH")
_FIXED: Final = struct.Struct(">HHIH")
_SOA_TIMES: Final = struct.Struct(">IIIII")

# Nearly every response carries one of these two.
_OPT: Final = edns.opt(UDP_SIZE, 0, False)
_OPT_DO: Final = edns.opt(UDP_SIZE, 0, True)

_QUESTION_POINTER: Final = b"\xc0\x0c"
_OPCODE_AND_CLIENT_BITS: Final = 0x7800 | FLAG_RD | FLAG_CD
_RESPONSE: Final = FLAG_QR | FLAG_RA
_AD: Final = int(FLAG_AD)


def size_limit(query: Query, udp: bool) -> int:
    """How many octets the response to this query may have."""
    if not udp:
        return MAX_MESSAGE_SIZE
    return min(query.udp_size, UDP_SIZE) if query.edns else 512


def rr(owner: bytes, rrtype: int, ttl_s: int, rdata: bytes, rrclass: int = RRClass.IN) -> bytes:
    """One RR in wire form."""
    return owner + _FIXED.pack(rrtype, rrclass, ttl_s, len(rdata)) + rdata


def question_rr(rrtype: int, ttl_s: int, rdata: bytes, rrclass: int = RRClass.IN) -> bytes:
    """One RR in wire form whose owner is the question's name."""
    return rr(_QUESTION_POINTER, rrtype, ttl_s, rdata, rrclass)


def soa_rr(ttl_s: int) -> bytes:
    """The SOA that goes with a block: without one, a negative answer is not cached (RFC 2308 5) and clients ask again.

    Its owner is the question's name; the TTL and the MINIMUM are both ``ttl_s``.
    """
    rdata = b"\x06saring\x00\x0ahostmaster\x06saring\x00" + _SOA_TIMES.pack(1, 3600, 600, 86400, ttl_s)
    return question_rr(RRType.SOA, ttl_s, rdata)


def respond(
    query: Query,
    rcode: int,
    limit: int,
    *,
    answer: bytes = b"",
    ancount: int = 0,
    authority: bytes = b"",
    nscount: int = 0,
    authoritative: bool = False,
    truncated: bool = False,
    options: bytes = b"",
) -> bytes:
    """A response of Saring's own. ``options`` are EDNS options in wire form, sent where the client speaks EDNS.

    ``truncated``: the TC bit is set although it all fits: the client shall ask again over TCP.
    """
    flags = FLAG_QR | FLAG_RA | (query.flags & _OPCODE_AND_CLIENT_BITS) | (rcode & 0x000F)
    if authoritative:
        flags |= FLAG_AA
    if truncated:
        flags |= FLAG_TC
    question = query.question_wire()
    tail = _opt(query, rcode, options)
    arcount = 1 if tail else 0
    qdcount = 1 if question else 0
    if HEADER_SIZE + len(question) + len(answer) + len(authority) + len(tail) > limit:
        return _truncated(query.id, flags, question, tail, arcount, limit)
    return _HEADER.pack(query.id, flags, qdcount, ancount, nscount, arcount) + question + answer + authority + tail


def relay(query: Query, answer: Answer, age_s: int, max_ttl_s: int, limit: int, options: bytes = b"") -> bytes:
    """An upstream's answer as the response to ``query``: its ID, its question's case, TTLs aged and clipped.

    ``age_s`` is how long ago the answer came; ``max_ttl_s`` what no TTL may exceed (the next edge of the policy).
    """
    flags = _RESPONSE | (query.flags & _OPCODE_AND_CLIENT_BITS) | (answer.rcode & 0x000F)
    # RFC 6840 5.8: AD only where the client asked to know, by DO or by AD; we vouch for nothing the upstream did not.
    if answer.flags & _AD and (query.do or query.flags & _AD):
        flags |= _AD
    tail = _opt(query, answer.rcode, options)
    arcount = 1 if tail else 0
    message = answer.message
    if len(message) + len(tail) > limit:
        return _truncated(query.id, flags, query.question_wire(), tail, arcount, limit)
    out = bytearray(message)
    _put16(out, 0, query.id)
    _put16(out, 2, flags)
    _put16(out, 10, answer.arcount + arcount)  # those before it stand as they came
    out[HEADER_SIZE : HEADER_SIZE + len(query.qname)] = query.qname
    for offset, received_s in answer.ttls:
        ttl_s = received_s - age_s
        if ttl_s > max_ttl_s:
            ttl_s = max_ttl_s
        if ttl_s < 0:
            ttl_s = 0
        _put16(out, offset, ttl_s >> 16)
        _put16(out, offset + 2, ttl_s & 0xFFFF)
    out += tail
    return bytes(out)


def _put16(out: bytearray, offset: int, value: int) -> None:
    out[offset] = value >> 8
    out[offset + 1] = value & 0xFF


def _opt(query: Query, rcode: int, options: bytes) -> bytes:
    """The OPT RR for a client that sent one, else nothing."""
    if not query.edns:
        return b""
    if options or rcode > 15:
        return edns.opt(UDP_SIZE, rcode, query.do, options)
    return _OPT_DO if query.do else _OPT


def _truncated(message_id: int, flags: int, question: bytes, tail: bytes, arcount: int, limit: int) -> bytes:
    """TC=1 and empty sections: a client must not use what is cut (RFC 2181 9), so nothing is sent to be misused."""
    if HEADER_SIZE + len(question) + len(tail) > limit:
        tail = edns.opt(UDP_SIZE, flags & 0x000F, False) if tail else b""
    qdcount = 1 if question else 0
    return _HEADER.pack(message_id, flags | FLAG_TC, qdcount, 0, 0, arcount) + question + tail
