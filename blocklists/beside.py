"""What stands beside the names in a compiled index: rules as JSON, and the table of address ranges.

Both are written (``beside_writer.py``) only where some list has such; an index of names alone has neither, and pays
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from blocklists.manifest import ADDRESSES, RULES
from blocklists.rule import ListRule

if TYPE_CHECKING:
    from blocklists.rules_index import RulesIndex

_DECODER: Final = msgspec.json.Decoder(tuple[tuple[int, tuple[ListRule, ...]], ...])


def open_beside(directory: Path, files: Sequence[str]) -> RulesIndex | None:
    """The rules of a compiled index that has these files; None where there are none.

    Raises ``ValueError`` and ``OSError``.
    """
    if not files:
        return None
    # Only here: an index of names alone has no use for RE2.
    from blocklists.address_table import AddressTable
    from blocklists.rules_index import RulesIndex

    rules: tuple[tuple[int, tuple[ListRule, ...]], ...] = ()
    if RULES in files:
        rules = _DECODER.decode((directory / RULES).read_bytes())
    table = AddressTable(directory / ADDRESSES) if ADDRESSES in files else None
    return RulesIndex(rules, table)
