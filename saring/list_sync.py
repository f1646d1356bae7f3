"""Fetches lists, a few at a time, into the library; what is admitted is published by whoever called."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from admin_api.to_policy import SourceRow
from blocklists.admission import Gate
from blocklists.fetch import Fetcher
from blocklists.library import Library
from blocklists.progress import Progress
from blocklists.source import Source
from blocklists.sync import Admitted, Failed, Outcome, Refused, sync
from saring import logs


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of one list. ``kind``: admitted, unchanged, refused, failed."""

    code: str
    kind: str
    text: str

    @property
    def good(self) -> bool:
        """Whether the list is as its source has it."""
        return self.kind in {"admitted", "unchanged"}


def source_of(row: SourceRow, allow_private: bool) -> Source:
    """A list's row as its source. ``allow_private`` is the configuration's word for all lists."""
    return Source(
        code=row.code,
        location=row.location,
        format=row.format,
        subdomains=row.subdomains,
        max_size_bytes=row.max_size_bytes,
        min_entries=row.min_entries,
        shrink_limit=row.shrink_limit,
        allow_private=row.allow_private or allow_private,
    )


def is_local(row: SourceRow) -> bool:
    """Whether the list lies on this machine, so that fetching it needs no network."""
    return urlsplit(row.location).scheme in {"", "file"}


async def sync_lists(
    rows: Iterable[SourceRow],
    library: Library,
    protected: Sequence[str],
    *,
    concurrency: int,
    allow_private: bool,
    progress: Progress,
    clock: Callable[[], float],
) -> list[Synced]:
    """Syncs all ``rows``; one that fails leaves the others alone. In the order of ``rows``."""
    gate = Gate(protected=tuple(protected))
    fetcher = Fetcher()
    turns = asyncio.Semaphore(concurrency)

    async def one(row: SourceRow) -> Synced:
        async with turns:
            return await _sync_one(row, library, fetcher, gate, allow_private, progress, clock)

    return list(await asyncio.gather(*(one(row) for row in rows)))


async def _sync_one(
    row: SourceRow,
    library: Library,
    fetcher: Fetcher,
    gate: Gate,
    allow_private: bool,
    progress: Progress,
    clock: Callable[[], float],
) -> Synced:
    log = logs.get(__name__)
    try:
        outcome = await sync(source_of(row, allow_private), library, fetcher, gate, progress, clock())
    except Exception as error:
        # A list that brings the parser down must not take the other lists' night with it.
        log.exception("a list could not be synced", list=row.code)
        return Synced(row.code, "failed", f"internal error: {type(error).__name__}: {error}")
    synced = describe(row.code, outcome)
    if synced.good:
        log.info("list synced", list=row.code, outcome=synced.kind, detail=synced.text)
    else:
        log.warning("list not updated; the last good version is served", list=row.code, detail=synced.text)
    return synced


def describe(code: str, outcome: Outcome) -> Synced:
    """An outcome in words."""
    match outcome:
        case Admitted():
            return Synced(code, "admitted", f"version {outcome.version.number}: {outcome.version.names:,} names")
        case Refused():
            return Synced(code, "refused", outcome.refused.sentence)
        case Failed():
            return Synced(code, "failed", outcome.sentence)
        case _:
            return Synced(code, "unchanged", "as before")


def as_document(results: Iterable[Synced]) -> list[dict[str, str]]:
    """Results as JSON."""
    return [dataclasses.asdict(result) for result in results]
