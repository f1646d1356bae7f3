"""The strict parser of what clients send: one question, or a refusal with its reason.

Peers have been crashed and bypassed by lenient parsing, so what a client of today does not send is refused here, before
any work (DESIGN 4, step 2).
"""

from __future__ import annotations

from typing import Final

from dnswire.constants import (
    EDNS_DO,
    FLAG_AD,
    FLAG_CD,
    FLAG_QR,
    FLAG_RD,
    HEADER_SIZE,
    MAX_NAME_SIZE,
    OPCODE_MASK,
    Rcode,
    RRClass,
    RRType,
)
from dnswire.edns import check_options
from dnswire.errors import WireError
from dnswire.name import skip

# An OPT, a TSIG and room for one that we do not know; a query with more is an attempt to make us work.
_MAX_ADDITIONAL: Final = 4

_OPT: Final = 41
_QR: Final = int(FLAG_QR)
_OPCODE: Final = int(OPCODE_MASK)
_DO: Final = int(EDNS_DO)
_HEADER: Final = int(HEADER_SIZE)
_NAME: Final = int(MAX_NAME_SIZE)


_IN: Final = int(RRClass.IN)
_CH: Final = int(RRClass.CH)
_WRONG_CLASS: Final = (Rcode.REFUSED, "class is not IN")
_NEVER_ANSWERED: Final[dict[int, tuple[Rcode, str]]] = {
    RRType.AXFR: (Rcode.REFUSED, "a resolver has no zone to transfer"),
    RRType.IXFR: (Rcode.REFUSED, "a resolver has no zone to transfer"),
    0: (Rcode.FORMERR, "a type that is never asked for"),
    RRType.OPT: (Rcode.FORMERR, "a type that is never asked for"),
    RRType.TSIG: (Rcode.FORMERR, "a type that is never asked for"),
    RRType.TKEY: (Rcode.FORMERR, "a type that is never asked for"),
    RRType.MAILA: (Rcode.NOTIMP, "an obsolete type"),
    RRType.MAILB: (Rcode.NOTIMP, "an obsolete type"),
}


class Query:
    """One question as a client asked it.

    ``qname`` is the name as sent, ``name`` the same in lower case (both wire form); ``question_end`` the offset behind
    the question. ``udp_size`` is what the client says it can receive (512 without EDNS). ``edns_options`` is the OPT
    RR's RDATA, already checked.
    """

    __slots__ = (
        "do",
        "edns",
        "edns_options",
        "edns_version",
        "flags",
        "id",
        "name",
        "qname",
        "question_end",
        "rrclass",
        "rrtype",
        "udp_size",
    )

    def __init__(self, message_id: int, flags: int) -> None:
        self.id = message_id
        self.flags = flags
        self.qname = b""
        self.name = b""
        self.rrtype = 0
        self.rrclass = 0
        self.question_end = _HEADER
        self.edns = False
        self.edns_version = 0
        self.udp_size = 512
        self.do = False
        self.edns_options = b""

    def question_wire(self) -> bytes:
        """The question section exactly as sent; empty where it could not be read."""
        if not self.qname:
            return b""
        return self.qname + bytes((self.rrtype >> 8, self.rrtype & 255, self.rrclass >> 8, self.rrclass & 255))

    @property
    def rd(self) -> bool:
        """Recursion desired."""
        return bool(self.flags & FLAG_RD)

    @property
    def cd(self) -> bool:
        """Checking disabled (RFC 4035 3.2.2)."""
        return bool(self.flags & FLAG_CD)

    @property
    def ad(self) -> bool:
        """The client understands AD in the response (RFC 6840 5.7)."""
        return bool(self.flags & FLAG_AD)


class Unanswerable(ValueError):  # noqa: N818 - names a fact about bytes, not a fault of ours
    """Bytes that get no answer at all: too short to have an ID, or a response (answering those makes loops)."""


class Refused(ValueError):  # noqa: N818 - a refusal is an answer, not a fault
    """A query that is answered with an RCODE and nothing else. ``query`` holds what could be read of it."""

    def __init__(self, rcode: Rcode, reason: str, query: Query) -> None:
        super().__init__(reason)
        self.rcode = rcode
        self.reason = reason
        self.query = query


def parse_query(message: bytes) -> Query:
    """The one question of a query. Raises ``Unanswerable`` or ``Refused``; nothing else whatever the bytes."""
    size = len(message)
    if size < _HEADER:
        raise Unanswerable("shorter than a header")
    flags = (message[2] << 8) | message[3]
    if flags & _QR:
        raise Unanswerable("a response, not a query")
    query = Query((message[0] << 8) | message[1], flags)
    if flags & _OPCODE:
        raise Refused(Rcode.NOTIMP, "opcode is not QUERY", query)
    # RFC 9619: "a DNS message with OPCODE = 0 ... MUST NOT include a QDCOUNT parameter whose value is greater than 1",
    # and one with none asks nothing of a resolver.
    if message[4] or message[5] != 1:
        raise Refused(Rcode.FORMERR, "QDCOUNT is not 1", query)
    if message[6] or message[7] or message[8] or message[9]:
        raise Refused(Rcode.FORMERR, "a query has no answer or authority section", query)
    _read_question(message, query)
    additional = (message[10] << 8) | message[11]
    end = query.question_end
    if additional:
        if additional > _MAX_ADDITIONAL:
            raise Refused(Rcode.FORMERR, "too many additional RRs", query)
        try:
            end = _read_additional(message, end, additional, query)
        except WireError as error:
            raise Refused(Rcode.FORMERR, str(error), query) from None
    if end != size:
        raise Refused(Rcode.FORMERR, "octets behind the last section", query)
    if query.edns_version:
        raise Refused(Rcode.BADVERS, "EDNS version is not 0", query)
    return query


def _read_question(message: bytes, query: Query) -> None:
    size = len(message)
    offset = _HEADER
    while True:
        if offset >= size:
            raise Refused(Rcode.FORMERR, "name leaves the message", query)
        length = message[offset]
        if length == 0:
            break
        if length > 63:  # a pointer in the first name of a message has nothing to point to
            raise Refused(Rcode.FORMERR, "compressed or reserved label in the question", query)
        offset += 1 + length
    end = offset + 1
    if end - _HEADER > _NAME:
        raise Refused(Rcode.FORMERR, "name over 255 octets", query)
    if end + 4 > size:
        raise Refused(Rcode.FORMERR, "question leaves the message", query)
    query.qname = message[_HEADER:end]
    query.name = query.qname.lower()
    query.rrtype = (message[end] << 8) | message[end + 1]
    query.rrclass = (message[end + 2] << 8) | message[end + 3]
    query.question_end = end + 4


def _read_additional(message: bytes, offset: int, count: int, query: Query) -> int:
    size = len(message)
    for _ in range(count):
        owner = offset
        offset = skip(message, offset)
        if offset + 10 > size:
            raise WireError("RR leaves the message", offset)
        rrtype = (message[offset] << 8) | message[offset + 1]
        end = offset + 10 + ((message[offset + 8] << 8) | message[offset + 9])
        if end > size:
            raise WireError("RDATA leaves the message", offset)
        if rrtype == _OPT:
            # RFC 6891 6.1.1: more than one OPT RR is FORMERR; 6.1.2: its owner name MUST be the root.
            if query.edns:
                raise WireError("more than one OPT RR", offset)
            if message[owner]:
                raise WireError("OPT RR not at the root", owner)
            query.edns = True
            query.udp_size = max((message[offset + 2] << 8) | message[offset + 3], 512)
            query.edns_version = message[offset + 5]
            query.do = bool(((message[offset + 6] << 8) | message[offset + 7]) & _DO)
            if end > offset + 10:
                options = message[offset + 10 : end]
                check_options(options)  # first: the FORMERR that it earns is answered without a look at them
                query.edns_options = options
        offset = end
    return offset


def refuse_type(query: Query) -> tuple[Rcode, str] | None:
    """RCODE and reason for a type or class that Saring never answers, None for all others."""
    if query.rrclass != _IN and query.rrclass != _CH:
        return _WRONG_CLASS
    return _NEVER_ANSWERED.get(query.rrtype)
