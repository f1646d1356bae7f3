"""The rules of one trigger on names, arranged so that a name meets only those whose pattern it has."""

from __future__ import annotations

import re
from typing import Final

from blocklists.expressions import ExpressionError, ExpressionSet, of_wildcard
from blocklists.rule import Kind, ListRule
from dnswire.name import from_text, to_text

_ROOT: Final = b"\x00"
_PLAIN: Final = re.compile(rb"[0-9a-z_.-]+")


class Placed:
    """A rule of a list, its audience, and names in the form in which they are compared."""

    __slots__ = ("audience", "denied", "list_id", "number", "rule")

    def __init__(self, number: int, list_id: int, rule: ListRule, audience: int) -> None:
        """``number``: the place among all rules. Raises ``ValueError`` where a name of the rule is none."""
        self.number = number
        self.list_id = list_id
        self.rule = rule
        self.audience = audience
        self.denied = frozenset(from_text(text).lower() for text in rule.deny_allow)


class RuleTable:
    """Rules by name, by expression, and for every name. ``add`` all, then ``close``, then ask."""

    __slots__ = ("_at", "_below", "_expressions", "_patterned", "_texts", "always")

    def __init__(self) -> None:
        self._at: dict[bytes, list[Placed]] = {}
        self._below: dict[bytes, list[Placed]] = {}
        self._texts: list[str] = []
        self._patterned: list[Placed] = []
        self._expressions = ExpressionSet(())
        self.always: list[Placed] = []

    def __len__(self) -> int:
        return len(self._at) + len(self._below) + len(self._patterned) + len(self.always)

    def add(self, placed: Placed) -> None:
        """Takes a rule. Raises ``ValueError`` for a pattern that is none."""
        rule = placed.rule
        if rule.kind is Kind.EVERYTHING:
            self.always.append(placed)
        elif rule.kind is Kind.REGEX or rule.kind is Kind.WILDCARD:
            self._texts.append(rule.pattern if rule.kind is Kind.REGEX else of_wildcard(rule.pattern))
            self._patterned.append(placed)
        elif rule.kind is Kind.NETWORK:
            raise ExpressionError(f"{rule.pattern!r} is an address range, not a name")
        else:
            name = from_text(rule.pattern).lower()
            if rule.kind is not Kind.BELOW:
                self._at.setdefault(name, []).append(placed)
            if rule.kind is not Kind.EXACT:
                self._below.setdefault(name, []).append(placed)

    def close(self) -> list[Placed]:
        """Makes the expressions ready. Returns the rules that have none after all, and will never match."""
        self._expressions = ExpressionSet(self._texts)
        self._texts = []
        return [self._patterned[position] for position in self._expressions.refused]

    def find(self, name: bytes) -> list[tuple[int, Placed]]:
        """The rules whose pattern a wire name in lower case has, each with the number of labels that it names (0: an
        expression, or all names). The longest first.
        """
        found: list[tuple[int, Placed]] = []
        parts: list[bytes] = []
        suffixes: list[bytes] = []
        offset = 0
        length = name[0]
        while length:
            suffixes.append(name[offset:])
            offset += 1 + length
            parts.append(name[offset - length : offset])
            length = name[offset]
        labels = len(parts)
        table = self._at
        for suffix in suffixes:
            rules = table.get(suffix)
            if rules is not None:
                found += [(labels, placed) for placed in rules]
            table = self._below
            labels -= 1
        if self._patterned:
            matched = self._expressions.search(_text(name, parts))
            if matched:
                found += [(0, self._patterned[at]) for at in matched]
        if self.always:
            found += [(0, placed) for placed in self.always]
        return found

    def search(self, text: bytes) -> list[Placed]:
        """The rules whose expression occurs in a text that is no name (an address)."""
        return [self._patterned[at] for at in self._expressions.search(text)] if self._patterned else []


def _text(name: bytes, parts: list[bytes]) -> bytes:
    text = b".".join(parts)
    # A dot inside a label, or an octet outside of names, is shown escaped, and must not look like what it is not.
    if _PLAIN.fullmatch(text) and text.count(b".") == len(parts) - 1:
        return text
    return to_text(name).encode()


def denies(denied: frozenset[bytes], name: bytes) -> bool:
    """Whether a name or one of its parents is among those that a rule leaves alone."""
    offset = 0
    while name[offset]:
        if name[offset:] in denied:
            return True
        offset += 1 + name[offset]
    return _ROOT in denied
