"""Which lists hold a name: by which of their entries, and since which version.

Looked up in the entries files themselves (``lookup.py``), also of versions that no index holds any more. Lists' rules
(``rule.py``) are not looked at; ``explain`` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from blocklists.entries import EntriesDamaged
from blocklists.entry import kind
from blocklists.library import Library
from blocklists.lookup import looking_up
from blocklists.state import ListState
from dnswire.name import to_text


@dataclass(frozen=True, slots=True)
class Holder:
    """One entry that covers a name. ``version`` is the list's in force.

    ``since_version``: the first of the kept versions from which on, without a break, the entry was there;
    ``since_s``: when that one was stored. ``since_oldest``: it is the oldest that is kept, so that the entry may be
    older. ``line`` of the text as published, where it was asked for and is known; 0 otherwise. ``file``: of a folder.
    """

    code: str
    entry: str
    kind: str
    version: int
    since_version: int
    since_s: float
    since_oldest: bool
    line: int = 0
    file: str = ""
    text: str = ""


def covering(path: Path, name: bytes) -> dict[bytes, int]:
    """The entries of an entries file that cover a wire name in lower case, with their cover; the longest first.

    Raises ``EntriesDamaged`` or ``OSError``.
    """
    with looking_up(path) as lookup:
        return lookup.covering(name)


def holders(library: Library, codes: Iterable[str], name: bytes, with_lines: bool = False) -> tuple[Holder, ...]:
    """All entries of these lists, in the versions in force, that cover the name; a damaged version holds nothing.

    ``with_lines``: also where in the published text they stand, which takes seconds for lists of millions.
    """
    found: list[Holder] = []
    for code in codes:
        state = library.state(code)
        for entry, cover in _covering(library, code, state.version, name).items():
            holder = _holder(library, state, name, entry, cover)
            place = library.line_of(code, state.version, entry, cover) if with_lines else None
            found.append(replace(holder, line=place.line, file=place.file, text=place.text) if place else holder)
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
