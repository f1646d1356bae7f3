r"""Regular expressions and wildcards over names, thousands at once, in time linear in the name.

They are RE2's (package google-re2): no expression of a hostile list can make a look-up slow. All are compiled into
few ``Set``s, each of which finds all its matches in one pass over the name: 869 of AdGuard's list take 0.8 us a name
where asking them in turn takes half a millisecond.

A ``Set`` runs on an automaton that it builds as it goes, within a budget of memory; where not even a few states fit,
RE2 gives up and *reports no match*. So the size of what goes into one set is bounded far below its budget
(``_MAX_PROGRAM`` instructions of at most 8 octets a state, in ``_SET_MEMORY_BYTES``), and what is too large for that by
itself is refused when the list is parsed.

Names are ASCII (escapes: ``dnswire.name.to_text``), so expressions are compiled for single octets, which makes their
programs a fraction of what Unicode needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import re2

from blocklists.rule import MAX_PATTERN_SIZE

_MAX_PROGRAM: Final = 20_000  # instructions of one set
_MAX_ONE_PROGRAM: Final = 10_000  # of one expression
_SET_MEMORY_BYTES: Final = 16 << 20
_ONE_MEMORY_BYTES: Final = 1 << 20

_BOUNDARY: Final = r"(?:^|\.)"
_LITERAL: Final = re.compile(r"[a-z0-9_.*-]+")


class ExpressionError(ValueError):
    """Text that is no usable expression; the message says why."""


def check(text: str) -> None:
    """Raises ``ExpressionError`` for an expression that is empty, wrong, too long, or too large when compiled."""
    program_size(text)


def program_size(text: str) -> int:
    """Instructions of the compiled expression. Raises ``ExpressionError`` as ``check`` does."""
    if not text or len(text) > MAX_PATTERN_SIZE:
        raise ExpressionError(f"an expression has 1 to {MAX_PATTERN_SIZE} characters, this one {len(text)}")
    if not text.isascii():
        raise ExpressionError("an expression holds ASCII only: names come as A-labels")
    try:
        compiled = re2.compile(text.encode(), _options(_ONE_MEMORY_BYTES))
    except re2.error as error:
        raise ExpressionError(_reason(error)) from None
    size: int = compiled._regexp.ProgramSize()
    if size > _MAX_ONE_PROGRAM:
        raise ExpressionError(f"it compiles to {size:,} instructions, at most {_MAX_ONE_PROGRAM:,} are taken")
    return size


def of_wildcard(text: str) -> str:
    """The expression of a wildcard (``ListRule`` tells its syntax). Raises ``ExpressionError``."""
    rest = text
    head = tail = ""
    if rest.startswith("||"):
        head, rest = _BOUNDARY, rest[2:]
    elif rest.startswith("|"):
        head, rest = "^", rest[1:]
    if rest.endswith(("^", "|")):
        tail, rest = "$", rest[:-1]
    if not _LITERAL.fullmatch(rest):
        raise ExpressionError(f"{text!r} is no wildcard of a name")
    return head + ".*".join(part.replace(".", r"\.") for part in re.split(r"\*+", rest)) + tail


class ExpressionSet:
    """Expressions asked at once. What does not compile (another version of RE2 may judge otherwise than the one that
    the list was parsed with) is in ``refused`` by position, and never matches.
    """

    __slots__ = ("_groups", "refused")

    def __init__(self, texts: Iterable[str]) -> None:
        self.refused: list[int] = []
        self._groups: list[tuple[re2.Set, tuple[int, ...]]] = []
        for group in self._grouped(texts):
            compiled = re2.Set.SearchSet(_options(_SET_MEMORY_BYTES))
            for _, text in group:
                compiled.Add(text.encode())
            compiled.Compile()
            self._groups.append((compiled, tuple(position for position, _ in group)))

    def _grouped(self, texts: Iterable[str]) -> Iterator[list[tuple[int, str]]]:
        group: list[tuple[int, str]] = []
        total = 0
        for position, text in enumerate(texts):
            try:
                size = program_size(text)
            except ExpressionError:
                self.refused.append(position)
                continue
            if total + size > _MAX_PROGRAM and group:
                yield group
                group, total = [], 0
            group.append((position, text))
            total += size
        if group:
            yield group

    def search(self, text: bytes) -> list[int]:
        """The positions of the expressions that occur in ``text``, ascending."""
        found: list[int] = []
        for compiled, positions in self._groups:
            matched = compiled.Match(text)
            if matched:
                found += [positions[number] for number in matched]
        found.sort()
        return found


def _options(memory_bytes: int) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False  # RE2 would write to standard error
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = memory_bytes
    return options


def _reason(error: Exception) -> str:
    raw = error.args[0] if error.args else b""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
