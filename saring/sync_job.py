"""A sync from beginning to end: which lists, fetch and admit them, compile what changed, publish."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from admin_api.services import Published
from blocklists.disk import forget, shrink
from blocklists.library import Library
from blocklists.progress import Board
from saring.config_schema import Config, ListsSection
from saring.control import open_control
from saring.list_gate import load_admission, note_used
from saring.list_health import watch
from saring.list_insight import Refreshing, refresh_insight
from saring.list_sync import Synced, sync_lists
from saring.publisher import Publisher, PublishError
from saring.query_store import open_store
from saring.state_dir import Lock, StateDir

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyncDone:
    """What a sync did. ``never_fetched``: lists of which there is still no version."""

    results: tuple[Synced, ...]
    published: Published
    never_fetched: tuple[str, ...]

    def summary(self) -> dict[str, object]:
        """Counts by outcome, for a log line and the scheduler."""
        kinds = [result.kind for result in self.results]
        counts: dict[str, object] = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
        return counts | {"generation": self.published.generation, "never_fetched": list(self.never_fetched)}


async def run_sync(
    config: Config, state: StateDir, codes: Sequence[str] | None, board: Board, clock: Callable[[], float]
) -> SyncDone:
    """Syncs the lists of these codes (``None``: all enabled ones), compiles and publishes what is new, and keeps disk
    space and insight in order.

    Raises ``HeldError`` where another sync runs, ``PublishError`` where a code is unknown or publishing fails.
    """
    with Lock.take(state.run / "sync.lock"):
        async with open_control(config, state) as control:
            rows = await control.sources()
            unknown = sorted(set(codes or ()) - {row.code for row in rows})
            if unknown:
                known = ", ".join(sorted(row.code for row in rows))
                raise PublishError(f"there is no list {', '.join(unknown)}; known are {known or 'none'}")
            wanted = [row for row in rows if (row.enabled if codes is None else row.code in codes)]
            await asyncio.to_thread(watch, state, rows)
            admission = await load_admission(control.sessions, config.lists, clock(), config.api.names)
            results = await sync_lists(
                wanted, control.library, admission.gate, config.lists, board, clock, admission.accepted
            )
            await note_used(control.sessions, results, clock())
            publisher = Publisher(state, control.sessions, clock)
            published = await publisher.compile_and_publish(control.library, board.line("index"))
            await asyncio.to_thread(_tidy, control.library, config.lists, {row.code for row in rows}, clock())
            refreshing = Refreshing(control.library, state.snapshots, lambda: open_store(state, writer=False), clock())
            await asyncio.to_thread(refresh_insight, rows, refreshing, board.line("insight"))
            return SyncDone(tuple(results), published, tuple(await control.never_fetched()))


def _tidy(library: Library, config: ListsSection, known: Collection[str], now_s: float) -> None:
    freed = (*forget(library, known, now_s), *shrink(library, config.quota_bytes))
    for one in freed:
        what = f"version {one.version}" if one.version else "all of it: the list is entered no more"
        _log.info("list deleted from disk", extra={"list": one.code, "what": what, "size_bytes": one.size_bytes})
