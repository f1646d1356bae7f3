"""Encrypted ClientHello taken out of an answer.

Its keys travel as the ``ech`` parameter of HTTPS and SVCB RRs (RFC 9848); without them clients say in the clear which
site they want.

The RRs become shorter, so the message is written anew: names that were compressed stand in full, except where one
repeats the owner of an earlier RR. Signatures of what was changed go, and so does AD: a client that validates must see
that this is not what was signed, and a client that does not must not be told that somebody did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dnswire import name
from dnswire.answer import RR, Answer, records
from dnswire.constants import FLAG_AD, HEADER_SIZE, RRType
from dnswire.errors import WireError
from dnswire.less import read_again
from dnswire.response import rr

_MANDATORY: Final = 0
_ECH: Final = 5
_BINDINGS: Final = (RRType.HTTPS, RRType.SVCB)
_MAX_POINTER: Final = 0x3FFF

# Where names stand in RDATA, of the types in which they may be compressed (RFC 3597 4): octets before the first name,
# and how many names. What follows is copied.
_NAMES: Final[dict[int, tuple[int, int]]] = {
    2: (0, 1),  # NS
    3: (0, 1),  # MD
    4: (0, 1),  # MF
    5: (0, 1),  # CNAME
    6: (0, 2),  # SOA
    7: (0, 1),  # MB
    8: (0, 1),  # MG
    9: (0, 1),  # MR
    12: (0, 1),  # PTR
    14: (0, 2),  # MINFO
    15: (2, 1),  # MX
    17: (0, 2),  # RP
    18: (2, 1),  # AFSDB
    21: (2, 1),  # RT
    26: (2, 2),  # PX
    33: (6, 1),  # SRV
    39: (0, 1),  # DNAME
    46: (18, 1),  # RRSIG
    64: (2, 1),  # SVCB
    65: (2, 1),  # HTTPS
}

_Change = tuple[int, bytes, int]  # section, owner in lower case, type


def without_ech(answer: Answer) -> Answer:
    """``answer`` without any ``ech`` parameter; the same object where it has none (``answer.ech``). Never raises.

    An RR that says it is of no use without ECH (``mandatory``) goes as a whole. An answer that cannot be read to its
    end, or written anew within 65,535 octets, is answered with nothing.
    """
    if not answer.ech:
        return answer
    try:
        return read_again(answer, _rewritten(answer))
    except WireError:
        return read_again(answer, _head(answer, (0, 0, 0)))


def _rewritten(answer: Answer) -> bytes:
    changed: set[_Change] = set()
    kept: list[tuple[RR, bytes]] = []
    for record in records(answer):
        rdata = _in_full(answer.message, record)
        if record.rrtype in _BINDINGS:
            plain = _without_key(rdata)
            if plain is None or plain != rdata:
                changed.add((record.section, record.owner.lower(), record.rrtype))
            if plain is None:
                continue
            rdata = plain
        kept.append((record, rdata))
    counts = [0, 0, 0]
    out = bytearray(_head(answer, (0, 0, 0)))
    # Owners that were written, and where.
    places = {answer.name: HEADER_SIZE}
    for record, rdata in kept:
        if record.rrtype == RRType.RRSIG and _signs(record, rdata) in changed:
            continue
        owner = record.owner.lower()
        place = places.get(owner)
        if place is None and len(out) <= _MAX_POINTER:
            places[owner] = len(out)
        written = record.owner if place is None else (0xC000 | place).to_bytes(2, "big")
        out += rr(written, record.rrtype, record.ttl_s, rdata, record.rrclass)
        counts[record.section] += 1
    return _head(answer, (counts[0], counts[1], counts[2])) + bytes(out[answer.question_end :])


def _head(answer: Answer, counts: tuple[int, int, int]) -> bytes:
    """Header and question."""
    message = answer.message
    flags = answer.flags & ~FLAG_AD
    numbers = b"".join([number.to_bytes(2, "big") for number in (flags, 1, *counts)])
    return message[:2] + numbers + message[HEADER_SIZE : answer.question_end]


def _in_full(message: bytes, record: RR) -> bytes:
    """RDATA with its names uncompressed."""
    skipped, count = _NAMES.get(record.rrtype, (0, 0))
    if not count:
        return record.rdata
    end = record.rdata_offset + len(record.rdata)
    offset = record.rdata_offset + skipped
    parts = [message[record.rdata_offset : min(offset, end)]]
    for _ in range(count):
        if offset >= end:
            raise WireError("RDATA without its name", record.rdata_offset)
        part, offset = name.read(message, offset)
        parts.append(part)
    if offset > end:
        raise WireError("a name leaves its RDATA", record.rdata_offset)
    return b"".join(parts) + message[offset:end]


def _without_key(rdata: bytes) -> bytes | None:
    """RDATA of an HTTPS or SVCB RR without ``ech``; None where it must not be used without."""
    start = name.skip(rdata, 2)
    kept = [rdata[:start]]
    for key, param in _params(rdata, start):
        if key == _ECH:
            continue
        # RFC 9460 8: a client that lacks a mandatory key "MUST ... ignore the RR"; we are who lacks it.
        if key == _MANDATORY and any(param[at : at + 2] == b"\0\5" for at in range(4, len(param), 2)):
            return None
        kept.append(param)
    return b"".join(kept)


def _params(rdata: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """The SvcParams, key and octets (``parse_answer`` has checked that they fill the RDATA)."""
    while offset < len(rdata):
        end = offset + 4 + int.from_bytes(rdata[offset + 2 : offset + 4], "big")
        yield int.from_bytes(rdata[offset : offset + 2], "big"), rdata[offset:end]
        offset = end


def _signs(record: RR, rdata: bytes) -> _Change:
    """What an RRSIG covers (RFC 4034 3.1.1)."""
    return record.section, record.owner.lower(), int.from_bytes(rdata[:2], "big")
