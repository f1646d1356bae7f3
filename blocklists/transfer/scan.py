"""The RRs of a transfer's messages, read where they stand: about a microsecond for one that is a plain entry.

A national zone has 17.5 million RRs that all look the same: a name in letters, digits and hyphens, compressed towards
the zone's name, and a CNAME to the root or a landing name. One regular expression reads such an owner's labels and
vouches for their octets at once; whatever else comes takes the careful way.
"""

from __future__ import annotations

import re
import struct
from typing import Final, Protocol

from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.framing import Framing, Place
from blocklists.transfer.meaning import TRIGGER_ENDS, Meanings
from blocklists.transfer.message import RR_FIXED, Sections, malformed
from blocklists.transfer.records import ZoneRecord, plain_rdata
from blocklists.transfer.soa import read_soa
from dnswire import name as wire
from dnswire.constants import RRClass, RRType
from dnswire.errors import WireError

_CNAME: Final = int(RRType.CNAME)
_SOA: Final = int(RRType.SOA)
_IN: Final = int(RRClass.IN)
_FIXED_SIZE: Final = RR_FIXED.size
_STAR: Final = b"\x01*"
_NINE: Final = 0x39
_ADDRESSES: Final = (int(RRType.A), int(RRType.AAAA))


def _label_pattern() -> re.Pattern[bytes]:
    # Each length octet has one branch only, so that there is one way to read a name. A star may be its first label.
    one_label = b"|".join(b"\\x%02x[a-zA-Z0-9_-]{%d}" % (size, size) for size in range(1, 64))
    return re.compile(b"(?:\\x01\\*)?(?:" + one_label + b")*")


_LABELS: Final = _label_pattern().match


class Sink(Protocol):
    """Where RRs go. ``cover`` and ``key`` as in ``entry.py``; calls come in the order of the transfer."""

    def entry(self, place: Place, key: bytes, cover: int) -> None:
        """A plain entry."""
        ...

    def record(self, place: Place, record: ZoneRecord) -> None:
        """Any other RR of the zone but its SOA."""
        ...

    def outside(self, place: Place, owner: bytes) -> None:
        """An RR whose owner, a wire name, is not in the zone."""
        ...


class Scan:
    """Reads the messages of one transfer of ``zone``, guided by ``framing``: a whole zone's RRs into ``whole``, those
    of an IXFR's deltas into ``changes``.
    """

    def __init__(
        self, zone: bytes, where: str, framing: Framing, meanings: Meanings, whole: Sink, changes: Sink
    ) -> None:
        self._zone = zone
        self._where = where
        self._framing = framing
        self._meanings = meanings
        self._whole = whole
        self._changes = changes

    def answers(self, message: bytes, sections: Sections) -> int:
        """Reads the answer section; returns the offset behind it. Raises ``TransferError``."""
        try:
            offset = self._answers(message, sections.answer_at, sections.answers)
        except WireError as error:
            raise malformed(self._where, error) from error
        except (IndexError, struct.error) as error:
            raise malformed(self._where, WireError("an RR leaves the message", len(message))) from error
        self._framing.records += sections.answers
        self._framing.message_ended()
        return offset

    def _answers(self, message: bytes, offset: int, count: int) -> int:
        framing = self._framing
        place = framing.place
        sink = self._sink(place)
        put = sink.entry
        size = len(message)
        unpack = RR_FIXED.unpack_from
        owners: dict[int, bytes] = {}  # offset of a plain name in this message to its labels before the zone's
        meanings: dict[bytes, tuple[int, int]] = {}  # RDATA of a CNAME in this message to what it means
        for _ in range(count):
            start = offset
            labels_end = _LABELS(message, offset).end()  # type: ignore[union-attr]  # it matches nothing, at least
            octet = message[labels_end]
            rest = owners.get((octet & 0x3F) << 8 | message[labels_end + 1]) if octet >= 0xC0 else None
            if rest is None:
                owner, at = self._owner(message, start, owners)
                plain = owner is not None and _LABELS(owner).end() == len(owner)  # type: ignore[union-attr]  # as above
            else:
                owner = message[start:labels_end].lower() + rest
                at = labels_end + 2
                plain = True
            rrtype, rrclass, _, rdata_size = unpack(message, at)
            at += _FIXED_SIZE
            offset = at + rdata_size
            if offset > size:
                raise WireError("RDATA leaves the message", at)
            if rrclass != _IN:
                raise self._wrong(f"sends an RR of class {rrclass}")
            if rrtype == _SOA:
                self._soa(message, at, rdata_size, owner)
                place = framing.place
                sink = self._sink(place)
                put = sink.entry
                continue
            if place <= Place.UNDECIDED:
                framing.record()
                place = framing.place
                sink = self._sink(place)
                put = sink.entry
            if owner is None:
                sink.outside(place, wire.read(message, start)[0])
                continue
            starred = owner.startswith(_STAR)
            if plain and not starred:
                owners[start] = owner
            if rrtype == _CNAME or rrtype in _ADDRESSES:
                rdata = message[at:offset]
                covers = meanings.get(rdata) if rrtype == _CNAME else None
                if covers is None:
                    covers = self._meanings.of(rrtype, plain_rdata(message, at, rdata_size, rrtype))
                    if rrtype == _CNAME:
                        meanings[rdata] = covers
                # An owner that ends in a digit may be one that is no name: 192.0.2.1.
                if covers[0] and plain and len(owner) > 2 and owner[-1] > _NINE and not owner.endswith(TRIGGER_ENDS):
                    if starred:
                        put(place, owner[:1:-1], covers[1])
                    else:
                        put(place, owner[::-1], covers[0])
                    continue
            sink.record(place, ZoneRecord(owner, rrtype, plain_rdata(message, at, rdata_size, rrtype)))
        return offset

    def _sink(self, place: Place) -> Sink:
        return self._changes if place in (Place.GONE, Place.COME) else self._whole

    def _owner(self, message: bytes, start: int, owners: dict[int, bytes]) -> tuple[bytes | None, int]:
        """The labels of the name at ``start`` before the zone's name, None where it is not in the zone; and the offset
        behind it. Remembers where its parents are, for others to point to.
        """
        name, behind = wire.read(message, start)
        name = name.lower()
        if not wire.is_subdomain(name, self._zone):
            return None, behind
        before = name[: len(name) - len(self._zone)]
        star = len(_STAR) if before.startswith(_STAR) else 0
        if _LABELS(before, star).end() == len(before):  # type: ignore[union-attr]  # as above
            _remember(message, start, before, star, owners)
        return before, behind

    def _soa(self, message: bytes, at: int, size: int, owner: bytes | None) -> None:
        if owner != b"":
            raise self._wrong("sends the SOA of another zone")
        self._framing.soa(read_soa(message, at, size))

    def _wrong(self, what: str) -> TransferError:
        return TransferError(TransferFailure.WRONG_ANSWER, f"{self._where} {what}. The transfer is discarded.")


def _remember(message: bytes, offset: int, name: bytes, star: int, owners: dict[int, bytes]) -> None:
    """Puts where ``name`` and its parents stand, up to the zone's name, into ``owners``; but for one with a star."""
    done = 0
    while done <= len(name):
        octet = message[offset]
        if octet >= 0xC0:
            offset = (octet & 0x3F) << 8 | message[offset + 1]
            continue
        if done >= star:
            owners[offset] = name[done:]
        offset += 1 + octet
        done += 1 + octet
