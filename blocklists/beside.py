"""What stands beside the names in a compiled index: rules as JSON, and the table of address ranges.

Both are written only where some list has such; an index of names alone has neither, and pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from blocklists.address_table import AddressTable, build
from blocklists.entries import read_addresses, read_rules
from blocklists.manifest import ADDRESSES, RULES
from blocklists.rule import ListRule
from blocklists.rules_index import RulesIndex

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(tuple[tuple[int, tuple[ListRule, ...]], ...])


def write_beside(inputs: Iterable[tuple[int, Path]], directory: Path) -> tuple[str, ...]:
    """Writes what the entries files of lists (by list id) hold besides names; returns the names of the files.

    Raises ``EntriesDamaged`` and ``OSError``.
    """
    ordered = sorted(inputs)
    rules = [(list_id, found) for list_id, path in ordered if (found := read_rules(path))]
    table = build([(list_id, read_addresses(path)) for list_id, path in ordered])
    written: list[str] = []
    if rules:
        (directory / RULES).write_bytes(_ENCODER.encode(rules))
        written.append(RULES)
    if table:
        (directory / ADDRESSES).write_bytes(table)
        written.append(ADDRESSES)
    return tuple(written)


def open_beside(directory: Path, files: Sequence[str]) -> RulesIndex | None:
    """The rules of a compiled index that has these files; None where there are none.

    Raises ``ValueError`` and ``OSError``.
    """
    if not files:
        return None
    rules: tuple[tuple[int, tuple[ListRule, ...]], ...] = ()
    if RULES in files:
        rules = _DECODER.decode((directory / RULES).read_bytes())
    table = AddressTable(directory / ADDRESSES) if ADDRESSES in files else None
    return RulesIndex(rules, table)
