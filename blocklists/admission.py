"""The gate: whether an update may take the place of the last good version.

The tests run in the order in which their causes hide one another: a web page is "mostly invalid" too, and a cut
list has "shrunk" too. The first that fails names the cause. A refusal is a fact, not an exception: it is stored,
shown, and can be overridden by naming the content's digest, unless there is nothing that could be served.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Final

from blocklists.formats.harvest import Complaint, Reason
from blocklists.normalise import Parsed
from blocklists.source import Source

_SHOWN_NAMES: Final = 5
_ENOUGH_FOR_TOPS: Final = 100  # in a list this long, the last name's top label occurs elsewhere too


class Refusal(StrEnum):
    """Why an update was refused. Stored: codes are never renamed."""

    EMPTY = "empty"
    HTML = "html"
    TOO_MANY = "too_many"
    MOSTLY_INVALID = "mostly_invalid"
    TRUNCATED = "truncated"
    TOO_FEW = "too_few"
    SHRUNK = "shrunk"
    PROTECTED = "protected"
    MUST_RESOLVE = "must_resolve"


@dataclass(frozen=True, slots=True)
class LastGood:
    """The version an update is held against."""

    version: int
    names: int
    newline: bool  # its file ended in a line end


@dataclass(frozen=True, slots=True)
class Refused:
    """An update that stays outside. ``line`` 0: the whole file. ``sha256`` is the content's, for an override.

    ``sentence`` is ``cause`` and what is served and to be done now. ``final``: no override can help, because there is
    nothing that could be served.
    """

    code: Refusal
    cause: str
    sentence: str
    sha256: str
    line: int
    final: bool


@dataclass(frozen=True, slots=True)
class Admitted:
    """An update that may be served; ``overridden`` tells which refusal an operator set aside."""

    overridden: Refused | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """The limits that hold for every list; a source's own are in ``Source``.

    ``protected``: names that no downloaded list can block. ``must_resolve``: names that a list could block, and shall
    not. ``invalid_limit``: the share of lines with anything on them that may be no entry.
    """

    protected: tuple[str, ...] = ()
    invalid_limit: float = 0.5
    must_resolve: tuple[str, ...] = ()

    @property
    def guarded(self) -> tuple[str, ...]:
        """All names that an update is held for if it would block them."""
        return tuple(dict.fromkeys((*self.protected, *self.must_resolve)))

    def admit(
        self, parsed: Parsed, sha256: str, source: Source, last: LastGood | None, accept: str | None = None
    ) -> Admitted | Refused:
        """Judges an update. ``accept`` is the content digest that an operator allows in spite of a refusal."""
        cause = self._cause(parsed, source, last)
        if cause is None:
            return Admitted()
        code, text, line = cause
        final = parsed.html or parsed.over_max or not parsed.names
        sentence = f"{text} {_consequence(source, last, final)}"
        refused = Refused(code, text, sentence, sha256, line, final)
        if accept == sha256 and not final:
            return Admitted(overridden=refused)
        return refused

    def _cause(self, parsed: Parsed, source: Source, last: LastGood | None) -> tuple[Refusal, str, int] | None:
        where = f"List {source.code} from {source.location}"
        return (
            _html(parsed, where)
            or _too_many(parsed, source, where)
            or _empty(parsed, where)
            or _mostly_invalid(parsed, where, self.invalid_limit)
            or _truncated(parsed, where, last)
            or _too_few(parsed, source, where)
            or _shrunk(parsed, source, where, last)
            or _held(parsed, where, frozenset(self.protected))
        )


_Cause = tuple[Refusal, str, int] | None


def _html(parsed: Parsed, where: str) -> _Cause:
    if not parsed.html:
        return None
    return Refusal.HTML, f"{where} is a web page, not a list: it begins '{parsed.head}'.", 1


def _too_many(parsed: Parsed, source: Source, where: str) -> _Cause:
    if not parsed.over_max:
        return None
    text = f"{where} has more than {source.max_entries:,} entries, its limit; reading stopped at line {parsed.lines:,}."
    return Refusal.TOO_MANY, text, parsed.lines


def _empty(parsed: Parsed, where: str) -> _Cause:
    if parsed.names or parsed.invalid:
        return None
    size = f"{where} is empty: {parsed.size_bytes:,} bytes, {parsed.lines:,} lines"
    if not parsed.beyond:
        return Refusal.EMPTY, f"{size}, no name.", 0
    first = parsed.complaints[0]
    text = f"{size}, {parsed.beyond:,} of them with something that blocks nothing. {_told(first)}"
    return Refusal.EMPTY, text, first.line


def _mostly_invalid(parsed: Parsed, where: str, limit: float) -> _Cause:
    total = parsed.names + parsed.duplicates + parsed.invalid
    if parsed.names and parsed.invalid <= limit * total:
        return None
    first = next((one for one in parsed.complaints if not one.beyond), parsed.complaints[0])
    text = f"{where}, read as {parsed.format}: {parsed.invalid:,} of {total:,} entries are no names. {_told(first)}"
    return Refusal.MOSTLY_INVALID, text, first.line


def _told(first: Complaint) -> str:
    return f"The first is {_at(first.file, first.line)}: '{first.text}' {Reason(first.reason).sentence}."


def _truncated(parsed: Parsed, where: str, last: LastGood | None) -> _Cause:
    """A last line without line end is suspicious only with a second sign: some publishers never write one."""
    ending = parsed.ending
    if ending.newline:
        return None
    if not ending.valid:
        sign = "is no entry"
    elif last is not None and last.newline:
        sign = f"has no line end, which version {last.version} had"
    elif parsed.names >= _ENOUGH_FOR_TOPS and not ending.known_top:
        sign = "has no line end, and ends in a top-level name found nowhere else in the list"
    else:
        return None
    text = f"{where} was cut: its last {_at(ending.file, ending.line)}, '{ending.text}', {sign}."
    return Refusal.TRUNCATED, text, ending.line


def _too_few(parsed: Parsed, source: Source, where: str) -> _Cause:
    if parsed.names >= source.min_entries:
        return None
    return Refusal.TOO_FEW, f"{where} has {parsed.names:,} names; at least {source.min_entries:,} are expected.", 0


def _shrunk(parsed: Parsed, source: Source, where: str, last: LastGood | None) -> _Cause:
    if last is None or parsed.names >= (1 - source.shrink_limit) * last.names:
        return None
    lost = floor(1000 * (1 - parsed.names / last.names)) / 1000  # what is left must not round to nothing
    text = (
        f"{where} shrank by {lost:.1%}: {parsed.names:,} names, {last.names:,} in version {last.version};"
        f" at most {source.shrink_limit:.0%} may go at once."
    )
    return Refusal.SHRUNK, text, 0


def _held(parsed: Parsed, where: str, protected: frozenset[str]) -> _Cause:
    if not parsed.protected:
        return None
    hit = parsed.protected[0]
    line = f"{_at(hit.file, hit.line)}: " if hit.line else ""
    others = list(dict.fromkeys(other.protected for other in parsed.protected if other.protected != hit.protected))
    more = f" and {len(others)} more: {', '.join(others[:_SHOWN_NAMES])}" if others else ""
    is_protected = hit.protected in protected
    which = "the protected name " + hit.protected if is_protected else hit.protected + ", a name that must resolve,"
    text = f"{where} is held: it would block {which}{more} ({line}{hit.entry}, {hit.kind})."
    return Refusal.PROTECTED if is_protected else Refusal.MUST_RESOLVE, text, hit.line


def _at(file: str, line: int) -> str:
    """A line, and of a folder its file."""
    return f"line {line:,} of {file}" if file else f"line {line:,}"


def _consequence(source: Source, last: LastGood | None, final: bool) -> str:
    served = (
        f"Version {last.version} with {last.names:,} names is still served."
        if last is not None
        else "Nothing is served from this list yet."
    )
    if final:
        return f"{served} Look at the source, and sync again when it is mended."
    return (
        f"{served} If the content is right nevertheless, two people can let it in: `saring lists accept {source.code}`."
    )
