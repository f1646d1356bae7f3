"""Fetches lists, a few at a time, into the library; what is admitted is published by whoever called."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from admin_api.to_policy import SourceRow
from blocklists.admission import Gate
from blocklists.fetch import Fetcher
from blocklists.library import Library
from blocklists.normalise import Parsed
from blocklists.parsing import Job, parse
from blocklists.progress import Board, Progress
from blocklists.source import Source
from blocklists.state import ListState
from blocklists.sync import Admitted, Failed, Outcome, Refused, sync
from saring.config_schema import ListsSection

_log = logging.getLogger(__name__)

NONE_ACCEPTED: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of one list. ``kind``: admitted, unchanged, refused, failed.

    Of a refusal: ``cause`` (what is wrong), ``line`` (0: the whole file), ``sha256`` (the content's, which an override
    names), ``final`` (no override helps). Of an admission by override: ``sha256``, and ``overridden``, the cause that
    was set aside. ``version`` and ``names``: what is served now; 0 for nothing.
    """

    code: str
    kind: str
    text: str
    version: int = 0
    names: int = 0
    cause: str = ""
    line: int = 0
    sha256: str = ""
    final: bool = False
    overridden: str = ""

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
        member=row.member,
        landing=row.landing,
        sha256=row.sha256,
        rewrites=row.rewrites,
        tsig_name=row.tsig_name,
        tsig_algorithm=row.tsig_algorithm,
        tsig_secret=row.tsig_secret,
        tsig_secret_file=row.tsig_secret_file,
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
    gate: Gate,
    config: ListsSection,
    board: Board,
    clock: Callable[[], float],
    accepted: Mapping[str, str] = NONE_ACCEPTED,
) -> list[Synced]:
    """Syncs all ``rows``, each on a line of ``board``; one that fails leaves the others alone. In their order.

    ``accepted``: by list, the checksum of the content that people let in although it may be refused.
    """
    job = _Job(library, gate, config.allow_private, clock, accepted)
    turns = asyncio.Semaphore(config.concurrency)

    async def one(row: SourceRow) -> Synced:
        async with turns:
            return await job.sync(row, board.line(row.code))

    return list(await asyncio.gather(*(one(row) for row in rows)))


class _Job:
    """What the lists of one sync have in common."""

    def __init__(
        self,
        library: Library,
        gate: Gate,
        allow_private: bool,
        clock: Callable[[], float],
        accepted: Mapping[str, str],
    ) -> None:
        self._library = library
        self._gate = gate
        self._allow_private = allow_private
        self._clock = clock
        self._accepted = accepted
        self._fetcher = Fetcher()
        self._table = asyncio.Lock()

    async def sync(self, row: SourceRow, progress: Progress) -> Synced:
        """One list."""
        try:
            source = source_of(row, self._allow_private)
            outcome = await sync(
                source,
                self._library,
                self._fetcher,
                self._gate,
                progress,
                self._clock(),
                accept=self._accepted.get(row.code),
                parser=self._parse,
            )
        except Exception as error:
            # A list that brings the parser down must not take the other lists' night with it.
            _log.exception("a list could not be synced", extra={"list": row.code})
            return Synced(row.code, "failed", f"{type(error).__name__}: {error}")
        served = await asyncio.to_thread(self._library.state, row.code)
        synced = describe(row.code, outcome, served)
        if synced.good:
            _log.info("list synced", extra={"list": row.code, "outcome": synced.kind, "detail": synced.text})
        else:
            _log.warning(
                "list not updated; the last good version is served", extra={"list": row.code, "detail": synced.text}
            )
        return synced

    async def _parse(self, job: Job) -> Parsed:
        # One at a time, as ``blocklists.sync.sync_all``: one big list's memory is bounded, that of several is not.
        async with self._table:
            return await parse(job)


def describe(code: str, outcome: Outcome, state: ListState) -> Synced:
    """An outcome in words. ``state``: the list's, afterwards."""
    version, names = state.version, state.entries
    match outcome:
        case Admitted():
            text = f"version {version}: {names:,} names"
            if outcome.overridden is None:
                return Synced(code, "admitted", text, version, names)
            cause = outcome.overridden.cause
            text += f", let in by two people in spite of: {cause}"
            return Synced(code, "admitted", text, version, names, sha256=outcome.version.sha256, overridden=cause)
        case Refused(refused=refused):
            return Synced(
                code,
                "refused",
                refused.sentence,
                version,
                names,
                cause=refused.cause,
                line=refused.line,
                sha256=refused.sha256,
                final=refused.final,
            )
        case Failed():
            return Synced(code, "failed", outcome.sentence, version, names)
        case _:
            return Synced(code, "unchanged", "as before", version, names)
