"""The messages of a transfer: the query that asks for it, and what every message of the answer must have in common."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from blocklists.transfer.failure import TransferError, TransferFailure
from dnswire import name as wire
from dnswire.constants import FLAG_QR, FLAG_TC, HEADER_SIZE, OPCODE_MASK, Opcode, RRClass, RRType
from dnswire.errors import WireError

_HEADER: Final = struct.Struct(">HHHHHH")
_QUESTION_TAIL: Final = struct.Struct(">HH")
RR_FIXED: Final = struct.Struct(">HHIH")  # type, class, TTL, size of RDATA
_RCODE_MASK: Final = 0xF


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, to hold answers against."""

    message_id: int
    zone: bytes
    rrtype: int
    where: str


@dataclass(frozen=True, slots=True)
class Sections:
    """Where the answer section of a checked message begins, and how many RRs there are."""

    answer_at: int
    answers: int
    behind: int  # RRs of the sections behind the answer
    rcode: int


def query(message_id: int, zone: bytes, rrtype: int, held_serial: int | None = None) -> bytes:
    """A query for the zone's SOA, AXFR or (with ``held_serial``) IXFR.

    RFC 1995 3: an IXFR query carries the SOA held in its authority section; only the serial in it counts.
    """
    with_soa = held_serial is not None
    head = _HEADER.pack(message_id, 0, 1, 0, int(with_soa), 0)
    question = zone + _QUESTION_TAIL.pack(rrtype, RRClass.IN)
    if held_serial is None:
        return head + question
    rdata = wire.ROOT + wire.ROOT + struct.pack(">IIIII", held_serial, 0, 0, 0, 0)
    pointer = struct.pack(">H", 0xC000 | HEADER_SIZE)
    return head + question + pointer + RR_FIXED.pack(RRType.SOA, RRClass.IN, 0, len(rdata)) + rdata


def check_answer(message: bytes, asked: Asked) -> Sections:
    """Holds a message's header and question against what was asked. Raises ``TransferError``.

    Where it has no question, as error answers and later messages may (RFC 5936 2.2.2), the ID alone has to do.
    """
    if len(message) < HEADER_SIZE:
        raise _wrong(asked, "sends a message that is shorter than a header")
    message_id, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(message)
    if message_id != asked.message_id or not flags & FLAG_QR or (flags & OPCODE_MASK) >> 11 != Opcode.QUERY:
        raise _wrong(asked, "sends a message that is no answer to the query")
    if flags & FLAG_TC:
        raise _wrong(asked, "sends a truncated message over TCP")
    if questions > 1:
        raise _wrong(asked, f"answers {questions} questions, where one was asked")
    offset = HEADER_SIZE
    if questions:
        offset = _check_question(message, asked)
    return Sections(offset, answers, authorities + additionals, flags & _RCODE_MASK)


def _check_question(message: bytes, asked: Asked) -> int:
    try:
        name, offset = wire.read(message, HEADER_SIZE)
        if offset + _QUESTION_TAIL.size > len(message):
            raise WireError("question leaves the message", offset)
    except WireError as error:
        raise malformed(asked.where, error) from error
    rrtype, rrclass = _QUESTION_TAIL.unpack_from(message, offset)
    if name.lower() != asked.zone or rrtype != asked.rrtype or rrclass != RRClass.IN:
        raise _wrong(asked, f"answers another question: {wire.to_text(name)}, type {rrtype}, class {rrclass}")
    return offset + _QUESTION_TAIL.size


def tsig_at(message: bytes, offset: int, count: int) -> int | None:
    """Where the TSIG RR begins among the ``count`` RRs from ``offset`` on, which end the message; None without one.

    Raises ``WireError`` for RRs that do not end where the message does, or a TSIG RR that is not the last.
    """
    found: int | None = None
    for _ in range(count):
        if found is not None:
            raise WireError("an RR behind the TSIG RR", offset)
        start = offset
        rrtype, offset = skip_rr(message, offset)
        if rrtype == RRType.TSIG:
            found = start
    if offset != len(message):
        raise WireError("octets behind the last RR", offset)
    return found


def skip_rr(message: bytes, offset: int) -> tuple[int, int]:
    """The type of the RR at ``offset``, and the offset behind it. Raises ``WireError``."""
    offset = wire.skip(message, offset)
    if offset + RR_FIXED.size > len(message):
        raise WireError("RR leaves the message", offset)
    rrtype, _, _, size = RR_FIXED.unpack_from(message, offset)
    end = offset + RR_FIXED.size + size
    if end > len(message):
        raise WireError("RDATA leaves the message", offset)
    return rrtype, end


def malformed(where: str, error: WireError) -> TransferError:
    """The failure that bytes are which are no DNS message."""
    sentence = f"{where} sends a damaged message: {error}. The transfer is discarded."
    return TransferError(TransferFailure.MALFORMED, sentence)


def _wrong(asked: Asked, what: str) -> TransferError:
    return TransferError(TransferFailure.WRONG_ANSWER, f"{asked.where} {what}. The transfer is discarded.")
