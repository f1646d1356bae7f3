"""All groups of upstream servers of a worker, in the order of its settings: their numbers are ``routing.Target``'s."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from resolver.settings import ServerGroup
from resolver.upstream.group import UpstreamGroup
from resolver.upstream.jostle import Load, no_load


class UpstreamGroups(Sequence[UpstreamGroup]):
    """To be made and used within one event loop. ``load``: ``jostle.py``.

    Servers are numbered from 1 through all groups, so that a number in the query log means one server.
    """

    def __init__(self, groups: Sequence[ServerGroup], loop: asyncio.AbstractEventLoop, load: Load = no_load) -> None:
        self._names = [group.name for group in groups]
        self._groups: list[UpstreamGroup] = []
        before = 0
        for group in groups:
            self._groups.append(UpstreamGroup.from_settings(group, loop, before, load))
            before += len(group.servers)

    def __getitem__(self, number: int) -> UpstreamGroup:  # type: ignore[override]  # nobody slices groups
        return self._groups[number]

    def __len__(self) -> int:
        return len(self._groups)

    def counters(self) -> list[dict[str, object]]:
        """One row for each server of each group, in order; counters since the start."""
        named = zip(self._names, self._groups, strict=True)
        return [{"group": name, **row} for name, group in named for row in group.counters()]

    def totals(self) -> dict[str, dict[str, int]]:
        """Counters of each group as a whole, by its name."""
        return {name: group.totals() for name, group in zip(self._names, self._groups, strict=True)}

    async def drain(self, patience_s: float) -> None:
        """Lets what is under way end, ``patience_s`` at most, then closes."""
        await asyncio.gather(*(group.drain(patience_s) for group in self._groups))
