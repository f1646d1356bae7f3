"""In which line of a list's text an entry stands: looked for on demand, in the text as it was published.

Only parts of the text that hold the name (or a label of it, where names may be relative) are parsed, and those that say
what others mean. What is not found so, because it is written in another way (IDN, escapes, blank owners), is looked for
by parsing all of the text: a minute for the largest lists, instead of seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import BinaryIO, Final

from blocklists.entry import name_of
from blocklists.formats.harvest import Format, Harvest, Options, excerpt
from blocklists.reading import Reading
from dnswire.name import to_text

_AT_ONCE: Final = 256  # lines


@dataclass(frozen=True, slots=True)
class Place:
    """A line. ``file`` is the file of a folder, else empty; ``text`` the line, printable and cut to what fits."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry to look for: its key, and the ``Cover`` bits of which it has any."""

    key: bytes
    cover: int

    def is_in(self, harvest: Harvest) -> bool:
        """Whether a harvest holds it."""
        between = b"\0" + self.key + b"\0"
        return any(
            between in b"\0" + blob + b"\0"
            for cover, blobs in harvest.keys.items()
            if cover & self.cover
            for blob in blobs
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A list's text, and how it is read: ``known`` is the registered format, the rest as when the list was parsed."""

    open_it: Callable[[], BinaryIO]
    known: Format
    options: Options
    subdomains: bool | None


def place_of(text: Text, wanted: Wanted) -> Place | None:
    """The first line that gives the entry; None where none does."""
    name = to_text(name_of(wanted.key)).encode()
    needle = b"" if b"xn--" in name else name
    if needle and not text.known.whole_names:
        needle = max(name.split(b"."), key=len)
    found = _scan(text, wanted, needle) if needle else None
    if found is None and not (needle and text.known.whole_names):
        return _scan(text, wanted, b"")
    return found


def _scan(text: Text, wanted: Wanted, needle: bytes) -> Place | None:
    """Looks where ``needle`` is, everywhere if it is empty."""
    chunk_line = _chunk_with(text, wanted, needle)
    return _line_in(text, wanted, needle, chunk_line) if chunk_line else None


def _chunk_with(text: Text, wanted: Wanted, needle: bytes) -> int:
    """The first line of the chunk that gives the entry; 0 where none does."""
    parser = text.known.begin(text.options)
    for chunk in Reading(text.open_it, lower=not parser.keeps_case).chunks():
        if chunk.first_line > 1 and not _matters(text.known, chunk.text, needle):
            continue
        harvest = Harvest()
        parser.parse(chunk.text, chunk.first_line, text.subdomains, harvest)
        if wanted.is_in(harvest):
            return chunk.first_line
    return 0


def _line_in(text: Text, wanted: Wanted, needle: bytes, chunk_line: int) -> Place | None:
    """The line in the chunk that begins with ``chunk_line``."""
    parser = text.known.begin(text.options)
    for chunk in Reading(text.open_it, lower=not parser.keeps_case).chunks():
        if chunk.first_line != chunk_line:
            if chunk.first_line == 1 or _matters(text.known, chunk.text, needle):
                parser.parse(chunk.text, chunk.first_line, text.subdomains, Harvest())
            continue
        numbered = enumerate(chunk.text[:-1].split(b"\n"), chunk_line)
        if chunk_line == 1 or not needle:
            return _among(parser, text, wanted, list(numbered), _AT_ONCE)
        # Lines that do not follow one another must be parsed one by one, to keep their numbers.
        return _among(parser, text, wanted, [one for one in numbered if _matters(text.known, one[1], needle)], 1)
    return None


def _among(parser: Format, text: Text, wanted: Wanted, lines: list[tuple[int, bytes]], at_once: int) -> Place | None:
    """The line among these, with their numbers: some at once first, and then one by one where the entry is."""
    for start in range(0, len(lines), at_once):
        part = lines[start : start + at_once]
        before = deepcopy(parser)
        harvest = Harvest()
        parser.parse(b"".join(line + b"\n" for _, line in part), part[0][0], text.subdomains, harvest)
        if not wanted.is_in(harvest):
            continue
        for number, line in part:
            alone = Harvest()
            before.parse(line + b"\n", number, text.subdomains, alone)
            if wanted.is_in(alone):
                file, own = before.place(number)
                return Place(file, own, excerpt(line.strip()))
    return None


def _matters(known: Format, text: bytes, needle: bytes) -> bool:
    """Whether a part of the text may give the entry, or says what other parts mean."""
    if not needle:
        return True
    lowered = text.lower() if known.keeps_case else text
    return needle in lowered or any(word in lowered for word in known.steering)
