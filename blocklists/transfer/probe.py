"""Whether a primary has something new: its SOA, asked for between transfers, and what the library notes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from blocklists.library import Library
from blocklists.source import Source
from blocklists.state import ListState, ZoneStamp
from blocklists.transfer.apart import world
from blocklists.transfer.connection import Patience, Target, connect
from blocklists.transfer.exchange import Zone, ask_soa
from blocklists.transfer.failure import TransferError
from blocklists.transfer.key_source import key_of
from blocklists.transfer.primary import parse_primary
from blocklists.transfer.soa import Soa
from blocklists.transfer.zone_sync import failure_sentence

PROBE_TIMEOUT_S: Final = 20.0

Ask = Callable[[Source, tuple[str, ...]], Awaitable[Soa]]
"""The SOA of a source's primary, whose addresses were checked. Raises ``TransferError``."""


@dataclass(frozen=True, slots=True)
class Probed:
    """``news``: a sync is due. ``sentence``: why the primary could not be asked, "" where it was."""

    news: bool
    sentence: str = ""


async def ask_primary(source: Source, addresses: tuple[str, ...]) -> Soa:
    """The SOA as the primary has it, over TCP: what a transfer will need too. Raises ``TransferError``."""
    return await asyncio.to_thread(_ask, source, addresses)


def _ask(source: Source, addresses: tuple[str, ...]) -> Soa:
    primary = parse_primary(source.location)
    where = f"The primary of {source.code} ({source.location})"
    here = world()
    zone = Zone(primary.zone, where, key_of(source), here.random_id, here.now)
    patience = Patience(PROBE_TIMEOUT_S, here.clock() + PROBE_TIMEOUT_S, here.clock)
    connection = connect(Target(addresses, primary.port, where), patience)
    try:
        return ask_soa(connection, zone)
    finally:
        connection.close()


def note_answer(source: Source, library: Library, state: ListState, soa: Soa, now_s: float) -> Probed:
    """Notes that the primary answered, and says whether it has something that was not dealt with."""
    known = state.zone
    if known is not None and soa.serial == known.serial and state.seen_sha256:
        stamp = ZoneStamp(known.zone, soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, known.reversible)
        library.record_zone(source, state.seen_sha256, stamp, now_s)
        return Probed(False)
    if soa.serial == state.refused_serial:
        library.record_checked(source.code, now_s)
        return Probed(False)
    # Older serials too: the sync says what is wrong with them, or takes them where the zone has expired.
    return Probed(True)


def note_failure(source: Source, library: Library, state: ListState, error: TransferError, now_s: float) -> Probed:
    """Notes that the primary could not be asked."""
    sentence = failure_sentence(source, state, error, now_s)
    library.record_failure(source.code, sentence, now_s)
    return Probed(False, sentence)
