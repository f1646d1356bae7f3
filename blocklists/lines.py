"""In which line of a list's text an entry stands: looked for on demand, in the text as it was published.

Where names stand in the text as they are, only lines that hold the name are parsed. Elsewhere (RPZ, whose names may be
relative; IDN, whose names may be written in several ways) the text is parsed anew as it was the first time, up to the
line: some seconds for ten million names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from blocklists.entry import name_of
from blocklists.formats.harvest import Format, Harvest, Options, excerpt
from blocklists.reading import Reading
from dnswire.name import to_text

_MAX_CANDIDATES: Final = 100_000  # lines that hold the name somewhere, and are not it


@dataclass(frozen=True, slots=True)
class Place:
    """A line. ``file`` is the file of a folder, else empty; ``text`` the line, printable and cut to what fits."""

    file: str
    line: int
    text: str


def place_of(
    open_it: Callable[[], BinaryIO], known: Format, options: Options, subdomains: bool | None, key: bytes, cover: int
) -> Place | None:
    """The first line that gives an entry of this key with any of the bits of ``cover``; None where none does.

    ``known`` is the registered format, ``subdomains`` as when the list was parsed.
    """
    text = to_text(name_of(key)).encode()
    if known.whole_names and b"xn--" not in text:
        return _by_search(open_it, known, options, subdomains, key, cover, text)
    wanted = _Wanted(key, cover)
    chunk_line = _chunk_with(open_it, known.begin(options), subdomains, wanted)
    return _line_in(open_it, known.begin(options), subdomains, wanted, chunk_line) if chunk_line else None


class _Wanted:
    """An entry that a harvest may hold."""

    def __init__(self, key: bytes, cover: int) -> None:
        self._key = b"\0" + key + b"\0"
        self._cover = cover

    def is_in(self, harvest: Harvest) -> bool:
        return any(
            self._key in b"\0" + blob + b"\0"
            for cover, blobs in harvest.keys.items()
            if cover & self._cover
            for blob in blobs
        )


def _by_search(
    open_it: Callable[[], BinaryIO],
    known: Format,
    options: Options,
    subdomains: bool | None,
    key: bytes,
    cover: int,
    text: bytes,
) -> Place | None:
    wanted = _Wanted(key, cover)
    left = _MAX_CANDIDATES
    parser = known.begin(options)
    for chunk in Reading(open_it, lower=not known.keeps_case).chunks():
        lowered = chunk.text.lower()
        at = lowered.find(text)
        while at >= 0 and left:
            start = lowered.rfind(b"\n", 0, at) + 1
            end = lowered.index(b"\n", at)
            number = chunk.first_line + lowered.count(b"\n", 0, start)
            line = chunk.text[start:end]
            left -= 1
            alone = Harvest()
            parser.parse(line + b"\n", number, subdomains, alone)
            parser.finish(subdomains, alone)
            if wanted.is_in(alone):
                return _place(parser, number, line)
            at = lowered.find(text, end)
    return None


def _chunk_with(open_it: Callable[[], BinaryIO], parser: Format, subdomains: bool | None, wanted: _Wanted) -> int:
    """The first line of the chunk that gives the entry; 0 where none does."""
    for chunk in Reading(open_it, lower=not parser.keeps_case).chunks():
        harvest = Harvest()
        parser.parse(chunk.text, chunk.first_line, subdomains, harvest)
        if wanted.is_in(harvest):
            return chunk.first_line
    return 0


def _line_in(
    open_it: Callable[[], BinaryIO], parser: Format, subdomains: bool | None, wanted: _Wanted, chunk_line: int
) -> Place | None:
    for chunk in Reading(open_it, lower=not parser.keeps_case).chunks():
        if chunk.first_line != chunk_line:
            parser.parse(chunk.text, chunk.first_line, subdomains, Harvest())
            continue
        for number, line in enumerate(chunk.text[:-1].split(b"\n"), chunk_line):
            harvest = Harvest()
            parser.parse(line + b"\n", number, subdomains, harvest)
            if wanted.is_in(harvest):
                return _place(parser, number, line)
    return None


def _place(parser: Format, number: int, line: bytes) -> Place:
    file, own = parser.place(number)
    return Place(file, own, excerpt(line.strip()))
