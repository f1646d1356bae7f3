"""Opens the store of the query log that the configuration names (here: the embedded one)."""

from __future__ import annotations

from querylog.embedded.store import EmbeddedStore
from querylog.store import Store
from saring.state_dir import StateDir


def open_store(state: StateDir, writer: bool) -> Store:
    """The store; ``writer`` for the loader alone, of which there is one. Raises ``StoreError`` or ``OSError``."""
    return EmbeddedStore(state.log, writer=writer)
