"""From the control database and the library to a published generation.

Two ways, one function. An edit publishes the policy with the index in force, in milliseconds. After a sync the index is
compiled first, in a process that may take its time. Everybody who publishes holds one lock from reading the database to
swapping the reference, so that an older revision can never be published over a newer one.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from admin_api.database import Sessions, reading
from admin_api.services import Published
from admin_api.to_policy import SourceRow, load_policy, load_sources
from blocklists.compiler import ListInput, compile_index
from blocklists.library import Library
from blocklists.progress import Progress, Silent
from policy.check import check
from policy.document import PolicyDocumentError, decode, encode
from policy.model import ListInfo, Policy
from policy.problems import Problem, Severity
from saring.state_dir import Lock, StateDir
from snapshots.publish import prune, publish

KEPT_GENERATIONS = 20
KEPT_AGE_S = 7 * 86_400
SHOWN_PROBLEMS = 5


class PublishError(Exception):
    """Nothing was published; the text says why and what to do. The generation in force stays."""


class Publisher:
    """Publishes for one state directory. ``clock`` gives Unix seconds."""

    def __init__(self, state: StateDir, sessions: Sessions, clock: Callable[[], float]) -> None:
        self._state = state
        self._sessions = sessions
        self._clock = clock

    async def publish(self) -> Published:
        """The policy as committed, with the index in force. Nothing new gives the current number, without work."""
        return await self._publish(None, Silent())

    async def compile_and_publish(self, library: Library, progress: Progress) -> Published:
        """The policy as committed, with an index of the lists' current versions; compiled only where they changed."""
        return await self._publish(library, progress)

    async def _publish(self, library: Library | None, progress: Progress) -> Published:
        async with self._locked():
            async with reading(self._sessions) as session:
                policy = await load_policy(session)
                sources = await load_sources(session)
            return await asyncio.to_thread(self._write, policy, sources, library, progress)

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        lock = await asyncio.to_thread(Lock.take, self._state.run / "publish.lock", True)
        try:
            yield
        finally:
            lock.release()

    def _write(
        self, policy: Policy, sources: list[SourceRow], library: Library | None, progress: Progress
    ) -> Published:
        warning = _refuse_unsound(policy)
        number, current = current_policy(self._state.snapshots)
        versions = _versions(current)
        index_path: Path | None = None
        if library is not None or current is None:
            wanted = _wanted(sources, library or Library(self._state.lists))
            new_versions = {one.list_id: version for one, version in wanted}
            if current is None or new_versions != versions:
                index_path = self._compile([one for one, _ in wanted], progress)
                versions = new_versions
        complete = dataclasses.replace(policy, lists=_with_versions(policy.lists, versions))
        if index_path is None and current is not None and encode(complete) == encode(current):
            return Published(number, warning)
        now_s = self._clock()
        number = publish(self._state.snapshots, complete, index_path, now_s)
        prune(self._state.snapshots, keep=KEPT_GENERATIONS, min_age_s=KEPT_AGE_S, now_s=now_s)
        return Published(number, warning)

    def _compile(self, inputs: list[ListInput], progress: Progress) -> Path:
        self._state.index.mkdir(parents=True, exist_ok=True)
        return compile_index(inputs, self._state.index, progress).path


def current_policy(root: Path) -> tuple[int, Policy | None]:
    """Number and policy of the current generation; ``(0, None)`` where there is none that can be read."""
    current = root / "current"
    try:
        return int(current.readlink().name), decode((current / "policy.json").read_bytes())
    except (OSError, ValueError, PolicyDocumentError):
        return 0, None


def _refuse_unsound(policy: Policy) -> str:
    """Raises ``PublishError`` where the policy has errors; returns its warnings as a text."""
    problems = check(policy)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        raise PublishError(f"the policy in the control database is not sound: {_some(errors)}. Correct it there.")
    return _some(problems)


def _some(problems: list[Problem]) -> str:
    more = f" and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
    return "; ".join(str(problem) for problem in problems[:SHOWN_PROBLEMS]) + more


def _wanted(sources: Iterable[SourceRow], library: Library) -> list[tuple[ListInput, str]]:
    """What the index should hold: each enabled list that has a version, with that version."""
    found = []
    for row in sources:
        state = library.state(row.code)
        if row.enabled and state.version:
            path = library.entries_path(row.code, state.version)
            found.append((ListInput(row.list_id, row.code, path), state.version))
    return found


def _versions(current: Policy | None) -> dict[int, str]:
    """List versions in the index in force: the published policy names them."""
    return {info.id: info.version for info in current.lists if info.version} if current is not None else {}


def _with_versions(lists: tuple[ListInfo, ...], versions: dict[int, str]) -> tuple[ListInfo, ...]:
    return tuple(dataclasses.replace(info, version=versions.get(info.id, "")) for info in lists)
