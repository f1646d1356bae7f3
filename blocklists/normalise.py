"""From a fetched file to an entries file and the facts the admission gate judges by.

Memory: a name costs about 75 bytes until its file is written, so that 10 M names peak at 1.2 GB. Everything here is
CPU-bound and holds the interpreter's lock for seconds; callers run it in a process or thread of its own (``sync.py``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.durable import sha256_of
from blocklists.entries import write_entries
from blocklists.entry import BELOW, EXACT, key_of, kind
from blocklists.formats.detect import BY_NAME, HEAD_SIZE, detect, is_html
from blocklists.formats.harvest import Complaint, Format, Harvest, Reason, excerpt
from blocklists.source import AUTO, Source
from dnswire.name import from_text, parents, to_text

_CHUNK_SIZE: Final = 1 << 20
_MAX_LINE: Final = 65_536
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the file ends: what tells a cut list from a whole one.

    ``known_top``: the last name's top label occurs at another name of the list too, or the last line holds no name.
    """

    line: int
    text: str
    newline: bool
    valid: bool
    known_top: bool


@dataclass(frozen=True, slots=True)
class ProtectedHit:
    """An entry that would block a protected name."""

    protected: str
    entry: str
    kind: str
    line: int  # 0 where the name is written differently in the file


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a fetched file holds. ``entries`` is None where no entries file was written (no name, or too many)."""

    size_bytes: int
    format: str
    html: bool
    head: str  # its first line, in excerpt
    lines: int
    names: int  # distinct
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


def normalise(path: Path, source: Source, protected: tuple[str, ...], entries: Path) -> Parsed:
    """Parses the file at ``path`` and writes its entries to ``entries``. Any content gives a ``Parsed``; only
    OSError is raised.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_SIZE)
    known = BY_NAME[source.format] if source.format != AUTO else detect(head.removeprefix(_BOM))
    reading = _Reading(path)
    harvest = Harvest()
    for chunk, first_line in reading.chunks():
        known.parse(chunk, first_line, source.subdomains, harvest)
        if harvest.names > source.max_entries:
            break
    for line in reading.too_long:
        harvest.reject(line, b"", Reason.LINE_TOO_LONG)
    over_max = harvest.names > source.max_entries
    groups = {} if over_max else _sorted_groups(harvest)
    ending = _ending(reading, known, source, groups)
    hits = _protected_hits(path, groups, protected)
    names = write_entries(entries, groups) if groups else 0
    return Parsed(
        size_bytes=reading.size_bytes,
        format=known.name,
        html=is_html(head),
        head=excerpt(head.removeprefix(_BOM).strip().split(b"\n")[0].strip()),
        lines=reading.lines,
        names=names,
        duplicates=0 if over_max else harvest.names - names,
        invalid=harvest.invalid,
        noise=harvest.noise,
        reasons=tuple(sorted((str(reason), count) for reason, count in harvest.reasons.items())),
        complaints=tuple(sorted(harvest.complaints, key=lambda complaint: complaint.line)),
        ending=ending,
        protected=hits,
        over_max=over_max,
        entries=entries if names else None,
        entries_sha256=sha256_of(entries) if names else "",
    )


class _Reading:
    """One pass over a file: chunks of whole lines in lower case, and what the pass learns on its way."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size_bytes = 0
        self.lines = 0
        self.too_long: list[int] = []
        self.last = b""  # the last line with anything in it
        self.last_line = 0
        self.newline = True

    def chunks(self) -> Iterator[tuple[bytes, int]]:
        """Each chunk with the number of its first line."""
        rest = b""
        with self._path.open("rb") as file:
            while block := file.read(_CHUNK_SIZE):
                first_block = not self.size_bytes
                self.size_bytes += len(block)
                if first_block:
                    block = block.removeprefix(_BOM)
                text = rest + block
                cut = text.rfind(b"\n") + 1
                # Old Mac line ends are CR alone; such a file has no LF at all to cut at.
                cut = cut or (text.rfind(b"\r", 0, -1) + 1)
                rest = text[cut:]
                if len(rest) > _CHUNK_SIZE:
                    rest = rest[: _MAX_LINE + 1]  # bounded memory for a file without line ends
                if cut:
                    yield self._chunk(text[:cut])
        self.newline = not rest
        if rest:
            yield self._chunk(rest + b"\n")

    def _chunk(self, text: bytes) -> tuple[bytes, int]:
        first = self.lines + 1
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        text = text.lower()
        self.lines += text.count(b"\n")
        if len(text) > _MAX_LINE:
            text = self._without_long_lines(text, first)
        self._remember_last(text)
        return text, first

    def _without_long_lines(self, text: bytes, first: int) -> bytes:
        # Cheap when there is none: a line end in each window means that no line is longer than two of them.
        half = _MAX_LINE // 2
        if all(text.find(b"\n", start, start + half) >= 0 for start in range(0, len(text) - half, half)):
            return text
        lines = text[:-1].split(b"\n")
        for index, line in enumerate(lines):
            if len(line) > _MAX_LINE:
                lines[index] = b""
                self.too_long.append(first + index)
        return b"\n".join(lines) + b"\n"

    def _remember_last(self, text: bytes) -> None:
        stripped = text.rstrip()
        if not stripped:
            return
        self.last = stripped[stripped.rfind(b"\n") + 1 :]
        self.last_line = self.lines - text.count(b"\n", len(stripped)) + 1


def _sorted_groups(harvest: Harvest) -> dict[int, list[str]]:
    """The keys by cover, sorted, none in two groups: a name in two of them gets the union of their covers."""
    groups: dict[int, list[str]] = {}
    for cover in list(harvest.keys):
        blobs = harvest.keys.pop(cover)
        keys: list[str] = []
        blobs.reverse()
        while blobs:
            # Latin-1 text sorts as its octets do, in two thirds of the time.
            keys.extend(blobs.pop().decode("latin-1").split("\0"))
        keys.sort()
        groups[cover] = keys
    return _united(groups) if len(groups) > 1 else groups


def _united(groups: dict[int, list[str]]) -> dict[int, list[str]]:
    biggest = max(groups, key=lambda cover: len(groups[cover]))
    covers: dict[str, int] = {}
    for cover, keys in groups.items():
        if cover != biggest:
            for key in keys:
                covers[key] = covers.get(key, 0) | cover
    for key in covers.keys() & groups[biggest]:
        covers[key] |= biggest
    united = {biggest: [key for key in groups[biggest] if key not in covers]}
    for key, cover in covers.items():
        united.setdefault(cover, []).append(key)
    return {cover: sorted(keys) for cover, keys in united.items() if keys}


def _ending(reading: _Reading, known: Format, source: Source, groups: dict[int, list[str]]) -> Ending:
    alone = Harvest()
    known.parse(reading.last + b"\n", reading.last_line, source.subdomains, alone)
    known_top = True
    for blobs in alone.keys.values():
        # The last token's key is the first of the bulk pass's blob.
        key = blobs[0].split(b"\0")[0].decode("latin-1")
        known_top = _has_neighbour(groups, key)
    return Ending(reading.last_line, excerpt(reading.last), reading.newline, not alone.invalid, known_top)


def _has_neighbour(groups: dict[int, list[str]], key: str) -> bool:
    end = next((index for index, char in enumerate(key) if ord(char) == index), len(key))
    top = key[: end + 1]
    found: set[str] = set()
    for keys in groups.values():
        first = bisect_left(keys, top)
        last = bisect_left(keys, top + "\xff") - 1  # no admitted name holds that octet
        if first <= last:
            found.update((keys[first], keys[last]))
    return len(found) > 1


def _protected_hits(path: Path, groups: dict[int, list[str]], protected: tuple[str, ...]) -> tuple[ProtectedHit, ...]:
    hits: list[ProtectedHit] = []
    for text in protected:
        own = from_text(text).lower()
        for name in parents(own):
            needed = EXACT if name == own else BELOW
            key = key_of(name).decode("latin-1")
            for cover, keys in groups.items():
                index = bisect_left(keys, key)
                if key and cover & needed and index < len(keys) and keys[index] == key:
                    entry = to_text(name)
                    hits.append(ProtectedHit(text, entry, kind(cover), _line_of(path, entry.encode())))
    return tuple(hits)


def _line_of(path: Path, name: bytes) -> int:
    """The line on which the name stands alone or as a word, 0 where none is found. Read again only for a refusal."""
    reading = _Reading(path)
    for chunk, first_line in reading.chunks():
        at = chunk.find(name)
        while at >= 0:
            line_start = chunk.rfind(b"\n", 0, at) + 1
            line = chunk[line_start : chunk.find(b"\n", at)]
            if name in line.replace(b"*.", b" ").split():
                return first_line + chunk.count(b"\n", 0, at)
            at = chunk.find(name, at + 1)
    return 0
