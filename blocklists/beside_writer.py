"""Writes what stands beside the names in a compiled index, for ``beside.py`` to open."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from blocklists.address_table_writer import build
from blocklists.entries import read_addresses, read_rules
from blocklists.manifest import ADDRESSES, RULES


def write_beside(inputs: Iterable[tuple[int, Path]], directory: Path) -> tuple[str, ...]:
    """Writes what the entries files of lists (by list id) hold besides names; returns the names of the files.

    Raises ``EntriesDamaged`` and ``OSError``.
    """
    ordered = sorted(inputs)
    rules = [(list_id, found) for list_id, path in ordered if (found := read_rules(path))]
    table = build([(list_id, read_addresses(path)) for list_id, path in ordered])
    written: list[str] = []
    if rules:
        (directory / RULES).write_bytes(msgspec.json.encode(rules))
        written.append(RULES)
    if table:
        (directory / ADDRESSES).write_bytes(table)
        written.append(ADDRESSES)
    return tuple(written)
