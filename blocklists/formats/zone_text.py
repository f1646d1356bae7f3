"""Zone files (RFC 1035 5.1) word by word: the careful way, for the few lines that bulk parsing does not know.

Understands comments, quotes, parentheses over several lines, blank owners, ``$ORIGIN``, ``$TTL``, TTLs with units and
classes in either order. ``$INCLUDE`` and ``$GENERATE`` are refused: a list reads no other file and writes no names.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from typing import Final

from blocklists.formats.harvest import Reason
from dnswire.constants import RRType
from dnswire.errors import NameSyntaxError
from dnswire.name import ROOT, from_text, is_subdomain, to_text

_MAX_WORDS: Final = 1_000  # of one record, whatever its parentheses hold
# Each alternative begins with octets of its own, so that there is one way only to read a line.
_WORD: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[()]|(?:[^\s"();\\]|\\.)+', re.S)
_TTL: Final = re.compile(rb"(?:[0-9]+[smhdw]?)+")
_TYPE_NUMBER: Final = re.compile(rb"type([0-9]{1,5})")
_CLASSES: Final = frozenset((b"in", b"ch", b"hs", b"cs"))
_TYPES: Final = {kind.name.lower().encode(): int(kind) for kind in RRType if kind < 128} | {
    b"spf": 99,
    b"caa": 257,
    b"tlsa": 52,
    b"sshfp": 44,
    b"nsec3param": 51,
    b"cds": 59,
    b"cdnskey": 60,
    b"zonemd": 63,
    b"rp": 17,
    b"loc": 29,
}


@dataclass(frozen=True, slots=True)
class Record:
    """An RR as it stands. ``owner``: labels before the zone's name, lower case, wire form without the root's octet."""

    owner: bytes
    rrtype: int
    words: list[bytes]
    line: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Misread:
    """A line that is no RR."""

    line: int
    text: bytes
    reason: Reason


@dataclass(frozen=True, slots=True)
class Directive:
    """A line that is for the reader: ``$ORIGIN``, ``$TTL``."""


class ZoneText:
    """Reads the lines of one file in their order.

    The zone's name is the owner of its SOA, or else the first ``$ORIGIN``; a file that names none has relative names
    only, which is enough.
    """

    def __init__(self) -> None:
        self._apex: bytes | None = None
        self._origin: bytes | None = None
        self._has_soa = False
        self.last_owner: bytes | None = None  # of the record before, for a line that begins with a blank
        self._words: list[bytes] = []
        self._depth = 0
        self._start = 0
        self._first = b""
        self._blank = False

    @property
    def is_open(self) -> bool:
        """Whether a parenthesis of an earlier line is still open."""
        return self._depth > 0

    @property
    def origin(self) -> str:
        """The origin as text with trailing dot; empty where the file names none."""
        return f"{to_text(self._origin)}." if self._origin and self._origin != ROOT else ""

    @property
    def zone(self) -> bytes:
        """Octets behind each absolute owner, ``.rpz.example.``; empty where the zone is not known."""
        return b"." + to_text(self._apex).encode() + b"." if self._apex and self._apex != ROOT else b""

    @property
    def below(self) -> bytes | None:
        """Octets to put behind each relative owner to have it relative to the zone: empty, or ``.sub``; None where the
        origin is not in the zone.
        """
        if not self._origin_is_inside():
            return None
        between = self._below_apex()
        return b"." + to_text(between + ROOT).encode() if between else b""

    def owner_was(self, line: bytes) -> None:
        """Another one has read a line that begins with an owner."""
        self.last_owner = line.split(None, 1)[0]

    def aside(self) -> ZoneText:
        """A reader of single lines out of their order, by the zone and origin that hold here."""
        reader = copy(self)
        reader._depth = 0
        return reader

    def line(self, number: int, line: bytes) -> Record | Misread | Directive | None:
        """The next line; None where it holds nothing, or not yet all of a record."""
        if not self._depth:
            self._words = []
            self._start = number
            self._first = line.strip()
            self._blank = line[:1] in (b" ", b"\t")
        if not self._read_words(line):
            return self._failed(Reason.UNCLOSED)
        if len(self._words) > _MAX_WORDS:
            return self._failed(Reason.LINE_TOO_LONG)
        if self._depth or not self._words:
            return None
        return self._record()

    def end(self) -> Misread | None:
        """The file is at its end."""
        return self._failed(Reason.UNCLOSED) if self._depth else None

    def _read_words(self, line: bytes) -> bool:
        at = 0
        while at < len(line):
            octet = line[at]
            if octet == 0x3B:  # ";"
                return True
            if octet in b" \t\r\f\v":
                at += 1
                continue
            found = _WORD.match(line, at)
            if found is None:
                return False
            at = found.end()
            word = found.group()
            if word == b"(":
                self._depth += 1
            elif word == b")":
                self._depth -= 1
                if self._depth < 0:
                    return False
            else:
                self._words.append(word)
        return True

    def _failed(self, reason: Reason) -> Misread:
        self._depth = 0
        return Misread(self._start, self._first, reason)

    def _record(self) -> Record | Misread | Directive:
        words = self._words
        if not self._blank and words[0].startswith(b"$"):
            return self._directive(words)
        rest = words if self._blank else words[1:]
        if not self._blank:
            self.last_owner = words[0]
        rrtype, data = _type_and_data(rest)
        if rrtype is None or not data:
            return self._failed(Reason.UNKNOWN_LINE)
        if rrtype == RRType.SOA and not self._has_soa:
            self._take_apex()
        if self.last_owner is None:
            # "  NS localhost." before any owner: the origin's, as the apex's own records are written.
            owner: bytes | Reason = self._below_apex()
        else:
            owner = self._relative(self.last_owner)
        if isinstance(owner, Reason):
            return self._failed(owner)
        return Record(owner, rrtype, data, self._start, self._first)

    def _directive(self, words: list[bytes]) -> Misread | Directive:
        if words[0].lower() == b"$ttl" and len(words) == 2:
            return Directive()
        if words[0].lower() != b"$origin" or len(words) != 2:
            return self._failed(Reason.UNKNOWN_LINE)
        try:
            text = words[1].decode("utf-8")
            absolute = text.endswith(".") and not text.endswith("\\.")
            name = from_text(text).lower()
            self._origin = name if absolute or self._origin is None else name[:-1] + self._origin
        except (UnicodeDecodeError, NameSyntaxError):
            return self._failed(Reason.CHARACTER)
        if self._apex is None:
            self._apex = self._origin
        return Directive()

    def _take_apex(self) -> None:
        self._has_soa = True
        owner = self.last_owner
        if owner is None or owner == b"@":
            self._apex = self._origin
            return
        try:
            name = from_text(owner.decode("utf-8")).lower()
        except (UnicodeDecodeError, NameSyntaxError):
            return
        if owner.endswith(b"."):
            self._apex = name
            self._origin = self._origin or name
        elif self._origin is not None:
            self._apex = name[:-1] + self._origin

    def _origin_is_inside(self) -> bool:
        return self._origin is None or self._apex is None or is_subdomain(self._origin, self._apex)

    def _below_apex(self) -> bytes:
        """The labels of the origin before the zone's name."""
        if self._origin is None or self._apex is None or not self._origin_is_inside():
            return b""
        return self._origin[: len(self._origin) - len(self._apex)]

    def _relative(self, word: bytes) -> bytes | Reason:
        """An owner's labels before the zone's name."""
        if word == b"@":
            return self._below_apex() if self._origin_is_inside() else Reason.OUT_OF_ZONE
        try:
            name = from_text(_text(word)).lower()
        except NameSyntaxError:
            return Reason.CHARACTER if word.isascii() else Reason.IDN
        if not word.endswith(b".") or word.endswith(b"\\."):
            if self._origin is None or self._origin_is_inside():
                return _fitting(name[:-1] + self._below_apex())
            name = name[:-1] + self._origin
        if self._apex is None or not is_subdomain(name, self._apex):
            return Reason.OUT_OF_ZONE
        return name[: len(name) - len(self._apex)]


def _fitting(owner: bytes) -> bytes | Reason:
    return owner if len(owner) < 255 else Reason.TOO_LONG


def _text(word: bytes) -> str:
    """An owner as text: UTF-8 stands for itself, written plainly or octet by octet as ``\\DDD``."""
    if b"\\" in word and re.search(rb"\\[12][0-9]{2}", word):
        plain = re.sub(rb"\\([12][0-9]{2})", _octet, word)
        if b"\\" not in plain and not plain.isascii():
            word = plain
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        return word.decode("latin-1")


def _octet(match: re.Match[bytes]) -> bytes:
    value = int(match.group(1))
    return bytes((value,)) if 127 < value < 256 else match.group()


def _type_and_data(words: list[bytes]) -> tuple[int | None, list[bytes]]:
    """The type and the words behind it; TTL and class may stand before it, in any order."""
    for place, word in enumerate(words[:3]):
        lowered = word.lower()
        rrtype = _TYPES.get(lowered)
        if rrtype is not None:
            return rrtype, words[place + 1 :]
        number = _TYPE_NUMBER.fullmatch(lowered)
        if number:
            return int(number.group(1)), words[place + 1 :]
        if lowered not in _CLASSES and not _TTL.fullmatch(lowered):
            return None, []
    return None, []
