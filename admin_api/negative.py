"""Whether letting something through would free negative content: what says so, looked up in the lists in force.

An entry on the name, above it or (for a wildcard) below it counts. Rules of lists are not looked at, and an expression
cannot be looked up at all: it is taken for one that may free anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from blocklists.entries import EntriesDamaged
from blocklists.entry import Cover, key_of, name_of
from blocklists.library import Library
from blocklists.lookup import Lookup, looking_up
from dnswire.name import from_text, is_subdomain, to_text
from policy.model import ListInfo, Policy, Target, TargetKind

_BLOCKS = int(Cover.SELF | Cover.BELOW)
_LOOKED_AT = 50
MAX_GROUNDS = 10


def negative_grounds(policy: Policy, library: Library | None, target: Target) -> tuple[str, ...]:
    """Sentences, each naming a negative category and what puts the target into it; none where nothing does.

    Blocking; ``library`` None: lists are not asked about names.
    """
    found: list[str] = []
    for sentence in _grounds(policy, library, target):
        if len(found) == MAX_GROUNDS:
            break
        found.append(sentence)
    return tuple(found)


def _grounds(policy: Policy, library: Library | None, target: Target) -> Iterator[str]:
    negative = {category.id: category.code for category in policy.categories if category.negative}
    if target.kind is TargetKind.CATEGORY:
        if target.value in negative.values():
            yield f"category {target.value} is negative"
    elif target.kind is TargetKind.LIST:
        for info in policy.lists:
            if info.code == target.value:
                yield from (f"list {info.code} feeds {code}, which is negative" for code in _negative(info, negative))
    elif target.kind is TargetKind.SERVICE:
        for service in policy.services:
            if service.code == target.value and service.category_id in negative:
                yield f"service {service.code} is in {negative[service.category_id]}, which is negative"
    elif target.kind is TargetKind.REGEX:
        yield "an expression may match names of every negative list"
    elif target.kind in (TargetKind.NAME, TargetKind.WILDCARD):
        yield from _of_name(policy, library, target, negative)


def _negative(info: ListInfo, negative: dict[int, str]) -> list[str]:
    return [negative[category_id] for category_id in info.category_ids if category_id in negative]


def _of_name(policy: Policy, library: Library | None, target: Target, negative: dict[int, str]) -> Iterator[str]:
    name = from_text(target.value).lower()
    below = target.kind is TargetKind.WILDCARD
    for service in policy.services:
        if service.category_id not in negative:
            continue
        for text in service.names:
            other = from_text(text).lower()
            if is_subdomain(name, other) or (below and is_subdomain(other, name)):
                yield f"{text} is of service {service.code} ({negative[service.category_id]}, negative)"
    for info in policy.lists:
        codes = _negative(info, negative)
        if library is None or not codes:
            continue
        current = library.state(info.code).current
        if current is None:
            continue
        for entry in _entries(library.entries_path(info.code, current.number), name, below):
            yield f"{to_text(entry)} is on list {info.code} ({', '.join(codes)}, negative)"


def _entries(path: Path, name: bytes, below: bool) -> list[bytes]:
    """Blocking entries that cover the name, and with ``below`` those under it."""
    try:
        with looking_up(path) as whole:
            found = [entry for entry, cover in whole.covering(name).items() if cover & _BLOCKS]
            if below:
                sections = [section for section in whole.sections if section.cover & _BLOCKS]
                keys = Lookup(sections, whole.mapped).beginning_with(key_of(name), _LOOKED_AT)
                found += [name_of(key) for key in keys if is_subdomain(name_of(key), name)]
            return list(dict.fromkeys(found))
    except (EntriesDamaged, OSError):
        return []
