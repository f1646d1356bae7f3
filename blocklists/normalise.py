"""From a fetched file to an entries file and the facts the admission gate judges by.

Memory is bounded whatever the file's size: chunks are parsed one by one, and keys leave it in sorted runs (``Runs``).
Everything here is CPU-bound and holds the interpreter's lock for seconds; callers run it in a process or thread of its
own (``sync.py``).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.durable import sha256_of
from blocklists.entry import BELOW, EXACT, key_of, kind
from blocklists.formats.detect import BY_NAME, HEAD_SIZE, detect, is_html
from blocklists.formats.harvest import Complaint, Format, Harvest, Options, Reason, excerpt
from blocklists.guarded import rule_hits
from blocklists.lines import Place, Text, Wanted, place_of
from blocklists.lookup import Lookup, looking_up
from blocklists.progress import Silent
from blocklists.reading import BOM, Chunk, Reading, opener
from blocklists.runs import Runs
from blocklists.section_files import SectionFiles
from blocklists.source import AUTO, Source
from dnswire.name import from_text, parents, to_text

_NEIGHBOURS: Final = 2


@dataclass(frozen=True, slots=True)
class Ending:
    """How the file ends: what tells a cut list from a whole one.

    ``known_top``: the last name's top label occurs at another name of the list too, or the last line holds no name.
    ``file``: the file of a folder whose line it is.
    """

    line: int
    text: str
    newline: bool
    valid: bool
    known_top: bool
    file: str = ""


@dataclass(frozen=True, slots=True)
class ProtectedHit:
    """An entry that would block a protected name."""

    protected: str
    entry: str
    kind: str
    line: int  # 0 where it was not found again
    file: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a fetched file holds. ``entries`` is None where no entries file was written (no entry, or too many).

    ``names`` counts what the file says: distinct names, address ranges, rules. ``invalid``, ``beyond``, ``noise``,
    ``reasons`` and ``complaints`` as in ``Harvest``.
    """

    size_bytes: int
    format: str
    html: bool
    head: str  # its first line, in excerpt
    lines: int
    names: int
    duplicates: int
    invalid: int
    noise: int
    reasons: tuple[tuple[str, int], ...]
    complaints: tuple[Complaint, ...]
    ending: Ending
    protected: tuple[ProtectedHit, ...]
    over_max: bool
    entries: Path | None
    entries_sha256: str
    beyond: int = 0


def normalise(path: Path, source: Source, protected: tuple[str, ...], entries: Path) -> Parsed:
    """Parses the file at ``path`` and writes its entries to ``entries``. Any content gives a ``Parsed``; only
    OSError is raised.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_SIZE)
    known = BY_NAME[source.format] if source.format != AUTO else detect(head.removeprefix(BOM))
    with tempfile.TemporaryDirectory(prefix="runs-", dir=entries.parent) as directory:
        work = _Work(path, source, known, Path(directory))
        work.parse()
        names = work.write(entries)
    harvest = work.harvest
    hits: tuple[ProtectedHit, ...] = ()
    known_top = True
    if names:
        with looking_up(entries) as lookup:
            hits = (
                *_protected_hits(path, source, known, lookup, protected),
                *(
                    ProtectedHit(text, rule.text, rule.kind, rule.line)
                    for text, rule in rule_hits(harvest.rules, protected)
                ),
            )
            known_top = not work.last_key or _has_neighbour(lookup, work.last_key)
    last_file, last_line = work.last_place
    return Parsed(
        size_bytes=work.reading.size_bytes,
        format=known.name,
        html=is_html(head),
        head=excerpt(head.removeprefix(BOM).strip().split(b"\n")[0].strip()),
        lines=work.reading.lines,
        names=names,
        duplicates=0 if work.over_max else harvest.names + len(harvest.rules) + len(harvest.addresses) - names,
        invalid=harvest.invalid,
        noise=harvest.noise,
        reasons=tuple(sorted((str(reason), count) for reason, count in harvest.reasons.items())),
        complaints=tuple(sorted(harvest.complaints, key=lambda complaint: (complaint.file, complaint.line))),
        ending=Ending(
            last_line, excerpt(work.reading.last), work.reading.newline, work.last_valid, known_top, last_file
        ),
        protected=hits,
        over_max=work.over_max,
        entries=entries if names else None,
        entries_sha256=sha256_of(entries) if names else "",
        beyond=harvest.beyond,
    )


class _Work:
    """One file on its way through its parser into sorted runs on disk."""

    def __init__(self, path: Path, source: Source, known: Format, directory: Path) -> None:
        self._source = source
        self._parser = known.begin(options_of(source))
        self._directory = directory
        self._runs = Runs(directory)
        self.reading = Reading(opener(path), lower=not known.keeps_case)
        self.harvest = Harvest(source.rewrites)
        self.over_max = False
        self.last_valid = True
        self.last_key = b""
        self.last_place = ("", 0)

    def parse(self) -> None:
        """Reads to the end, or to one entry more than the source may have."""
        for chunk in self.reading.chunks():
            if chunk.last:
                self._last(chunk)
            else:
                self._parser.parse(chunk.text, chunk.first_line, self._source.subdomains, self.harvest)
            self._drain()
            if self.over_max:
                return
        self._parser.finish(self._source.subdomains, self.harvest)
        for line in self.reading.too_long:
            self.harvest.reject(line, b"", Reason.LINE_TOO_LONG)
        self._drain()

    def write(self, entries: Path) -> int:
        """Writes the entries file, if there is anything to write; returns how many entries it has."""
        harvest = self.harvest
        if self.over_max or not (harvest.names or harvest.rules or harvest.addresses):
            return 0
        files = SectionFiles(self._directory)
        try:
            self._runs.merge_into(files, Silent(), harvest.void)
            return files.join(entries, harvest.rules, harvest.addresses)
        finally:
            files.close()

    def _last(self, chunk: Chunk) -> None:
        """The last line by itself: whether it is whole tells whether the list is."""
        before = self.harvest.invalid
        self._parser.parse(chunk.text, chunk.first_line, self._source.subdomains, self.harvest)
        self.last_valid = self.harvest.invalid == before
        for blobs in self.harvest.keys.values():
            # The last token's key is the first of the bulk pass's blob.
            self.last_key = blobs[0].split(b"\0")[0]
        self.last_place = self._parser.place(chunk.first_line)

    def _drain(self) -> None:
        harvest = self.harvest
        for cover, blobs in harvest.keys.items():
            for blob in blobs:
                self._runs.add_blob(cover, blob, blob.count(b"\0") + 1)
        harvest.keys.clear()
        total = harvest.names + len(harvest.rules) + len(harvest.addresses)
        self.over_max = total > self._source.max_entries


def options_of(source: Source) -> Options:
    """What a source states about its content, for a parser."""
    return Options(frozenset(source.landing))


def _has_neighbour(lookup: Lookup, key: bytes) -> bool:
    end = next((index for index, octet in enumerate(key) if octet == index), len(key))
    return len(lookup.beginning_with(key[: end + 1], _NEIGHBOURS)) == _NEIGHBOURS


def _protected_hits(
    path: Path, source: Source, known: Format, lookup: Lookup, protected: tuple[str, ...]
) -> list[ProtectedHit]:
    hits: list[ProtectedHit] = []
    for text in protected:
        own = from_text(text).lower()
        for name in parents(own):
            needed = EXACT if name == own else BELOW
            key = key_of(name)
            cover = lookup.cover(key) if key else 0
            if cover & needed:
                place = _place(path, source, known, key, needed) or Place("", 0, "")
                hits.append(ProtectedHit(text, to_text(name), kind(cover), place.line, place.file))
    return hits


def _place(path: Path, source: Source, known: Format, key: bytes, cover: int) -> Place | None:
    # Read again only for a refusal.
    return place_of(Text(opener(path), known, options_of(source), source.subdomains), Wanted(key, cover))
