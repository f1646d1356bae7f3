"""Which lists hold a name: by which of their entries, and since which version.

Looked up in the entries files themselves, by bisection in a mapping: some twenty pages of a file are read, whatever
its size, also of versions that no index holds any more. Lists' rules (``rule.py``) are not looked at; ``explain`` does.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.entries import EntriesDamaged, Section, read_sections
from blocklists.entry import Cover, key_of, kind
from blocklists.library import Library
from blocklists.state import ListState
from dnswire.name import parents, to_text

_ITSELF: Final = int(Cover.SELF | Cover.ALLOW_SELF)
_BELOW: Final = int(Cover.BELOW | Cover.ALLOW_BELOW)
_ROOT_SIZE: Final = 1
_MAX_KEY: Final = 256


@dataclass(frozen=True, slots=True)
class Holder:
    """One entry that covers a name. ``version`` is the list's in force.

    ``since_version``: the first of the kept versions from which on, without a break, the entry was there;
    ``since_s``: when that one was stored. ``since_oldest``: it is the oldest that is kept, so that the entry may be
    older.
    """

    code: str
    entry: str
    kind: str
    version: int
    since_version: int
    since_s: float
    since_oldest: bool


def covering(path: Path, name: bytes) -> dict[bytes, int]:
    """The entries of an entries file that cover a wire name in lower case, with their cover; the longest first.

    Raises ``EntriesDamaged`` or ``OSError``.
    """
    sections = read_sections(path)
    found: dict[bytes, int] = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for parent in parents(name):
            relevant = _ITSELF if parent == name else _BELOW
            for section in sections:
                if len(parent) > _ROOT_SIZE and section.cover & relevant and _holds(mapped, section, key_of(parent)):
                    found[parent] = section.cover
    return found


def _holds(mapped: mmap.mmap, section: Section, key: bytes) -> bool:
    """Whether the key is in the section: keys in ascending order, each followed by NUL."""
    low = section.offset
    high = section.offset + section.size_bytes
    while low < high:
        middle = (low + high) // 2
        start = mapped.rfind(b"\0", max(low, middle - _MAX_KEY), middle) + 1 or low
        end = mapped.find(b"\0", start, high)
        if end < 0:
            raise EntriesDamaged(f"an entry at {start} has no end")
        found = mapped[start:end]
        if found == key:
            return True
        if found < key:
            low = end + 1
        else:
            high = start
    return False


def holders(library: Library, codes: Iterable[str], name: bytes) -> tuple[Holder, ...]:
    """All entries of these lists, in the versions in force, that cover the name; a damaged version holds nothing."""
    found: list[Holder] = []
    for code in codes:
        state = library.state(code)
        for entry, cover in _covering(library, code, state.version, name).items():
            found.append(_holder(library, state, name, entry, cover))
    return tuple(found)


def _covering(library: Library, code: str, number: int, name: bytes) -> dict[bytes, int]:
    try:
        return covering(library.entries_path(code, number), name) if number else {}
    except (EntriesDamaged, OSError):
        return {}


def _holder(library: Library, state: ListState, name: bytes, entry: bytes, cover: int) -> Holder:
    older = [version for version in state.versions if version.number <= state.version]
    since = older[-1]
    for version in reversed(older[:-1]):
        if _covering(library, state.code, version.number, name).get(entry) != cover:
            break
        since = version
    return Holder(
        code=state.code,
        entry=to_text(entry),
        kind=kind(cover),
        version=state.version,
        since_version=since.number,
        since_s=since.stored_s,
        since_oldest=since is older[0] and since.number > 1,
    )
