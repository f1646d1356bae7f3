"""The insight into all lists as it is kept: computed after a sync, read in an instant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from blocklists.durable import write_atomic
from blocklists.insight import InsightInput, ListShare, Overlap, Shares

INSIGHT: Final = "insight.json"  # beside the library's lists; no list can be called so: a dot is in no code
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class ListHits:
    """What became of a list's entries in the query log.

    ``hits``: answers in which one of its entries had matched, whichever list they were put down to. ``hit_names``:
    how many of its entries that were. ``never_hit``: the others.
    """

    code: str
    hits: int
    hit_names: int
    never_hit: int


@dataclass(frozen=True, slots=True)
class Insight:
    """``shares`` of the versions in force at ``computed_s``; ``hits`` of the log between ``hits_since_s`` and
    ``hits_until_s``, empty where the log could not be read. ``hits_complete`` False: only the most frequent names
    were looked at, so that ``hit_names`` are at least so many.
    """

    computed_s: float
    shares: Shares
    hits_since_s: float = 0.0
    hits_until_s: float = 0.0
    hits_complete: bool = True
    hits: tuple[ListHits, ...] = ()

    def share(self, code: str) -> ListShare | None:
        """One list's."""
        return next((one for one in self.shares.lists if one.code == code), None)

    def hits_of(self, code: str) -> ListHits | None:
        """One list's."""
        return next((one for one in self.hits if one.code == code), None)

    def common(self, a: str, b: str) -> int:
        """How many names two lists have in common; a list with itself: all of its own."""
        if a == b:
            own = self.share(a)
            return own.names if own else 0
        return next((pair.names for pair in self.shares.overlaps if {pair.a, pair.b} == {a, b}), 0)

    def is_of(self, inputs: tuple[InsightInput, ...]) -> bool:
        """Whether the shares are those of these lists in these versions."""
        known = {(one.list_id, one.code, one.version) for one in self.shares.lists}
        return known == {(one.list_id, one.code, one.version) for one in inputs}


NO_INSIGHT: Final = Insight(0.0, Shares(0, (), ()))


@dataclass(frozen=True, slots=True)
class _Document:
    format: int
    insight: Insight


def write_insight(root: Path, insight: Insight) -> None:
    """Replaces the insight kept under the library's ``root``."""
    content = msgspec.json.encode(_Document(_FORMAT, insight))
    write_atomic(root / INSIGHT, msgspec.json.format(content, indent=1))


def read_insight(root: Path) -> Insight:
    """The insight kept; ``NO_INSIGHT`` where there is none, or one of another format: the next sync computes it."""
    try:
        document = msgspec.json.decode((root / INSIGHT).read_bytes(), type=_Document)
    except (OSError, msgspec.DecodeError):
        return NO_INSIGHT
    return document.insight if document.format == _FORMAT else NO_INSIGHT


__all__ = ["INSIGHT", "NO_INSIGHT", "Insight", "ListHits", "Overlap", "read_insight", "write_insight"]
