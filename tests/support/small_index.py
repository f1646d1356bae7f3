"""A compiled index of a few names."""

from __future__ import annotations

import tempfile
from pathlib import Path

from blocklists.compiler import ListInput, compile_index
from blocklists.entries import write_entries
from blocklists.entry import SUBTREE, key_of
from blocklists.progress import Silent
from dnswire import name as wire


def small_index(directory: Path, *names: str, list_id: int = 1) -> Path:
    """Compiles one list of these names (each with all below it) into ``<directory>/<digest>`` and returns that path."""
    directory.mkdir(parents=True, exist_ok=True)
    keys = sorted(key_of(wire.from_text(name).lower()).decode("latin-1") for name in names)
    with tempfile.TemporaryDirectory() as beside:
        entries = Path(beside) / "entries"
        write_entries(entries, {SUBTREE: keys})
        return compile_index([ListInput(list_id, f"list-{list_id}", entries)], directory, Silent()).path
