"""Which agency's reports the rows of an earlier one belong to: renames, merges and splits as what they do to codes.

Rows of the query log keep the code that their agency had. A code that was **renamed** or **merged** has one heir, and
its rows count as the heir's. A **split** has several, and nobody can tell afterwards whose a row would be: the rows
stay the parent's, and the reports of its parts name them beside their own, never in their sums. So each code has
exactly one group, and sums over all groups are sums over all rows, whatever the period.

Pure: no database, no policy, no clock. Codes are never given to another agency, so a history has no loops; one that has
them all the same (rows edited by hand) is read to its end and no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What became of agencies."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Succession:
    """At ``at_s`` (Unix seconds) the agencies ``before`` became those ``after``; one that is in both goes on.

    Codes of agencies, or ``agency/unit`` where units are followed.
    """

    kind: Kind
    at_s: int
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """Rows of the time before a split: those of ``codes`` (the parent's own first) until ``until_s``, exclusive."""

    codes: tuple[str, ...]
    until_s: int


class Lineage:
    """A history of successions, asked about codes. A code without history is its own group."""

    def __init__(self, successions: Iterable[Succession] = ()) -> None:
        self._heirs: dict[str, str] = {}
        self._forebears: dict[str, list[tuple[str, int]]] = {}  # heir -> (code, when)
        self._splits: dict[str, list[tuple[str, int]]] = {}  # part -> (parent, when)
        for succession in successions:
            for code in succession.before:
                if succession.kind is Kind.SPLIT:
                    for part in succession.after:
                        if part != code:
                            self._splits.setdefault(part, []).append((code, succession.at_s))
                elif code not in succession.after and len(succession.after) == 1 and code not in self._heirs:
                    self._heirs[code] = succession.after[0]
                    self._forebears.setdefault(succession.after[0], []).append((code, succession.at_s))

    def heir(self, code: str) -> str:
        """The code under which rows of ``code`` are counted: the last of its renames and merges."""
        seen = {code}
        while code in self._heirs and self._heirs[code] not in seen:
            code = self._heirs[code]
            seen.add(code)
        return code

    def codes(self, code: str, until_s: int | None = None) -> tuple[str, ...]:
        """The code itself, and every earlier one whose rows are wholly its own (``until_s``: were by then)."""
        found = [code]
        for known in found:  # grows while it is walked
            found += [
                earlier
                for earlier, at_s in self._forebears.get(known, ())
                if earlier not in found and (until_s is None or at_s <= until_s)
            ]
        return tuple(found)

    def before_split(self, code: str) -> tuple[Before, ...]:
        """Whose rows, until when, are of a time before a split that led here; each code once, the latest first."""
        own = self.codes(code)
        until: dict[str, int] = {}
        walked: list[tuple[str, int | None]] = [(part, None) for part in own]
        for part, end_s in walked:  # grows while it is walked
            for parent, at_s in self._splits.get(part, ()):
                last_s = at_s if end_s is None else min(at_s, end_s)
                if until.get(parent, -1) < last_s:
                    until[parent] = last_s
                    walked += [(earlier, last_s) for earlier in self.codes(parent, last_s)]
        told = set(own)
        found: list[Before] = []
        for parent, until_s in sorted(until.items(), key=lambda item: (-item[1], item[0])):
            new = tuple(earlier for earlier in self.codes(parent, until_s) if earlier not in told)
            told.update(new)
            if new:
                found.append(Before(new, until_s))
        return tuple(found)

    def grouped(self, by_code: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
        """Counts by code as counts by group: what several codes of one group count is added up."""
        found: dict[str, dict[str, int]] = {}
        for code, counts in by_code.items():
            group = found.setdefault(self.heir(code), {})
            for name, count in counts.items():
                group[name] = group.get(name, 0) + count
        return found
