"""One query to a primary and its answer: the zone's SOA, or a transfer of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.progress import Progress
from blocklists.transfer.connection import Connection
from blocklists.transfer.failure import TransferError, TransferFailure, refused
from blocklists.transfer.framing import Framing
from blocklists.transfer.meaning import Meanings
from blocklists.transfer.message import (
    RR_FIXED,
    Asked,
    Sections,
    check_answer,
    malformed,
    query,
    skip_rr,
    tsig_at,
)
from blocklists.transfer.scan import Scan, Sink
from blocklists.transfer.soa import Soa, read_soa
from blocklists.transfer.tsig import TsigKey, sign
from blocklists.transfer.tsig_stream import SignatureCheck
from dnswire import name as wire
from dnswire.constants import FLAG_AA, RRClass, RRType
from dnswire.errors import WireError

_PER_ADVANCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Zone:
    """What is asked for and how. ``random_id`` gives message IDs, ``now`` Unix seconds."""

    name: bytes
    where: str
    key: TsigKey | None
    random_id: Callable[[], int]
    now: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Caps:
    """How much of a transfer is taken: octets on the wire, and RRs. ``directory``: where it waits to be read."""

    size_bytes: int
    records: int
    directory: Path


class RefusedError(TransferError):
    """The primary answered with a response code other than NOERROR."""

    def __init__(self, error: TransferError) -> None:
        super().__init__(error.code, error.sentence)


def ask_soa(connection: Connection, zone: Zone) -> Soa:
    """The primary's SOA. Raises ``TransferError``."""
    asked, check = _ask(connection, zone, RRType.SOA)
    message = connection.receive()
    sections = check_answer(message, asked)
    try:
        soa, behind = _soa_in(message, sections, zone)
        found = tsig_at(message, behind, sections.behind)
    except WireError as error:
        raise malformed(zone.where, error) from error
    _authentic(message, found, sections, check, zone)
    if soa is None:
        what = "has no SOA of the zone in its answer: check the zone's name"
        raise TransferError(TransferFailure.WRONG_ANSWER, f"{zone.where} {what}.")
    if not int.from_bytes(message[2:4], "big") & FLAG_AA:
        what = "is not authoritative for the zone (it answers from a cache): name its primary"
        raise TransferError(TransferFailure.WRONG_ANSWER, f"{zone.where} {what}.")
    return soa


def transfer(
    connection: Connection,
    zone: Zone,
    held_serial: int | None,
    meanings: Meanings,
    whole: Sink,
    changes: Sink,
    caps: Caps,
    progress: Progress,
) -> Framing:
    """Transfers the zone, or what changed since ``held_serial``, into ``whole`` or ``changes``.

    Returns how it came: up to date, as deltas, or whole. What the sinks got counts only once this has returned: before
    its end a transfer may turn out to be cut, wrong, or not signed. Raises ``TransferError``.
    """
    rrtype = RRType.AXFR if held_serial is None else RRType.IXFR
    asked, check = _ask(connection, zone, rrtype, held_serial)
    connection.drain(caps.directory, caps.size_bytes)
    framing = Framing(zone.where, held_serial)
    scan = Scan(zone.name, zone.where, framing, meanings, whole, changes)
    told = 0
    while not framing.done:
        message = connection.receive()
        _within(connection, framing, caps, zone.where)
        sections = check_answer(message, asked)
        behind = scan.answers(message, sections) if not sections.rcode else _skipped(message, sections, zone)
        try:
            found = tsig_at(message, behind, sections.behind)
        except WireError as error:
            raise malformed(zone.where, error) from error
        _authentic(message, found, sections, check, zone)
        if not sections.answers:
            what = "sends a message without any RR in the middle of a transfer"
            raise TransferError(TransferFailure.WRONG_ANSWER, f"{zone.where} {what}. The transfer is discarded.")
        if framing.records - told >= _PER_ADVANCE:
            progress.advance(framing.records - told)
            told = framing.records
    if check is not None:
        check.end()
    progress.advance(framing.records - told)
    return framing


def _ask(
    connection: Connection, zone: Zone, rrtype: int, held_serial: int | None = None
) -> tuple[Asked, SignatureCheck | None]:
    message_id = zone.random_id()
    message = query(message_id, zone.name, rrtype, held_serial)
    check = None
    if zone.key is not None:
        message, mac = sign(message, zone.key, int(zone.now()))
        check = SignatureCheck(zone.where, zone.key, mac, zone.now)
    connection.send(message)
    return Asked(message_id, zone.name, rrtype, zone.where), check


def _authentic(message: bytes, found: int | None, sections: Sections, check: SignatureCheck | None, zone: Zone) -> None:
    """Checks the signature, then the response code. Raises ``TransferError``."""
    if check is not None and (found is not None or not sections.rcode):
        check.message(message, found)
    if sections.rcode:
        raise RefusedError(refused(zone.where, sections.rcode, signed=check is None or found is not None))


def _within(connection: Connection, framing: Framing, caps: Caps, where: str) -> None:
    if connection.received_bytes > caps.size_bytes:
        what = f"sends more than {caps.size_bytes:,} bytes, its limit. Raise max_size_bytes if the zone has grown"
        raise TransferError(TransferFailure.TOO_LARGE, f"{where} {what}.")
    if framing.records > caps.records:
        what = f"sends more than {caps.records:,} RRs, the list's limit. Raise max_entries if the zone has grown"
        raise TransferError(TransferFailure.TOO_LARGE, f"{where} {what}.")


def _skipped(message: bytes, sections: Sections, zone: Zone) -> int:
    offset = sections.answer_at
    try:
        for _ in range(sections.answers):
            _, offset = skip_rr(message, offset)
    except WireError as error:
        raise malformed(zone.where, error) from error
    return offset


def _soa_in(message: bytes, sections: Sections, zone: Zone) -> tuple[Soa | None, int]:
    """The zone's SOA in the answer section, and the offset behind that section. Raises ``WireError``."""
    offset = sections.answer_at
    soa: Soa | None = None
    for _ in range(sections.answers):
        name, at = wire.read(message, offset)
        rrtype, offset = skip_rr(message, offset)
        if rrtype == RRType.SOA and name.lower() == zone.name:
            _, rrclass, _, size = RR_FIXED.unpack_from(message, at)
            if rrclass != RRClass.IN:
                raise WireError("SOA of another class", at)
            soa = read_soa(message, at + RR_FIXED.size, size)
    return soa, offset
