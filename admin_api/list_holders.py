"""Everything that lists have about a name or an address: entries, rules, ranges."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from blocklists.holders import Holder, holders
from blocklists.library import Library
from blocklists.rule_holders import address_holders, rule_holders
from dnswire.name import from_text
from snapshots.generation import NoGenerationError, open_current


def all_holders(
    library: Library, snapshots: Path, codes: Mapping[int, str], text: str, with_lines: bool
) -> tuple[Holder, ...]:
    """By entry, then by rule; ``codes``: of all lists, by id. Without a published generation rules are left out.

    Blocking. Raises ``NameSyntaxError`` for what is neither a name nor an address.
    """
    if _is_address(text):
        return _by_rules(library, snapshots, codes, text)
    name = from_text(text).lower()
    return holders(library, codes.values(), name, with_lines) + _by_rules(library, snapshots, codes, name)


def _by_rules(library: Library, snapshots: Path, codes: Mapping[int, str], asked: bytes | str) -> tuple[Holder, ...]:
    try:
        generation = open_current(snapshots)
    except NoGenerationError:
        return ()
    with closing(generation):
        if isinstance(asked, str):
            return address_holders(library, generation.index, codes, asked)
        return rule_holders(library, generation.index, codes, asked)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
