"""The generation that is current, open in the API's process, for explaining decisions as the workers make them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from policy.explain import Who, explain_prepared
from policy.explanation import Explanation
from policy.model import Policy
from policy.prepare import Prepared, prepare
from snapshots.generation import Generation, open_current
from snapshots.watch import Watcher


@dataclass(frozen=True, slots=True)
class Opened:
    """A generation with its policy made ready for decisions."""

    generation: Generation
    prepared: Prepared


class CurrentGeneration:
    """Opens the current generation when it is first asked for, and again when another became current.

    One question at a time: an index must not be closed while somebody asks it, and checks are rare.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = asyncio.Lock()
        self._opened: Opened | None = None
        self._watcher = Watcher(root)

    async def policy(self) -> Policy:
        """The policy in force. Raises ``NoGenerationError`` where nothing sound is published."""
        async with self._lock:
            return (await asyncio.to_thread(self._current)).generation.policy

    async def explain(self, who: Who, name: bytes, rrtype: int, at_s: float) -> tuple[int, Explanation]:
        """The generation's number, and why it decides as it does.

        Raises ``NoGenerationError``, and ``KeyError`` for a tenant that it does not know.
        """
        async with self._lock:
            return await asyncio.to_thread(self._explain, who, name, rrtype, at_s)

    async def close(self) -> None:
        """Gives the mapping back."""
        async with self._lock:
            if self._opened is not None:
                self._opened.generation.close()
                self._opened = None

    def _explain(self, who: Who, name: bytes, rrtype: int, at_s: float) -> tuple[int, Explanation]:
        opened = self._current()
        found = explain_prepared(opened.prepared, opened.generation.index, who, name, rrtype, at_s)
        return opened.generation.number, found

    def _current(self) -> Opened:
        if self._opened is None:
            generation = open_current(self._root)
            self._watcher = Watcher(self._root, generation.number)
            self._opened = Opened(generation, prepare(generation.policy))
            return self._opened
        newer = self._watcher.poll()
        if newer is not None:
            self._opened.generation.close()
            self._opened = Opened(newer, prepare(newer.policy))
        return self._opened
