"""What an upstream sends: checked for shape, cut to what may be kept, with the facts that later steps need.

An ``Answer`` keeps the message as it came (compression and all) so that a cached answer costs one copy to send. Where
its TTLs stand, how long it may be kept and whom it points to is worked out once, here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cython

from dnswire.constants import FLAG_QR, HEADER_SIZE, MAX_NAME_SIZE, EdnsOption, Rcode, RRClass, RRType
from dnswire.edns import options, read_ede
from dnswire.errors import WireError
from dnswire.name import ROOT, is_subdomain

if not cython.compiled:  # compiled, answer.pxd has them as functions of C
    from dnswire.name import read, skip

# The most an honest answer needs is a few hundred RRs; a 64 KiB message can hold 5,900, each costing us a TTL to age.
MAX_RRS: Final = 1_000

# As numbers of C: an enumeration's members are looked up by name.
_HEADER: Final = int(HEADER_SIZE)
_QR: Final = int(FLAG_QR)
_MAX_RRS: Final = int(MAX_RRS)
_IN: Final = int(RRClass.IN)
_A: Final = int(RRType.A)
_AAAA: Final = int(RRType.AAAA)
_CNAME: Final = int(RRType.CNAME)
_DNAME: Final = int(RRType.DNAME)
_SOA: Final = int(RRType.SOA)
_SVCB: Final = int(RRType.SVCB)
_HTTPS: Final = int(RRType.HTTPS)
_OPT: Final = int(RRType.OPT)
_TSIG: Final = int(RRType.TSIG)
_ANY: Final = int(RRType.ANY)
_NOERROR: Final = int(Rcode.NOERROR)
_NXDOMAIN: Final = int(Rcode.NXDOMAIN)

_ANSWER: Final = 0
_AUTHORITY: Final = 1
_ADDITIONAL: Final = 2

_SVCB_IPV4HINT: Final = 4
_SVCB_ECH: Final = 5
_SVCB_IPV6HINT: Final = 6


@dataclass(frozen=True, slots=True)
class RR:
    """One RR of an answer. ``rdata`` is as it stands in the message (names in it may be compressed)."""

    section: int  # 0 answer, 1 authority, 2 additional
    owner: bytes
    rrtype: int
    rrclass: int
    ttl_s: int
    rdata_offset: int
    rdata: bytes


# Holds nothing that could hold it: the collector need not know it, however many there are.
@cython.no_gc
@cython.cclass
class Answer:
    """An upstream's answer without its OPT RR. Never changed once made (compiled, its fields are read-only).

    ``message`` ends where the kept sections end; ``ttls`` are (octets from its start, seconds). ``ttl_s`` is how long
    the whole may be cached by its own words (0: not at all). ``aliases``, ``bindings`` and ``addresses`` are whom it
    points to: CNAME and DNAME targets, HTTPS/SVCB targets, and addresses (4 or 16 octets; hints included); ``glue`` are
    the addresses of the additional section, which nobody has asked for. ``ech``: whether an HTTPS or SVCB RR carries
    keys of encrypted ClientHello; ``points`` whether there is any of these five, so that policy may have a say in it.
    ``digest`` is the CRC-32 of all that follows the question, TTLs as received: the query log's "same answer as
    before".
    """

    __slots__ = (
        "addresses",
        "aliases",
        "ancount",
        "arcount",
        "bindings",
        "digest",
        "ech",
        "ede",
        "flags",
        "glue",
        "message",
        "name",
        "nscount",
        "points",
        "question_end",
        "rcode",
        "rrclass",
        "rrtype",
        "ttl_s",
        "ttls",
    )

    def __init__(
        self,
        message: bytes,
        name: bytes,
        rrtype: int,
        rrclass: int,
        question_end: int,
        flags: int,
        rcode: int,
        counts: tuple[int, int, int],
        ttls: tuple[tuple[int, int], ...],
        ttl_s: int,
        aliases: tuple[bytes, ...],
        bindings: tuple[bytes, ...],
        addresses: tuple[bytes, ...],
        ede: tuple[tuple[int, str], ...],
        ech: bool = False,
        glue: tuple[bytes, ...] = (),
    ) -> None:
        self.message = message
        self.name = name
        self.rrtype = rrtype
        self.rrclass = rrclass
        self.question_end = question_end
        self.flags = flags
        self.rcode = rcode
        self.ancount, self.nscount, self.arcount = counts
        self.ttls = ttls
        self.ttl_s = ttl_s
        self.aliases = aliases
        self.bindings = bindings
        self.addresses = addresses
        self.glue = glue
        self.ech = ech
        self.points = bool(aliases or bindings or addresses or glue or ech)
        self.ede = ede
        self.digest = zlib.crc32(message[question_end:]) if len(message) > question_end else 0

    @property
    def size_bytes(self) -> int:
        """Octets of the kept message."""
        return len(self.message)


class _Reading:
    """What has been learnt of a message so far. ``followed``: the name to which its aliases have led."""

    __slots__ = (
        "addresses",
        "aliases",
        "bindings",
        "ech",
        "ede",
        "end",
        "extended_rcode",
        "followed",
        "glue",
        "has_data",
        "lowest_ttl_s",
        "negative_ttl_s",
        "options",
        "ttls",
        "wanted",
    )

    def __init__(self, name: bytes, wanted: int, end: int) -> None:
        self.followed = name
        self.options: bytes | None = None
        self.wanted = wanted
        self.end = end
        self.has_data = False
        self.ech = False
        self.ttls: list[tuple[int, int]] = []
        self.aliases: list[bytes] = []
        self.bindings: list[bytes] = []
        self.addresses: list[bytes] = []
        self.glue: list[bytes] = []
        self.ede: list[tuple[int, str]] = []
        self.lowest_ttl_s = -1
        self.negative_ttl_s = -1
        self.extended_rcode = 0


def parse_answer(message: bytes) -> Answer:
    """The facts of a response. Raises ``WireError`` for anything that is not a well-formed response to one question."""
    answer: Answer = parse_reply(message)[0]
    return answer


def parse_reply(message: bytes) -> tuple[Answer, bytes | None]:
    """As ``parse_answer``, and the options (RDATA, checked) of the OPT RR; None where it has no OPT RR."""
    size = len(message)
    if size < _HEADER:
        raise WireError("shorter than a header")
    flags = (message[2] << 8) | message[3]
    if not flags & _QR:
        raise WireError("a query, not a response", 2)
    if message[4] or message[5] != 1:
        raise WireError("QDCOUNT is not 1", 4)
    ancount = (message[6] << 8) | message[7]
    nscount = (message[8] << 8) | message[9]
    arcount = (message[10] << 8) | message[11]
    if ancount + nscount + arcount > _MAX_RRS:
        raise WireError("too many RRs", 6)
    name, offset = read(message, _HEADER)
    if offset != _HEADER + len(name):
        raise WireError("compressed question", _HEADER)
    if offset + 4 > size:
        raise WireError("question leaves the message", offset)
    rrtype = (message[offset] << 8) | message[offset + 1]
    rrclass = (message[offset + 2] << 8) | message[offset + 3]
    question_end = offset + 4

    name = name.lower()
    reading = _Reading(name, rrtype, question_end)
    offset = question_end
    for _ in range(ancount):
        offset = _read_rr(message, offset, _ANSWER, reading)
    for _ in range(nscount):
        offset = _read_rr(message, offset, _AUTHORITY, reading)
    reading.end = offset
    arcount = _read_additional(message, offset, arcount, reading)
    rcode = (flags & 0x000F) | (reading.extended_rcode << 4)
    answer = Answer(
        message if reading.end == size else message[: reading.end],
        name,
        rrtype,
        rrclass,
        question_end,
        flags,
        rcode,
        (ancount, nscount, arcount),
        tuple(reading.ttls),
        _cacheable_s(rcode, reading),
        tuple(reading.aliases),
        tuple(reading.bindings),
        tuple(reading.addresses),
        tuple(reading.ede),
        reading.ech,
        tuple(reading.glue),
    )
    return answer, reading.options


def _read_additional(message: bytes, offset: int, count: int, reading: _Reading) -> int:
    """Reads the additional section; returns how many of its RRs are kept.

    The OPT RR is hop-by-hop (RFC 6891 6.2.1) and goes. What stands behind it cannot be kept without moving it under its
    compression pointers, and additional data is optional, so it goes too; in practice OPT stands last.
    """
    kept = 0
    cut = False
    for _ in range(count):
        start = offset
        offset = skip(message, offset)
        if offset + 10 > len(message):
            raise WireError("RR leaves the message", offset)
        rrtype = (message[offset] << 8) | message[offset + 1]
        if rrtype == _OPT:
            _read_opt(message, start, offset, reading)
        cut = cut or rrtype in (_OPT, _TSIG)
        if cut:
            offset += 10 + ((message[offset + 8] << 8) | message[offset + 9])
            if offset > len(message):
                raise WireError("RDATA leaves the message", start)
            continue
        offset = _read_rr(message, start, _ADDITIONAL, reading)
        reading.end = offset
        kept += 1
    return kept


def _read_opt(message: bytes, owner: int, offset: int, reading: _Reading) -> None:
    if message[owner]:
        raise WireError("OPT RR not at the root", owner)
    reading.extended_rcode = message[offset + 4]
    size = (message[offset + 8] << 8) | message[offset + 9]
    rdata = message[offset + 10 : offset + 10 + size]
    if len(rdata) != size:
        raise WireError("RDATA leaves the message", offset)
    found = options(rdata)
    reading.options = rdata
    for code, data in found:
        if code == EdnsOption.EDE and len(reading.ede) < 4:
            reading.ede.append(read_ede(data))


def _read_rr(message: bytes, start: int, section: int, reading: _Reading) -> int:
    offset = skip(message, start)
    if offset + 10 > len(message):
        raise WireError("RR leaves the message", offset)
    rrtype = (message[offset] << 8) | message[offset + 1]
    # RFC 2181 8: "if a TTL is received with the most significant bit set, the entire value should be treated as zero".
    ttl_s = 0
    if not message[offset + 4] & 0x80:
        ttl_s = (
            (message[offset + 4] << 24) | (message[offset + 5] << 16) | (message[offset + 6] << 8) | message[offset + 7]
        )
    rdata = offset + 10
    end = rdata + ((message[offset + 8] << 8) | message[offset + 9])
    if end > len(message):
        raise WireError("RDATA leaves the message", offset)
    reading.ttls.append((offset + 4, ttl_s))
    if reading.lowest_ttl_s < 0 or ttl_s < reading.lowest_ttl_s:
        reading.lowest_ttl_s = ttl_s
    if section == _ANSWER and (rrtype == reading.wanted or reading.wanted == _ANY):
        reading.has_data = True
    if section == _AUTHORITY:
        if rrtype == _SOA:
            reading.negative_ttl_s = min(ttl_s, _soa_minimum(message, rdata, end))
    elif (message[offset + 2] << 8) | message[offset + 3] == _IN:
        _note_targets(message, start, rrtype, rdata, end, section, reading)
    return end


def _soa_minimum(message: bytes, rdata: int, end: int) -> int:
    offset = skip(message, skip(message, rdata))
    if offset + 20 != end:
        raise WireError("SOA of a wrong size", rdata)
    return int.from_bytes(message[offset + 16 : end], "big")


def _note_targets(
    message: bytes, start: int, rrtype: int, rdata: int, end: int, section: int, reading: _Reading
) -> None:
    if rrtype in (_A, _AAAA):
        if end - rdata != (4 if rrtype == _A else 16):
            raise WireError(f"{'A' if rrtype == _A else 'AAAA'} RR of a wrong size", rdata)
        (reading.addresses if section == _ANSWER else reading.glue).append(message[rdata:end])
    elif section == _ANSWER and rrtype in (_CNAME, _DNAME):
        target, after = read(message, rdata)
        if after != end:
            raise WireError("CNAME or DNAME of a wrong size", rdata)
        target = target.lower()
        reading.aliases.append(target)
        if rrtype == _CNAME:
            reading.followed = target
        else:
            _note_substitution(read(message, start)[0].lower(), target, reading)
    elif rrtype in (_HTTPS, _SVCB):
        _note_binding(message, rdata, end, reading)


def _note_substitution(owner: bytes, target: bytes, reading: _Reading) -> None:
    """Where a DNAME leads the name that was followed so far (RFC 6672 2.2), whether a CNAME says so as well or not."""
    followed = reading.followed
    if followed != owner and is_subdomain(followed, owner):
        substituted = followed[: -len(owner)] + target
        if len(substituted) <= MAX_NAME_SIZE:
            reading.followed = substituted
            reading.aliases.append(substituted)


def _note_binding(message: bytes, rdata: int, end: int, reading: _Reading) -> None:
    """SvcPriority, TargetName, SvcParams (RFC 9460 2.2)."""
    if rdata + 3 > end:
        raise WireError("SVCB RR of a wrong size", rdata)
    target, offset = read(message, rdata + 2)
    if target != ROOT:  # the root stands for the owner name itself (RFC 9460 2.5.2)
        reading.bindings.append(target.lower())
    while offset < end:
        if offset + 4 > end:
            raise WireError("SvcParam leaves the RR", offset)
        key = (message[offset] << 8) | message[offset + 1]
        size = (message[offset + 2] << 8) | message[offset + 3]
        offset += 4
        width = {_SVCB_IPV4HINT: 4, _SVCB_IPV6HINT: 16}.get(key, 0)
        if offset + size > end or (width and (not size or size % width)):
            raise WireError("SvcParam of a wrong size", offset)
        reading.ech = reading.ech or key == _SVCB_ECH
        if width:
            reading.addresses += [message[i : i + width] for i in range(offset, offset + size, width)]
        offset += size
    if offset != end:
        raise WireError("SVCB RR of a wrong size", rdata)


def _cacheable_s(rcode: int, reading: _Reading) -> int:
    """How long an answer may be cached by its own words; 0 for one that says nothing to keep."""
    lowest = max(reading.lowest_ttl_s, 0)
    if rcode == _NOERROR and reading.has_data:
        return lowest
    # RFC 2308 5: "Negative responses without SOA records SHOULD NOT be cached". An alias without its end and without
    # SOA is no answer either: the upstream gave up half-way.
    if rcode in (_NOERROR, _NXDOMAIN) and reading.negative_ttl_s >= 0:
        return min(lowest, reading.negative_ttl_s)
    return 0


def records(answer: Answer) -> Iterator[RR]:
    """The RRs of an answer, in order; for explaining and for tests, not for the hot path."""
    offset = answer.question_end
    message = answer.message
    for section, count in enumerate((answer.ancount, answer.nscount, answer.arcount)):
        for _ in range(count):
            owner, offset = read(message, offset)
            size = int.from_bytes(message[offset + 8 : offset + 10], "big")
            yield RR(
                section=section,
                owner=owner,
                rrtype=int.from_bytes(message[offset : offset + 2], "big"),
                rrclass=int.from_bytes(message[offset + 2 : offset + 4], "big"),
                ttl_s=int.from_bytes(message[offset + 4 : offset + 8], "big"),
                rdata_offset=offset + 10,
                rdata=message[offset + 10 : offset + 10 + size],
            )
            offset += 10 + size
