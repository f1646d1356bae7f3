"""Regular expressions over names that no name and no author can make slow.

They are RE2's (package google-re2, kept by RE2's own authors): matching takes time linear in the name, whatever the
expression, so the catastrophic ones of backtracking engines do not exist here. Look-around and back-references do not
exist either and are refused as syntax errors.
"""

from __future__ import annotations

from typing import Final

import re2

MAX_PATTERN_SIZE: Final = 500  # characters
_MAX_MEMORY_BYTES: Final = 1 << 20  # of one compiled expression; "((a{1000}){1000})" is refused instead of built


class PatternError(ValueError):
    """Text that is no usable expression; the message says why."""


class Pattern:
    """One expression, matched anywhere in a name's text in lower case without trailing dot; case is ignored."""

    __slots__ = ("_compiled", "text")

    def __init__(self, text: str) -> None:
        """Raises ``PatternError`` for an expression that is empty, too long, wrong, or too large when compiled."""
        if not text or len(text) > MAX_PATTERN_SIZE:
            raise PatternError(f"an expression has 1 to {MAX_PATTERN_SIZE} characters, this one {len(text)}")
        self.text = text
        try:
            self._compiled = re2.compile(text, _options(_MAX_MEMORY_BYTES))
        except re2.error as error:
            raise PatternError(f"{text!r}: {_reason(error)}") from None
        except UnicodeEncodeError:
            raise PatternError(f"{text!r} holds half a surrogate pair") from None

    def matches(self, text: str) -> bool:
        """Whether the expression occurs in the name."""
        return self._compiled.search(text) is not None


class PatternSet:
    """Several expressions asked at once: one search tells that none matches, as is true of nearly every name."""

    __slots__ = ("_any", "patterns")

    def __init__(self, patterns: list[Pattern]) -> None:
        self.patterns = tuple(patterns)
        self._any: Pattern | None = None
        if len(patterns) > 1:
            self._any = _alternation(patterns)

    def search(self, text: str) -> list[int]:
        """The positions of the expressions that match, in order."""
        if self._any is not None and not self._any.matches(text):
            return []
        return [position for position, pattern in enumerate(self.patterns) if pattern.matches(text)]


def _alternation(patterns: list[Pattern]) -> Pattern | None:
    """One expression for all, or None where they are too large together (each is then asked by itself)."""
    # An unclosed \Q quotes up to the end of the text: joined, it would swallow the expressions behind it.
    if any("\\Q" in pattern.text for pattern in patterns):
        return None
    joined = Pattern.__new__(Pattern)
    joined.text = "|".join(f"(?:{pattern.text})" for pattern in patterns)
    try:
        joined._compiled = re2.compile(joined.text, _options(_MAX_MEMORY_BYTES * 8))
    except re2.error:
        return None
    return joined


def _options(memory_bytes: int) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False  # RE2 would write to standard error
    options.max_mem = memory_bytes
    return options


def _reason(error: Exception) -> str:
    raw = error.args[0] if error.args else b""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
