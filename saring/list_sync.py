"""Fetches lists, a few at a time, into the library; what is admitted is published by whoever called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from admin_api.to_policy import SourceRow
from blocklists.admission import Gate
from blocklists.fetch import Fetcher
from blocklists.library import Library
from blocklists.normalise import Parsed
from blocklists.parsing import Job, parse
from blocklists.progress import Progress, Silent
from blocklists.source import Source
from blocklists.sync import Admitted, Failed, Outcome, Refused, sync
from saring import logs
from saring.config_schema import ListsSection


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
    rows: Sequence[SourceRow],
    library: Library,
    protected: Sequence[str],
    config: ListsSection,
    progress: Progress,
    clock: Callable[[], float],
) -> list[Synced]:
    """Syncs all ``rows``, one list a unit of ``progress``; one that fails leaves the others alone. In their order."""
    job = _Job(library, Gate(protected=tuple(protected)), config.allow_private, clock)
    turns = asyncio.Semaphore(config.concurrency)

    async def one(row: SourceRow) -> Synced:
        async with turns:
            synced = await job.sync(row)
        progress.advance(1)
        return synced

    progress.start("fetch and parse lists", len(rows))
    try:
        return list(await asyncio.gather(*(one(row) for row in rows)))
    finally:
        progress.done()


class _Job:
    """What the lists of one sync have in common."""

    def __init__(self, library: Library, gate: Gate, allow_private: bool, clock: Callable[[], float]) -> None:
        self._library = library
        self._gate = gate
        self._allow_private = allow_private
        self._clock = clock
        self._fetcher = Fetcher()
        self._table = asyncio.Lock()
        self._log = logs.get(__name__)

    async def sync(self, row: SourceRow) -> Synced:
        """One list."""
        try:
            source = source_of(row, self._allow_private)
            outcome = await sync(
                source, self._library, self._fetcher, self._gate, Silent(), self._clock(), parser=self._parse
            )
        except Exception as error:
            # A list that brings the parser down must not take the other lists' night with it.
            self._log.exception("a list could not be synced", list=row.code)
            return Synced(row.code, "failed", f"{type(error).__name__}: {error}")
        synced = describe(row.code, outcome)
        if synced.good:
            self._log.info("list synced", list=row.code, outcome=synced.kind, detail=synced.text)
        else:
            self._log.warning("list not updated; the last good version is served", list=row.code, detail=synced.text)
        return synced

    async def _parse(self, job: Job) -> Parsed:
        # One at a time: the memory of one big list is bounded, that of several at once is not.
        async with self._table:
            return await parse(job)


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
