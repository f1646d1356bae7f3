"""A transferred zone's way into the library, on one screen: visit the primary, admit, store."""

from __future__ import annotations

import asyncio
from pathlib import Path

from blocklists import admission
from blocklists.addresses import Resolve, system_resolve, why_not_public
from blocklists.admission import Gate
from blocklists.fetch import Fetched, Validators
from blocklists.library import Library, Sound
from blocklists.outcome import Admitted, Failed, Outcome, Refused, Unchanged
from blocklists.progress import Progress
from blocklists.source import Source
from blocklists.state import ListState, ZoneStamp
from blocklists.transfer.apart import Visit, visit_apart
from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.job import Held, How, Job, Received
from blocklists.transfer.primary import parse_primary
from blocklists.transfer.schedule import expires_s
from dnswire.name import to_text


async def sync_zone(
    source: Source,
    library: Library,
    gate: Gate,
    progress: Progress,
    now_s: float,
    accept: str | None = None,
    resolve: Resolve = system_resolve,
    visit: Visit = visit_apart,
) -> Outcome:
    """``sync.sync`` for a zone. An IXFR is applied to the version in force; where that cannot be, the whole zone comes.

    What is judged is the whole content either way, and its checksum is of the content alone: a new serial without a
    change is no new version.
    """
    code = source.code
    state = await asyncio.to_thread(library.state, code)
    with library.workspace(code) as directory:
        job: Job | None = None
        try:
            addresses = await checked_addresses(source, resolve)
            job = await asyncio.to_thread(_job, source, library, state, gate, addresses, directory, now_s)
            received = await visit(job, progress)
        except (TransferError, OSError) as error:
            sentence = failure_sentence(source, state, error, now_s)
            await asyncio.to_thread(library.record_failure, code, sentence, now_s)
            return Failed(code, sentence)
        stamp = _stamp(source, received, state)
        parsed = received.parsed
        if parsed is None or (job.known_serial is not None and received.sha256 == state.seen_sha256):
            sha256 = received.sha256 or state.seen_sha256
            await asyncio.to_thread(library.record_zone, source, sha256, stamp, now_s)
            return Unchanged(code)
        verdict = gate.admit(parsed, received.sha256, source, library.last_good(code), accept)
        if isinstance(verdict, admission.Refused):
            await asyncio.to_thread(library.record_refusal, code, verdict, now_s, stamp.serial)
            return Refused(code, verdict)
        fetched = Fetched(job.records, received.sha256, parsed.size_bytes, Validators(), source.location)
        version = await asyncio.to_thread(library.store, source, fetched, parsed, now_s, verdict.overridden, stamp)
        return Admitted(code, version, verdict.overridden)


async def checked_addresses(source: Source, resolve: Resolve) -> tuple[str, ...]:
    """The primary's addresses, resolved once: what is checked is what is connected to. Raises ``TransferError``."""
    primary = parse_primary(source.location)
    where = f"The primary of {source.code} ({source.location})"
    try:
        found = await resolve(primary.host, primary.port)
    except OSError as error:
        sentence = f"{where}: {primary.host} cannot be resolved ({error}). Check it and the upstream DNS."
        raise TransferError(TransferFailure.UNREACHABLE, sentence) from error
    for address in () if source.allow_private else found:
        if reason := why_not_public(address):
            sentence = (
                f"{where}: {primary.host} is at {address}, which {reason}. If the primary is really there,"
                f" set allow_private for {source.code}."
            )
            raise TransferError(TransferFailure.ADDRESS, sentence)
    return tuple(found)


def _job(
    source: Source,
    library: Library,
    state: ListState,
    gate: Gate,
    addresses: tuple[str, ...],
    directory: Path,
    now_s: float,
) -> Job:
    zone = to_text(parse_primary(source.location).zone)
    # Without a digest the content in force is not the one dealt with last: that was damaged, or the state was lost.
    is_known = state.version > 0 and state.seen_sha256 != "" and state.seen_recipe == source.recipe
    known = state.zone if is_known else None
    if known is not None and known.zone != zone:
        known = None
    sound = library.sound(source.code, now_s) if state.version else None
    if sound is None or sound.version.number != state.version:
        known = None  # damaged just now
    held = _held(source, library, zone, sound)
    return Job(
        source=source,
        addresses=addresses,
        guarded=gate.guarded,
        entries=directory / "entries",
        records=directory / "records",
        known_serial=known.serial if known is not None else None,
        held=held,
        expired=now_s > expires_s(state),
    )


def _held(source: Source, library: Library, zone: str, sound: Sound | None) -> Held | None:
    """A sound version, if changes can be applied to it: it is of this zone, and was read in the same way."""
    if sound is None or sound.version.recipe != source.recipe:
        return None
    stamp = sound.version.zone
    if stamp is None or stamp.zone != zone or not stamp.reversible:
        return None
    return Held(stamp.serial, sound.entries, library.records_path(source.code, sound.version.number))


def _stamp(source: Source, received: Received, state: ListState) -> ZoneStamp:
    soa = received.soa
    reversible = received.reversible
    if received.how is How.UNCHANGED and state.zone is not None:
        reversible = state.zone.reversible
    zone = to_text(parse_primary(source.location).zone)
    return ZoneStamp(zone, soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, reversible)


def failure_sentence(source: Source, state: ListState, error: TransferError | OSError, now_s: float) -> str:
    """Why a zone is not up to date, in words; they begin with its expiry where it has expired."""
    if isinstance(error, TransferError):
        sentence = error.sentence
    else:
        place = f" ({error.filename})" if error.filename else ""
        why = f"{error.strerror or error}{place}"
        sentence = f"{source.code} could not be worked on: {why}. Check disk space and permissions."
    if now_s <= expires_s(state):
        return sentence
    serial = state.zone.serial if state.zone is not None else 0
    return f"The zone has EXPIRED; serial {serial} is still served, lest all its names be free. {sentence}"
