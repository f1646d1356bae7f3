"""The octets of a query to an upstream, and the first judgement of what comes back. Pure functions."""

from __future__ import annotations

import struct
from typing import Final

from dnswire.constants import FLAG_AD, FLAG_CD, FLAG_QR, FLAG_RD, FLAG_TC, HEADER_SIZE, OPCODE_MASK, EdnsOption, Rcode
from dnswire.edns import opt, option

# DNS Flag Day 2020 (and RFC 9715): what fits an unfragmented IPv6 datagram anywhere. A fragment's tail carries neither
# port nor ID, so an attacker could supply it (Herzberg and Shulman, "Fragmentation Considered Poisonous").
UDP_SIZE_BYTES: Final = 1_232

# AD in a query asks for AD in the response (RFC 6840 5.7); whether a client sees it is decided where it is answered.
# RD: upstreams are recursive resolvers. Behind the flags: QDCOUNT 1, ANCOUNT 0, NSCOUNT 0.
_COUNTS: Final = b"\x00\x01\x00\x00\x00\x00"
_PLAIN: Final = b"\x00\x00"  # ARCOUNT
_EDNS: Final = b"\x00\x01"
_HEAD: Final = (FLAG_RD | FLAG_AD).to_bytes(2, "big") + _COUNTS
_HEAD_CD: Final = (FLAG_RD | FLAG_AD | FLAG_CD).to_bytes(2, "big") + _COUNTS

# RFC 8467 4.1: "Clients SHOULD pad queries to the closest multiple of 128 octets."
_PADDING_BLOCK: Final = 128
_OPT_HEAD: Final = 11
_OPTION_HEAD: Final = 4

_QUESTION_TAIL: Final = struct.Struct(">HH")

# The bit that tells upper from lower case, for letters alone. The octets before labels are at most 63, so no letters.
_CASE_BITS: Final = bytes(0x20 if chr(octet).isascii() and chr(octet).isalpha() else 0 for octet in range(256))

_QR: Final = int(FLAG_QR)
_TC: Final = int(FLAG_TC)
_OPCODE: Final = int(OPCODE_MASK)
_FORMERR: Final = int(Rcode.FORMERR)
_NOTIMP: Final = int(Rcode.NOTIMP)
_HEADER: Final = int(HEADER_SIZE)

# Verdicts on a reply, the harmless ones first.
ACCEPT: Final = 0
TRUNCATED: Final = 1
NO_EDNS: Final = 2  # FORMERR or NOTIMP, and no OPT RR: perhaps ours was not understood
BAD_COOKIE: Final = 3  # RFC 7873 5.3: the server wants to see the cookie that it has just sent
NEAR_MISS: Final = 4  # this and all above: not the reply that was asked for
MALFORMED: Final = 4
NOT_A_RESPONSE: Final = 5
WRONG_QUESTION: Final = 6
WRONG_ID: Final = 7
WRONG_PORT: Final = 8  # an ID that is waited for, on another port
WRONG_CASE: Final = 9
WRONG_COOKIE: Final = 10
NO_COOKIE: Final = 11  # of a server that has sent them before
LOST_EDNS: Final = 12  # as NO_EDNS, of a server that has understood EDNS before

NEAR_MISS_NAMES: Final = {
    MALFORMED: "malformed",
    NOT_A_RESPONSE: "not_a_response",
    WRONG_QUESTION: "wrong_question",
    WRONG_ID: "wrong_id",
    WRONG_PORT: "wrong_port",
    WRONG_CASE: "wrong_case",
    WRONG_COOKIE: "wrong_cookie",
    NO_COOKIE: "no_cookie",
    LOST_EDNS: "lost_edns",
}


def question(name: bytes, rrtype: int, rrclass: int) -> bytes:
    """The question section for a wire name."""
    return name + _QUESTION_TAIL.pack(rrtype, rrclass)


def mixed_case(asked: bytes, random: bytes) -> bytes:
    """The question section ``asked``, in lower case, with letters of its name raised at random: a forger has to guess
    each (draft-vixie-dnsext-dns0x20). ``random``: a bit for each octet of ``asked``.
    """
    raised = bytearray(asked)
    for position in range(len(asked) - 4):
        if random[position >> 3] >> (position & 7) & 1:
            raised[position] ^= _CASE_BITS[asked[position]]
    return bytes(raised)


def build_query(message_id: int, question_wire: bytes, cd: bool, opt_wire: bytes) -> bytes:
    """A query with one question and an OPT RR (or none, where ``opt_wire`` is empty).

    No option with an address of a client (ECS) is ever sent.
    """
    head = _HEAD_CD if cd else _HEAD
    arcount = _EDNS if opt_wire else _PLAIN
    return b"".join((message_id.to_bytes(2, "big"), head, arcount, question_wire, opt_wire))


def padded_opt(question_wire: bytes, do: bool, options: bytes) -> bytes:
    """The OPT RR of a query that travels encrypted: its length tells nothing of the name."""
    size = HEADER_SIZE + len(question_wire) + _OPT_HEAD + len(options) + _OPTION_HEAD
    return opt(UDP_SIZE_BYTES, 0, do, options + option(EdnsOption.PADDING, bytes(-size % _PADDING_BLOCK)))


def judge(message: bytes, asked: bytes, any_case: bool) -> int:
    """What a message with the right ID, from the right address, is to a query for ``asked``: a verdict.

    RFC 5452 9.1 asks to match "the question name, class and type"; the case too, unless ``any_case``.
    """
    if len(message) < _HEADER:
        return MALFORMED
    flags = (message[2] << 8) | message[3]
    if not flags & _QR or flags & _OPCODE:
        return NOT_A_RESPONSE
    rcode = flags & 0x000F
    refused_form = rcode in (_FORMERR, _NOTIMP)
    if message[4] or message[5] != 1:
        # A server that could not parse the query has no question to repeat. That costs one query without EDNS at
        # most, and only an answer with its question is ever passed on.
        return NO_EDNS if refused_form and message[4:6] == b"\x00\x00" else WRONG_QUESTION
    echoed = message[_HEADER : _HEADER + len(asked)]
    if echoed != asked:
        # Type and class are compared exactly: folded, type 65 would pass for type 97.
        if echoed[-4:] != asked[-4:] or echoed[:-4].lower() != asked[:-4].lower():
            return WRONG_QUESTION
        if not any_case:
            return WRONG_CASE
    if flags & _TC:
        return TRUNCATED
    return NO_EDNS if refused_form and message[10:12] == b"\x00\x00" else ACCEPT
