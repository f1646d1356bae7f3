"""What a parser hands over: names in bulk, and an account of every line that is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

MAX_COMPLAINTS: Final = 20
_MAX_EXCERPT: Final = 120


class Reason(StrEnum):
    """Why a token is no entry. Codes are stored and counted; ``sentence`` is for people."""

    IP_ADDRESS = "ip_address"
    URL = "url"
    PORT = "port"
    MAIL = "mail"
    SINGLE_LABEL = "single_label"
    EMPTY_LABEL = "empty_label"
    LEADING_DOT = "leading_dot"
    TOO_LONG = "too_long"
    NUMERIC_TOP = "numeric_top"
    IDN = "idn"
    CHARACTER = "character"
    NO_ADDRESS = "no_address"
    REAL_ADDRESS = "real_address"
    NO_NAME = "no_name"
    LINE_TOO_LONG = "line_too_long"

    @property
    def sentence(self) -> str:
        """The reason in words, without subject."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    Reason.IP_ADDRESS: "is an IP address, not a name",
    Reason.URL: "is a URL or has a path; a resolver sees only names",
    Reason.PORT: "has a port; a resolver sees only names",
    Reason.MAIL: "is a mail address",
    Reason.SINGLE_LABEL: "has no dot: a top-level name or a cut line would block far too much",
    Reason.EMPTY_LABEL: "has two dots in a row",
    Reason.LEADING_DOT: "starts with a dot, as a line does whose beginning was cut",
    Reason.TOO_LONG: "has a label over 63 or a name over 255 octets",
    Reason.NUMERIC_TOP: "ends in a number, as no name does",
    Reason.IDN: "is not a valid internationalized name",
    Reason.CHARACTER: "has a character that no listed name has",
    Reason.NO_ADDRESS: "has no address before the name, as a hosts line must",
    Reason.REAL_ADDRESS: "points a name to a real address, which is not a block",
    Reason.NO_NAME: "has an address and no name behind it",
    Reason.LINE_TOO_LONG: "is longer than a line may be",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """A line that was not understood; ``text`` is an excerpt of the token, safe to print."""

    line: int
    text: str
    reason: Reason


@dataclass(slots=True)
class Harvest:
    """What the chunks of one file gave so far.

    ``keys`` maps ``Cover`` bits to blobs, each of keys with one NUL between; ``names`` counts them, duplicates
    included. ``noise`` counts comments and tokens known to be no entry (``localhost``, ``0.0.0.0``); empty lines
    count nowhere.
    """

    keys: dict[int, list[bytes]] = field(default_factory=dict)
    names: int = 0
    invalid: int = 0
    noise: int = 0
    reasons: dict[Reason, int] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)

    def add(self, cover: int, blob: bytes, count: int) -> None:
        """Takes ``count`` keys with one NUL between them."""
        if count:
            self.keys.setdefault(cover, []).append(blob)
            self.names += count

    def reject(self, line: int, token: bytes, reason: Reason) -> None:
        """Counts a token that is no entry, and keeps the first few for people."""
        self.invalid += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if len(self.complaints) < MAX_COMPLAINTS:
            self.complaints.append(Complaint(line, excerpt(token), reason))


def excerpt(token: bytes) -> str:
    """The beginning of a hostile token as printable text (no control characters reach a terminal or a log)."""
    text = token[:_MAX_EXCERPT].decode("utf-8", "backslashreplace")
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return shown + ("..." if len(token) > _MAX_EXCERPT else "")


class Format(Protocol):
    """One syntax of lists. Formats are stateless: a chunk is a number of whole lines, and lines do not span chunks."""

    @property
    def name(self) -> str:
        """The word that configuration and state use for it."""
        ...

    def recognises(self, line: bytes) -> bool:
        """Whether a line (lower case, no comment, not empty) is in this syntax; for detection only."""
        ...

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """Adds a chunk's entries to ``harvest``; never raises for any bytes.

        ``chunk`` is in lower case (ASCII), its lines end in LF, the last one too. ``first_line`` is the number of
        its first line, from 1. ``subdomains`` overrides what the syntax itself says: True for the name and all
        below, False for the name alone.
        """
        ...
