"""What one version of a list has more and less than another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.entries import read_sections
from blocklists.entry import kind, name_of
from blocklists.members import cover_of, list_id_of, member
from blocklists.merge import SetTable, merge
from dnswire.name import to_text

MAX_SHOWN: Final = 50
_BEFORE: Final = 0
_AFTER: Final = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that came or went."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Diff:
    """Counts, and the first ``MAX_SHOWN`` of each. An entry that changed its kind went and came."""

    added: int
    removed: int
    first_added: tuple[Change, ...]
    first_removed: tuple[Change, ...]


def compare(before: Path, after: Path) -> Diff:
    """Compares two entries files in one pass of bounded memory. Raises ``EntriesDamaged``."""
    table = SetTable()
    sections = [
        (section, table.number((member(side, section.cover),)))
        for side, path in ((_BEFORE, before), (_AFTER, after))
        for section in read_sections(path)
    ]
    counts = [0, 0]
    shown: tuple[list[Change], list[Change]] = ([], [])
    for stretch in merge(sections, table):
        covers = [_covers(members) for members in table.sets]
        numbers = stretch.sets
        for number, (old, new) in enumerate(covers):
            if old == new:
                continue
            places = (numbers == number).nonzero()[0]
            for side, cover in ((_BEFORE, old), (_AFTER, new)):
                if cover:
                    counts[side] += len(places)
                    for place in places[: MAX_SHOWN - len(shown[side])].tolist():
                        shown[side].append(Change(to_text(name_of(stretch.keys[place])), kind(cover)))
    return Diff(counts[_AFTER], counts[_BEFORE], tuple(shown[_AFTER]), tuple(shown[_BEFORE]))


def _covers(members: tuple[int, ...]) -> tuple[int, int]:
    sides = {list_id_of(number): cover_of(number) for number in members}
    return sides.get(_BEFORE, 0), sides.get(_AFTER, 0)
