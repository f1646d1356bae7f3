"""One visit to a primary: its SOA, then nothing, the changes, or the whole zone, as files and facts for the gate.

Blocking, and CPU-bound for a large zone; ``apart.py`` runs it in a process of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from blocklists.durable import sha256_of
from blocklists.formats.harvest import Harvest
from blocklists.formats.rpz_record import RpzRecords
from blocklists.normalise import Ending, Parsed
from blocklists.progress import Progress
from blocklists.source import Source
from blocklists.transfer.connection import Connection, Patience, Target, connect
from blocklists.transfer.exchange import Caps, RefusedError, Zone, ask_soa, transfer
from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.framing import Framing, went_back
from blocklists.transfer.guarded import guarded_hits
from blocklists.transfer.key_source import key_of
from blocklists.transfer.meaning import Meanings
from blocklists.transfer.primary import parse_primary
from blocklists.transfer.receiver import WholeZone, ZoneChanges
from blocklists.transfer.records import RecordsDamaged, ZoneRecord, read_records, write_records
from blocklists.transfer.serial import is_newer
from blocklists.transfer.soa import Soa

T = TypeVar("T")

IDLE_S: Final = 60.0
_RRS_AN_ENTRY: Final = 2  # a name and its wildcard
_RRS_BESIDE: Final = 100_000  # signatures and the like, in a small zone


@dataclass(frozen=True, slots=True)
class Held:
    """The version that changes can be applied to."""

    serial: int
    entries: Path
    records: Path


@dataclass(frozen=True, slots=True)
class Job:
    """What to do. ``addresses`` are the primary's, checked. ``known_serial`` is that of the content dealt with last,
    None where any content is wanted. ``expired``: then an older serial is taken, too. ``guarded`` as in ``Gate``.
    """

    source: Source
    addresses: tuple[str, ...]
    guarded: tuple[str, ...]
    entries: Path
    records: Path
    known_serial: int | None = None
    held: Held | None = None
    expired: bool = False


class How(StrEnum):
    """How a zone came."""

    UNCHANGED = "unchanged"
    CHANGES = "changes"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Received:
    """What the visit gave. ``parsed`` None: nothing, for the serial is known. ``sha256``: of the content, whatever its
    serial. ``come``, ``gone``: RRs by which it was changed.
    """

    how: How
    soa: Soa
    parsed: Parsed | None = None
    sha256: str = ""
    reversible: bool = True
    come: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class World:
    """What a job needs of the machine: Unix seconds, a clock that never goes back, message IDs."""

    now: Callable[[], float]
    clock: Callable[[], float]
    random_id: Callable[[], int]
    idle_s: float = IDLE_S


def visit(job: Job, world: World, progress: Progress) -> Received:
    """Does the job. Raises ``TransferError`` and ``OSError``; then no file counts."""
    return _Visit(job, world, progress).run()


class _Visit:
    def __init__(self, job: Job, world: World, progress: Progress) -> None:
        source = job.source
        primary = parse_primary(source.location)
        where = f"The primary of {source.code} ({source.location})"
        self._job = job
        self._progress = progress
        self._target = Target(job.addresses, primary.port, where)
        self._zone = Zone(primary.zone, where, key_of(source), world.random_id, world.now)
        self._patience = Patience(world.idle_s, world.clock() + source.timeout_s, world.clock)
        rrs = _RRS_AN_ENTRY * source.max_entries + _RRS_BESIDE
        self._caps = Caps(source.max_size_bytes, rrs, job.entries.parent)
        self._received_bytes = 0

    def run(self) -> Received:
        soa = self._with_connection(lambda connection: ask_soa(connection, self._zone))
        job = self._job
        known = job.known_serial
        if known is not None:
            if soa.serial == known:
                return Received(How.UNCHANGED, soa)
            if not is_newer(soa.serial, known) and not job.expired:
                raise went_back(self._zone.where, soa.serial, known)
        held = self._held(soa)
        if held is not None:
            try:
                return self._changes(*held)
            except RefusedError:
                pass  # RFC 1995 5: a primary that does not do IXFR is asked for the whole zone
            except TransferError as error:
                if error.code is not TransferFailure.INCREMENTAL:
                    raise
        return self._whole()

    def _held(self, soa: Soa) -> tuple[Held, ZoneChanges] | None:
        held = self._job.held
        if held is None or not is_newer(soa.serial, held.serial):
            return None
        try:
            records = read_records(held.records)
        except RecordsDamaged:
            return None
        return held, ZoneChanges(self._zone.where, self._job.source, held.entries, records)

    def _changes(self, held: Held, changes: ZoneChanges) -> Received:
        whole = self._new_whole()
        framing, meanings = self._transfer(held.serial, whole, changes)
        if framing.whole:
            return self._settle_whole(framing, whole, meanings)
        assert framing.first is not None
        if framing.up_to_date:
            return Received(How.UNCHANGED, framing.first)
        if not meanings.reversible:
            what = "changes names by RRs that several RRs stand for"
            raise TransferError(TransferFailure.INCREMENTAL, f"{self._zone.where} {what}.")
        names = changes.finish(self._job.entries.parent, self._job.entries)
        come, gone = changes.counts
        return self._settled(How.CHANGES, framing, names, changes.harvest, changes.records, True, come, gone)

    def _whole(self) -> Received:
        whole = self._new_whole()
        framing, meanings = self._transfer(None, whole, None)
        return self._settle_whole(framing, whole, meanings)

    def _new_whole(self) -> WholeZone:
        return WholeZone(self._job.source, self._job.entries.parent, self._job.entries)

    def _transfer(
        self, held_serial: int | None, whole: WholeZone, changes: ZoneChanges | None
    ) -> tuple[Framing, Meanings]:
        source = self._job.source
        records = RpzRecords(source.landing, source.subdomains, Harvest(source.rewrites))
        meanings = Meanings(records, one_cover=source.subdomains is not None)
        self._progress.start(f"transfer {source.code}", 0)
        try:
            framing = self._with_connection(
                lambda connection: transfer(
                    connection,
                    self._zone,
                    held_serial,
                    meanings,
                    whole,
                    changes or whole,
                    self._caps,
                    self._progress,
                )
            )
        finally:
            self._progress.done()
        return framing, meanings

    def _settle_whole(self, framing: Framing, whole: WholeZone, meanings: Meanings) -> Received:
        names = whole.finish(self._progress)
        reversible = meanings.reversible and whole.complete
        return self._settled(How.WHOLE, framing, names, whole.harvest, whole.records, reversible)

    def _settled(
        self,
        how: How,
        framing: Framing,
        names: int,
        harvest: Harvest,
        records: set[ZoneRecord],
        reversible: bool,
        come: int = 0,
        gone: int = 0,
    ) -> Received:
        job = self._job
        assert framing.first is not None
        content = write_records(job.records, records)
        entries_sha256 = sha256_of(job.entries)
        digest = hashlib.sha256(entries_sha256.encode() + hashlib.sha256(content).digest())
        over_max = names > job.source.max_entries
        parsed = Parsed(
            size_bytes=self._received_bytes,
            format="rpz",
            html=False,
            head="",
            lines=framing.records,
            names=names,
            duplicates=0,
            invalid=harvest.invalid,
            noise=harvest.noise,
            reasons=tuple(sorted((str(reason), count) for reason, count in harvest.reasons.items())),
            complaints=tuple(harvest.complaints),
            # A transfer is whole or it is none: its SOAs have told.
            ending=Ending(0, "", newline=True, valid=True, known_top=True),
            protected=guarded_hits(job.entries, job.guarded) if names else (),
            over_max=over_max,
            entries=job.entries if names and not over_max else None,
            entries_sha256=entries_sha256,
            beyond=harvest.beyond,
        )
        return Received(how, framing.first, parsed, digest.hexdigest(), reversible, come, gone)

    def _with_connection(self, work: Callable[[Connection], T]) -> T:
        connection = connect(self._target, self._patience)
        try:
            return work(connection)
        finally:
            self._received_bytes = connection.received_bytes
            connection.close()
