"""What a parser hands over: names in bulk, and an account of every line that is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, Self

from blocklists.rule import AddressEntry, ListRule

MAX_COMPLAINTS: Final = 20
MAX_RULES: Final = 200_000  # of one list: a rule costs some hundred octets and is no entry of the index
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
    REAL_ADDRESS = "real_address"  # in versions that were stored before there was REWRITE
    NO_NAME = "no_name"
    LINE_TOO_LONG = "line_too_long"
    EVERYTHING = "everything"
    FORWARDING = "forwarding"
    NO_BLOCK = "no_block"
    UNKNOWN_LINE = "unknown_line"
    PARTIAL_LABEL = "partial_label"
    RRTYPE = "rrtype"
    RDATA = "rdata"
    OUT_OF_ZONE = "out_of_zone"
    ADDRESS_OWNER = "address_owner"
    NO_ADDRESS_LINE = "no_address_line"
    NOT_PUBLIC = "not_public"
    UNCLOSED = "unclosed"
    TOO_MANY_RULES = "too_many_rules"
    COSMETIC = "cosmetic"
    MODIFIER = "modifier"
    MODIFIER_VALUE = "modifier_value"
    EXPRESSION = "expression"
    PATTERN = "pattern"
    REWRITE = "rewrite"
    TAGS = "tags"

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
    Reason.EVERYTHING: "would block every name there is",
    Reason.FORWARDING: "sends a name to another resolver, which is not a block",
    Reason.NO_BLOCK: "is a setting that blocks nothing",
    Reason.UNKNOWN_LINE: "is no line of this format",
    Reason.PARTIAL_LABEL: "has a pattern inside a label, which a list of names cannot hold",
    Reason.RRTYPE: "has a record type that means nothing in a response policy zone",
    Reason.RDATA: "has record data that cannot be read",
    Reason.OUT_OF_ZONE: "is outside of the zone that the file is for",
    Reason.ADDRESS_OWNER: "is no address in the form of a response policy zone (32.1.2.0.192.rpz-ip)",
    Reason.NO_ADDRESS_LINE: "is no address and no range",
    Reason.NOT_PUBLIC: "is not public, or far too wide a range",
    Reason.UNCLOSED: "opens a parenthesis or a quotation that nothing closes",
    Reason.TOO_MANY_RULES: "is one rule more than a list may have",
    Reason.COSMETIC: "hides parts of web pages, which a resolver does not see",
    Reason.MODIFIER: "has a modifier that means nothing in DNS, so that the whole rule is void",
    Reason.MODIFIER_VALUE: "has a modifier with a value that it cannot have",
    Reason.EXPRESSION: "is an expression that RE2 does not take (look-around, back-references, or too large)",
    Reason.PATTERN: "has a pattern that no name matches",
    Reason.REWRITE: (
        "sends a name elsewhere, which is not done for this source: state it as landing if its publisher sends there"
        " what he blocks, or let it by rewrites = true"
    ),
    Reason.TAGS: "is for clients with tags ($ctag), which clients do not have here, so that it is for nobody",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """A line that was not understood; ``text`` is an excerpt of the token, safe to print.

    ``file`` is the file in a category folder; empty where the list is one file. ``beyond`` as in ``Harvest``.
    """

    line: int
    text: str
    reason: Reason
    file: str = ""
    beyond: bool = False


@dataclass(slots=True)
class Harvest:
    """What the chunks of one file gave so far.

    ``keys`` maps ``Cover`` bits to blobs, each of keys with one NUL between; ``names`` counts them, duplicates
    included. ``void`` are keys by cover that the list takes back, wherever they stand in it. ``addresses`` and
    ``rules`` are what is no name (``rule.py``). ``noise`` counts comments and tokens known
    to be no entry (``localhost``, ``0.0.0.0``); empty lines count nowhere. ``rewrites``: whether rules are taken that
    send names elsewhere; where not, they are neither blocks nor anything else.

    What is no entry is ``invalid`` where it should have been one (the gate refuses a list that is mostly so), and
    ``beyond`` where the format has such lines and a resolver cannot act on them: paths of URLs in a category folder,
    a name sent to another resolver. Both are counted under their reasons, and the first of each kept for people.
    """

    rewrites: bool = True
    keys: dict[int, list[bytes]] = field(default_factory=dict)
    names: int = 0
    addresses: list[AddressEntry] = field(default_factory=list)
    rules: list[ListRule] = field(default_factory=list)
    void: dict[int, set[bytes]] = field(default_factory=dict)
    file: str = ""  # which file of a folder is being read, for ``Complaint.file``
    invalid: int = 0
    beyond: int = 0
    noise: int = 0
    reasons: dict[Reason, int] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)

    def add(self, cover: int, blob: bytes, count: int) -> None:
        """Takes ``count`` keys with one NUL between them."""
        if count:
            self.keys.setdefault(cover, []).append(blob)
            self.names += count

    def add_rule(self, rule: ListRule) -> None:
        """Takes a rule; one too many is counted as what could not be taken, one for nobody as well as taken."""
        if rule.tags:
            self.pass_over(rule.line, rule.text.encode(), Reason.TAGS)
        if not self.rewrites and rule.leads_elsewhere:
            self.pass_over(rule.line, rule.text.encode(), Reason.REWRITE)
            return
        if len(self.rules) < MAX_RULES:
            self.rules.append(rule)
        else:
            self.reject(rule.line, rule.text.encode(), Reason.TOO_MANY_RULES)

    def reject(self, line: int, token: bytes, reason: Reason) -> None:
        """Counts a token that should be an entry and is none, and keeps the first few for people."""
        self.invalid += 1
        self._complain(line, token, reason, beyond=False)

    def pass_over(self, line: int, token: bytes, reason: Reason) -> None:
        """Counts what is right in its place, but nothing that a resolver could act on."""
        self.beyond += 1
        self._complain(line, token, reason, beyond=True)

    def _complain(self, line: int, token: bytes, reason: Reason, beyond: bool) -> None:
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        # So many of each kind: what is normal in a format must not hide what is wrong.
        if (self.beyond if beyond else self.invalid) <= MAX_COMPLAINTS:
            self.complaints.append(Complaint(line, excerpt(token), reason, self.file, beyond))


def excerpt(token: bytes, size_bytes: int = _MAX_EXCERPT) -> str:
    """The beginning of a hostile token as printable text (no control characters reach a terminal or a log)."""
    text = token[:size_bytes].decode("utf-8", "backslashreplace")
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return shown + ("..." if len(token) > size_bytes else "")


class Format(Protocol):
    """One syntax of lists. A chunk is a number of whole lines, and lines do not span chunks.

    ``Syntax`` has what most formats have in common.
    """

    @property
    def name(self) -> str:
        """The word that configuration and state use for it."""
        ...

    @property
    def keeps_case(self) -> bool:
        """Whether chunks come as they are; else in lower case (ASCII)."""
        ...

    @property
    def whole_names(self) -> bool:
        """Whether a name of ASCII stands in the text as it is (any case), so that it can be searched for."""
        ...

    @property
    def steering(self) -> tuple[bytes, ...]:
        """Texts (lower case) of which each line has one that says what other lines mean; the first lines aside."""
        ...

    def recognises(self, line: bytes) -> bool:
        """Whether a line (lower case, no comment, not empty) is in this syntax; for detection only."""
        ...

    def begin(self, options: Options) -> Self:
        """The parser of one file: formats whose lines depend on lines before them give a new one."""
        ...

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """Adds a chunk's entries to ``harvest``; never raises for any bytes.

        The chunk's lines end in LF, the last one too. ``first_line`` is the number of its first line, from 1.
        ``subdomains`` overrides what the syntax itself says: True for the name and all below, False for the name
        alone.
        """
        ...

    def finish(self, subdomains: bool | None, harvest: Harvest) -> None:
        """The file is at its end: adds what waited for lines to come."""
        ...

    def place(self, line: int) -> tuple[str, int]:
        """The file of a folder and the line in it that a line of the whole is; empty and the same for one file."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What a source states about the content. ``landing``: names and addresses to which the list's publisher sends
    what he blocks, in lower case without trailing dot.
    """

    landing: frozenset[str] = frozenset()


class Syntax:
    """A format whose lines stand each for itself: what it shares with all such."""

    keeps_case = False
    whole_names = True
    steering: tuple[bytes, ...] = ()

    def begin(self, options: Options) -> Self:
        """See ``Format.begin``."""
        return self

    def finish(self, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.finish``."""

    def place(self, line: int) -> tuple[str, int]:
        """See ``Format.place``."""
        return "", line
