"""The library's disk space, bounded: old versions give way, and lists that nobody has entered any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from blocklists.library import Library

FORGET_AFTER_S: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Freed:
    """What was deleted: a version of a list, or (``version`` 0) a list as a whole."""

    code: str
    version: int
    size_bytes: int


def shrink(library: Library, quota_bytes: int) -> tuple[Freed, ...]:
    """Deletes versions until all lists together fit in the quota: the oldest first, and of each list the one before
    the version in force (the one to go back to) only when all others are gone. What is in force always stays.
    """
    sizes = {code: library.size_bytes(code) for code in library.codes()}
    total = sum(sizes.values())
    if total <= quota_bytes:
        return ()
    candidates = []
    for code in sizes:
        state = library.state(code)
        others = [version for version in state.versions if version.number != state.version]
        way_back = max((version.number for version in others if version.number < state.version), default=0)
        candidates += [(version.number == way_back, version.stored_s, code, version.number) for version in others]
    freed = []
    for _, _, code, number in sorted(candidates):
        if total <= quota_bytes:
            break
        size_bytes = library.drop(code, number)
        total -= size_bytes
        freed.append(Freed(code, number, size_bytes))
    return tuple(freed)


def forget(library: Library, known: Collection[str], now_s: float) -> tuple[Freed, ...]:
    """Deletes lists that are not among the ``known`` and were not for a week: a database that was put back, or the
    wrong one for an hour, must not cost the library.
    """
    freed = []
    for code in library.codes():
        if code not in known and library.state(code).checked_s < now_s - FORGET_AFTER_S:
            freed.append(Freed(code, 0, library.size_bytes(code)))
            library.remove(code)
    return tuple(freed)
