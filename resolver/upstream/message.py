"""The octets of a query to an upstream, and the first judgement of what comes back. Pure functions."""

from __future__ import annotations

import struct
from typing import Final

from dnswire.constants import FLAG_AD, FLAG_CD, FLAG_QR, FLAG_RD, FLAG_TC, HEADER_SIZE, OPCODE_MASK, Rcode
from dnswire.edns import opt

# DNS Flag Day 2020 (and RFC 9715): what fits an unfragmented IPv6 datagram anywhere. A fragment's tail carries neither
# port nor ID, so an attacker could supply it (Herzberg and Shulman, "Fragmentation Considered Poisonous").
UDP_SIZE_BYTES: Final = 1_232

# AD in a query asks for AD in the response (RFC 6840 5.7); whether a client sees it is decided where it is answered.
# RD: upstreams are recursive resolvers. Behind the flags: QDCOUNT 1, ANCOUNT 0, NSCOUNT 0.
_COUNTS: Final = b"\x00\x01\x00\x00\x00\x00"
_HEAD: Final = (FLAG_RD | FLAG_AD).to_bytes(2, "big") + _COUNTS
_HEAD_CD: Final = (FLAG_RD | FLAG_AD | FLAG_CD).to_bytes(2, "big") + _COUNTS
_OPT: Final = opt(UDP_SIZE_BYTES, 0, False)
_OPT_DO: Final = opt(UDP_SIZE_BYTES, 0, True)

_QUESTION_TAIL: Final = struct.Struct(">HH")

# Verdicts on a reply, the harmless ones first.
ACCEPT: Final = 0
TRUNCATED: Final = 1
NO_EDNS: Final = 2  # FORMERR or NOTIMP: perhaps the OPT RR was not understood
NEAR_MISS: Final = 3  # this and all above: not the reply that was asked for
MALFORMED: Final = 3
NOT_A_RESPONSE: Final = 4
WRONG_QUESTION: Final = 5
WRONG_ID: Final = 6

NEAR_MISS_NAMES: Final = {
    MALFORMED: "malformed",
    NOT_A_RESPONSE: "not_a_response",
    WRONG_QUESTION: "wrong_question",
    WRONG_ID: "wrong_id",
}


def question(name: bytes, rrtype: int, rrclass: int) -> bytes:
    """The question section for a wire name."""
    return name + _QUESTION_TAIL.pack(rrtype, rrclass)


def build_query(message_id: int, question_wire: bytes, do: bool, cd: bool, edns: bool) -> bytes:
    """A query with one question. No option is sent: an address of a client (ECS) least of all."""
    head = message_id.to_bytes(2, "big") + (_HEAD_CD if cd else _HEAD)
    if not edns:
        return head + b"\x00\x00" + question_wire
    return head + b"\x00\x01" + question_wire + (_OPT_DO if do else _OPT)


def judge(message: bytes, question_wire: bytes) -> int:
    """What a message with the right ID, from the right address, is to a query for ``question_wire``: a verdict.

    RFC 5452 9.1 asks to match "the question name, class and type"; 0x20 case is not required here, only compared.
    """
    if len(message) < HEADER_SIZE:
        return MALFORMED
    flags = (message[2] << 8) | message[3]
    if not flags & FLAG_QR or flags & OPCODE_MASK:
        return NOT_A_RESPONSE
    rcode = flags & 0x000F
    refused_form = rcode in (Rcode.FORMERR, Rcode.NOTIMP)
    if message[4] or message[5] != 1:
        # A server that could not parse the query has no question to repeat. That costs one query without EDNS at
        # most, and only an answer with its question is ever passed on.
        return NO_EDNS if refused_form and message[4:6] == b"\x00\x00" else WRONG_QUESTION
    echoed = message[HEADER_SIZE : HEADER_SIZE + len(question_wire)]
    # Type and class are compared exactly: folded, type 65 would pass for type 97.
    if echoed != question_wire and (
        echoed[-4:] != question_wire[-4:] or echoed[:-4].lower() != question_wire[:-4].lower()
    ):
        return WRONG_QUESTION
    if flags & FLAG_TC:
        return TRUNCATED
    return NO_EDNS if refused_form else ACCEPT
