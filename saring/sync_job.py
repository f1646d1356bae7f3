"""A sync from beginning to end: which lists, fetch and admit them, compile what changed, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from admin_api.services import Published
from admin_api.to_policy import read_policy
from blocklists.progress import Progress
from saring.config_schema import Config
from saring.control import open_control
from saring.list_sync import Synced, sync_lists
from saring.publisher import Publisher, PublishError
from saring.state_dir import Lock, StateDir


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
    config: Config, state: StateDir, codes: Sequence[str] | None, progress: Progress, clock: Callable[[], float]
) -> SyncDone:
    """Syncs the lists of these codes (``None``: all enabled ones), then compiles and publishes what is new.

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
            policy = await read_policy(control.sessions)
            results = await sync_lists(
                wanted,
                control.library,
                policy.protected,
                config.lists,
                progress,
                clock,
            )
            publisher = Publisher(state, control.sessions, clock)
            published = await publisher.compile_and_publish(control.library, progress)
            return SyncDone(tuple(results), published, tuple(await control.never_fetched()))
