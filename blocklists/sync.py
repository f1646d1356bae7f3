"""A source's way into the library, on one screen: fetch, parse, admit, store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from blocklists import admission
from blocklists.admission import Gate
from blocklists.download import FetchError
from blocklists.fetch import Fetcher, NotModified, Validators
from blocklists.library import Library
from blocklists.normalise import Parsed
from blocklists.outcome import Admitted as Admitted
from blocklists.outcome import Failed as Failed
from blocklists.outcome import Outcome as Outcome
from blocklists.outcome import Refused as Refused
from blocklists.outcome import Unchanged as Unchanged
from blocklists.parsing import Job, Parse, ParseError, parse
from blocklists.progress import Progress, Silent
from blocklists.source import Source
from blocklists.transfer.primary import is_zone
from blocklists.transfer.zone_sync import sync_zone


async def sync(
    source: Source,
    library: Library,
    fetcher: Fetcher,
    gate: Gate,
    progress: Progress,
    now_s: float,
    accept: str | None = None,
    parser: Parse = parse,
) -> Outcome:
    """Brings one list up to date. Whatever happens is recorded in the library, and the last good version stays if
    it must.

    ``accept`` is the SHA-256 of a content that an operator admits in spite of a refusal. Raises ``OSError`` only
    where the library itself cannot be written.
    """
    if is_zone(source.location):
        return await sync_zone(source, library, gate, progress, now_s, accept)
    code = source.code
    state = await asyncio.to_thread(library.state, code)
    known_recipe = state.version > 0 and state.seen_recipe == source.recipe
    validators = state.validators if known_recipe else Validators()
    with library.workspace(code) as directory:
        try:
            fetched = await fetcher.fetch(source, validators, directory / "content", progress)
            if isinstance(fetched, NotModified):
                await asyncio.to_thread(library.record_unchanged, source, state.seen_sha256, validators, now_s)
                return Unchanged(code)
            if known_recipe and fetched.sha256 == state.seen_sha256:
                await asyncio.to_thread(library.record_unchanged, source, fetched.sha256, fetched.validators, now_s)
                return Unchanged(code)
            progress.start(f"parse {code}", 0)
            try:
                parsed = await parser(Job(fetched.path, source, gate.guarded, directory / "entries"))
            finally:
                progress.done()
        except (FetchError, ParseError, OSError) as error:
            sentence = _sentence(source, error)
            await asyncio.to_thread(library.record_failure, code, sentence, now_s)
            return Failed(code, sentence)
        verdict = gate.admit(parsed, fetched.sha256, source, library.last_good(code), accept)
        if isinstance(verdict, admission.Refused):
            await asyncio.to_thread(library.record_refusal, code, verdict, now_s)
            return Refused(code, verdict)
        version = await asyncio.to_thread(library.store, source, fetched, parsed, now_s, verdict.overridden)
        return Admitted(code, version, verdict.overridden)


def _sentence(source: Source, error: FetchError | ParseError | OSError) -> str:
    if isinstance(error, FetchError):
        return error.sentence
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return (
            f"{source.code} could not be worked on: {error.strerror or error}{place}. Check disk space and permissions."
        )
    return f"{error}. The last good version is still served; look at the list's size and the machine's memory."


async def sync_all(
    sources: Sequence[Source],
    library: Library,
    fetcher: Fetcher,
    gate: Gate,
    progress: Progress,
    clock: Callable[[], float],
    concurrency: int = 4,
    parser: Parse = parse,
) -> list[Outcome]:
    """Syncs all sources, so many at a time, one list a unit of ``progress``; outcomes in the order of ``sources``.

    Parsing goes one list at a time, since one big list's memory is bounded and that of several at once is not.
    """
    turns = asyncio.Semaphore(concurrency)
    table = asyncio.Lock()

    async def alone(job: Job) -> Parsed:
        async with table:
            return await parser(job)

    async def one(source: Source) -> Outcome:
        async with turns:
            outcome = await sync(source, library, fetcher, gate, Silent(), clock(), parser=alone)
            progress.advance(1)
            return outcome

    progress.start("sync lists", len(sources))
    try:
        return list(await asyncio.gather(*(one(source) for source in sources)))
    finally:
        progress.done()
