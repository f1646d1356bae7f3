"""How anybody asks the scheduler for a sync: a small file that it takes away.

A file, not a signal or a socket: it carries the list's code, survives a restart of the scheduler, and asking twice
is asking once.
"""

from __future__ import annotations

from pathlib import Path

from saring.state_dir import StateDir, read_json, write_json

ALL = ""


def request_sync(state: StateDir, code: str | None) -> None:
    """Asks for a sync of one list, or of all (``None``)."""
    write_json(_path(state, code or ALL), {"code": code or ALL})


def take_requests(state: StateDir) -> list[str]:
    """Codes asked for since the last call; ``ALL`` alone where all lists are."""
    found = []
    for path in sorted(state.run.glob("sync-request*.json")):
        request = read_json(path) or {}
        path.unlink(missing_ok=True)
        code = request.get("code")
        if isinstance(code, str):
            found.append(code)
    return [ALL] if ALL in found else found


def _path(state: StateDir, code: str) -> Path:
    # One file a list, so that two requests do not overwrite each other. Codes are [a-z0-9_-] (seed_document.py).
    safe = "".join(letter for letter in code if letter.isalnum() or letter in "_-")
    return state.run / (f"sync-request-{safe}.json" if code else "sync-request.json")
