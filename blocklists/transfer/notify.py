"""NOTIFY (RFC 1996): a primary says that its zone may have changed. What is answered, and whose word counts. Pure.

A NOTIFY moves nothing by itself: it makes Saring ask the primary for its SOA sooner than the timers would. So an
address that can be forged is enough where there is no key; with a key that verifies, the address does not matter.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from blocklists.transfer.message import skip_rr
from blocklists.transfer.message import tsig_at as find_tsig
from blocklists.transfer.tsig import (
    BADKEY,
    BADSIG,
    BADTIME,
    NOTAUTH,
    TsigKey,
    TsigRecord,
    digest_first,
    message_with,
    read_tsig,
    same_mac,
    sign,
    without,
)
from dnswire import name as wire
from dnswire.constants import (
    FLAG_AA,
    FLAG_QR,
    HEADER_SIZE,
    OPCODE_MASK,
    Opcode,
    Rcode,
    RRClass,
    RRType,
)
from dnswire.errors import WireError

MAX_NOTIFY_SIZE: Final = 4096  # a question, an SOA and a signature need a tenth of it
_HEADER: Final = struct.Struct(">HHHHHH")
_OPCODE_SHIFT: Final = 11


@dataclass(frozen=True, slots=True)
class Notified:
    """Who may notify of a zone: its primary's addresses, and its key if it has one. ``code`` is the list's."""

    code: str
    addresses: frozenset[str]
    key: TsigKey | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """``response``: what to send back, None for nothing. ``code``: the list to be asked for, "" for none.

    ``why`` is for the log where a NOTIFY was not accepted.
    """

    response: bytes | None
    code: str = ""
    why: str = ""


class Notifications:
    """Answers NOTIFY messages. ``zones``: by wire name in lower case; ``networks``: whose word counts for all zones."""

    def __init__(self, zones: Mapping[bytes, Notified], networks: tuple[IPv4Network | IPv6Network, ...] = ()) -> None:
        self._zones = zones
        self._networks = networks

    def answer(self, message: bytes, address: str, now_s: float) -> Reply:
        """What to do about a message from a numeric address; never raises."""
        if len(message) < HEADER_SIZE or len(message) > MAX_NOTIFY_SIZE:
            return Reply(None)
        _, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(message)
        if flags & FLAG_QR:
            return Reply(None)  # an answer to an answer would go on for ever
        if (flags & OPCODE_MASK) >> _OPCODE_SHIFT != Opcode.NOTIFY:
            return Reply(_response(message, HEADER_SIZE, Rcode.NOTIMP))
        try:
            # RFC 1996 3.7: one question, of the zone's name and type SOA.
            name, offset = wire.read(message, HEADER_SIZE)
            rrtype, rrclass = struct.unpack_from(">HH", message, offset)
            offset += 4
            behind = offset
            for _ in range(answers):
                _, behind = skip_rr(message, behind)
            at = find_tsig(message, behind, authorities + additionals)
            record = read_tsig(message, at) if at is not None else None
        except (WireError, struct.error):
            return Reply(_response(message, HEADER_SIZE, Rcode.FORMERR), why="a damaged message")
        if questions != 1 or rrtype != RRType.SOA or rrclass != RRClass.IN:
            return Reply(_response(message, offset, Rcode.FORMERR), why="no question for an SOA")
        zone = self._zones.get(name.lower())
        if zone is None:
            return Reply(_response(message, offset, NOTAUTH), why=f"no list is the zone {wire.to_text(name)}")
        if record is not None:
            return _signed(message, offset, zone, record, now_s)
        if not self._is_allowed(address, zone):
            why = f"{address} is not the primary of {zone.code}, nor among notify_allow_from"
            return Reply(_response(message, offset, Rcode.REFUSED), why=why)
        return Reply(_response(message, offset, Rcode.NOERROR), zone.code)

    def _is_allowed(self, text: str, zone: Notified) -> bool:
        try:
            address = ip_address(text.split("%", 1)[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped  # a socket for both kinds shows IPv4 so
        if str(address) in zone.addresses:
            return True
        return any(address in network for network in self._networks if network.version == address.version)


def _signed(message: bytes, question_end: int, zone: Notified, record: TsigRecord, now_s: float) -> Reply:
    """RFC 8945 5.2: the key, then the signature, then the time."""
    key = zone.key
    if key is None or record.name != key.name or record.algorithm != key.algorithm_name:
        return Reply(_unsigned_error(message, question_end, record, BADKEY), why="a key that its list does not have")
    if not same_mac(digest_first(key, None, without(message, record), record), record.mac):
        return Reply(_unsigned_error(message, question_end, record, BADSIG), why=f"a wrong signature for {zone.code}")
    if abs(now_s - record.time_s) > record.fudge_s:
        # RFC 8945 5.2.3: signed, with the time of the request, and ours as other data.
        bare = _response(message, question_end, NOTAUTH)
        ours = int(now_s).to_bytes(6, "big")
        response, _ = sign(bare, key, record.time_s, record.mac, BADTIME, ours)
        return Reply(response, why="signed at a time too far from ours")
    response, _ = sign(_response(message, question_end, Rcode.NOERROR), key, int(now_s), record.mac)
    return Reply(response, zone.code)


def _unsigned_error(message: bytes, question_end: int, record: TsigRecord, error: int) -> bytes:
    # RFC 8945 5.3.2: errors about keys and signatures are not signed: an empty MAC.
    bare = _response(message, question_end, NOTAUTH)
    nobody = TsigKey(record.name, wire.to_text(record.algorithm), b"")
    return message_with(bare, nobody, record.time_s, b"", record.original_id, error)


def _response(message: bytes, question_end: int, rcode: int) -> bytes:
    """The request's ID and question, with QR set (RFC 1996 4)."""
    message_id, flags, *_ = _HEADER.unpack_from(message)
    answered = (flags & OPCODE_MASK) | FLAG_QR | FLAG_AA | rcode
    questions = 1 if question_end > HEADER_SIZE else 0
    return _HEADER.pack(message_id, answered, questions, 0, 0, 0) + message[HEADER_SIZE:question_end]
