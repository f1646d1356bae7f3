"""From the control database and the library to a published generation.

Two ways, one function. An edit publishes the policy with the index in force, in milliseconds. After a sync the index is
compiled first, in a process that may take its time. Everybody who publishes holds one lock from reading the database to
swapping the reference, so that an older revision can never be published over a newer one. Compiling, which takes
long, is done before that, so that no edit waits for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import snapshots.publish
from admin_api.database import Sessions, reading
from admin_api.document_export import Exported, export_document
from admin_api.generation_record import encode_record
from admin_api.services import Published
from admin_api.to_policy import SourceRow, load_policy, load_sources
from blocklists.compiler import ListInput, compile_index
from blocklists.entries import EntriesDamaged
from blocklists.library import Library
from blocklists.progress import Progress, Silent
from blocklists.state import Version
from policy.check import check
from policy.document import encode
from policy.model import Policy, Target, TargetKind
from policy.problems import Severity
from saring.state_dir import Lock, StateDir
from snapshots.generation import GenerationDamaged, open_generation, read_policy
from snapshots.layout import current_target, number_of, numbers
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
        async with reading(self._sessions) as session:
            sources = await load_sources(session)
        await asyncio.to_thread(self._compile_ahead, sources, library, progress)
        return await self._publish(library, progress)

    async def _publish(self, library: Library | None, progress: Progress) -> Published:
        async with self._locked():
            async with reading(self._sessions) as session:
                policy = await load_policy(session)
                sources = await load_sources(session)
                exported = await export_document(session)
            return await asyncio.to_thread(self._write, policy, sources, exported, library, progress)

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        lock = await asyncio.to_thread(Lock.take, self._state.run / "publish.lock", True)
        try:
            yield
        finally:
            lock.release()

    def _write(
        self,
        policy: Policy,
        sources: list[SourceRow],
        exported: Exported,
        library: Library | None,
        progress: Progress,
    ) -> Published:
        _refuse_unsound(policy)
        policy = without_disabled(policy, sources)
        root = self._state.snapshots
        number, current = current_policy(root)
        if library is not None and current is not None and not _is_sound(root, number):
            current = None
        if library is None and current is None:
            library = Library(self._state.lists)
        wanted = _wanted(sources, library) if library is not None else {}
        _, newest = newest_policy(root)
        versions = versions_of(newest) if library is None else {number: one.version for number, one in wanted.items()}
        # Compared with the newest, not the one in force: somebody who rolled back must not be overruled by a
        # restart, only by a further edit or a list that changed.
        if current is not None and newest is not None and _same(with_versions(policy, versions), newest):
            return Published(number)
        index_path: Path | None = None
        if library is None:
            versions = versions_of(current)
        elif current is None or versions != versions_of(current):
            versions, index_path = self._compile(wanted, library, progress)
        now_s = self._clock()
        try:
            complete, record = with_versions(policy, versions), encode_record(exported)
            number = publish(root, complete, index_path, now_s, record=record)
        except snapshots.publish.PublishError as error:
            raise PublishError(str(error)) from error
        prune(root, keep=KEPT_GENERATIONS, min_age_s=KEPT_AGE_S, now_s=now_s)
        return Published(number)

    def _compile_ahead(self, sources: list[SourceRow], library: Library, progress: Progress) -> None:
        """Compiles without the lock: with it, the index is found there, unless the lists changed meanwhile."""
        wanted = _wanted(sources, library)
        _, newest = newest_policy(self._state.snapshots)
        if newest is None or {number: one.version for number, one in wanted.items()} != versions_of(newest):
            self._compile(wanted, library, progress)

    def _compile(self, wanted: dict[int, _Wanted], library: Library, progress: Progress) -> tuple[dict[int, str], Path]:
        """The versions that went in, and the index. A version that is damaged on disk gives way to the one before."""
        inputs, versions = [], {}
        for number, one in wanted.items():
            sound = library.sound(one.code, self._clock())
            if sound is not None:
                inputs.append(ListInput(number, one.code, sound.entries))
                versions[number] = version_text(sound.version)
        self._state.index.mkdir(parents=True, exist_ok=True)
        try:
            return versions, compile_index(inputs, self._state.index, progress).path
        except (EntriesDamaged, ValueError) as error:
            raise PublishError(f"the index cannot be compiled: {error}. Sync the list again.") from error


@dataclasses.dataclass(frozen=True, slots=True)
class _Wanted:
    list_id: int
    code: str
    version: str


def current_policy(root: Path) -> tuple[int, Policy | None]:
    """Number and policy of the current generation; ``(0, None)`` where there is none that can be read."""
    return _policy_of(root, number_of(current_target(root)))


def newest_policy(root: Path) -> tuple[int, Policy | None]:
    """The same of the generation with the highest number: the current one, unless somebody rolled back."""
    return _policy_of(root, max(numbers(root), default=0))


def _policy_of(root: Path, number: int) -> tuple[int, Policy | None]:
    try:
        return (number, read_policy(root, number)) if number else (0, None)
    except GenerationDamaged:
        return 0, None


def _is_sound(root: Path, number: int) -> bool:
    try:
        open_generation(root, number).close()
    except GenerationDamaged:
        return False
    return True


def _refuse_unsound(policy: Policy) -> None:
    """Raises ``PublishError`` where the policy has errors. Warnings were shown to whoever made the edit."""
    errors = [problem for problem in check(policy) if problem.severity is Severity.ERROR]
    if not errors:
        return
    more = f" and {len(errors) - SHOWN_PROBLEMS} more" if len(errors) > SHOWN_PROBLEMS else ""
    shown = "; ".join(str(problem) for problem in errors[:SHOWN_PROBLEMS])
    raise PublishError(f"the policy in the control database is not sound: {shown}{more}. Correct it there.")


def _wanted(sources: Iterable[SourceRow], library: Library) -> dict[int, _Wanted]:
    """What the index should hold, by list: each enabled list that has a version, with that version."""
    found = {}
    for row in sources:
        version = library.state(row.code).current
        if row.enabled and version is not None:
            found[row.list_id] = _Wanted(row.list_id, row.code, version_text(version))
    return found


def needs_compiling(root: Path, sources: Iterable[SourceRow], library: Library) -> bool:
    """Whether lists are to be served that the index in force does not hold, or not in that version."""
    number, newest = newest_policy(root)
    wanted = {list_id: one.version for list_id, one in _wanted(sources, library).items()}
    return number > 0 and wanted != versions_of(newest)


def without_disabled(policy: Policy, sources: Iterable[SourceRow]) -> Policy:
    """The policy without its disabled lists and the rules about them.

    The index may hold a list's entries for a while longer; of a list that the policy does not know they have no say,
    so that switching a list off is in force at once.
    """
    return without_lists(policy, [row.code for row in sources if not row.enabled])


def without_lists(policy: Policy, codes: Iterable[str]) -> Policy:
    """The policy without these lists and the rules about them."""
    left_out = frozenset(codes)
    about = {Target(TargetKind.LIST, code) for code in left_out}
    return dataclasses.replace(
        policy,
        lists=tuple(info for info in policy.lists if info.code not in left_out),
        rules=tuple(rule for rule in policy.rules if rule.target not in about),
    )


def version_text(version: Version) -> str:
    """A list's version as policies and logs name it: its number, and the beginning of its entries' checksum.

    The number alone would be used again by a library that was lost and fetched anew.
    """
    return f"{version.number}.{version.entries_sha256[:8]}"


def versions_of(current: Policy | None) -> dict[int, str]:
    """List versions in the index in force: the published policy names them."""
    return {info.id: info.version for info in current.lists if info.version} if current is not None else {}


def with_versions(policy: Policy, versions: dict[int, str]) -> Policy:
    """The policy with the versions of the lists in its index, which the database does not know."""
    lists = tuple(dataclasses.replace(info, version=versions.get(info.id, "")) for info in policy.lists)
    return dataclasses.replace(policy, lists=lists)


def _same(one: Policy, other: Policy) -> bool:
    return encode(one) == encode(other)
