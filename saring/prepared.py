"""What the last preparation found, so that the next start need not wait for another.

Only a hint: preparing runs at every start. With the hint it runs beside the other processes instead of before them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from saring.config_schema import Config
from saring.state_dir import StateDir, read_json, write_json
from saring.version import VERSION


@dataclass(frozen=True, slots=True)
class Prepared:
    """``current``: this version of Saring prepared this very database. ``administrator``: there is one already."""

    current: bool
    administrator: bool


def remember(state: StateDir, config: Config, administrator: bool) -> None:
    """Notes that the database is ready for this version."""
    value = {"version": VERSION, "database": _fingerprint(config), "administrator": administrator}
    write_json(state.run / "prepared.json", value)


def recall(state: StateDir, config: Config) -> Prepared:
    """What was noted; nothing where it is about another version or another database."""
    value = read_json(state.run / "prepared.json") or {}
    known = value.get("version") == VERSION and value.get("database") == _fingerprint(config)
    there = bool(config.database.url) or state.database.exists()
    return Prepared(known and there, known and there and bool(value.get("administrator")))


def _fingerprint(config: Config) -> str:
    # The URL may hold a password.
    return hashlib.sha256(config.database.url.encode()).hexdigest()[:16]
