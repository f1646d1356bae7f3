"""A replay from its files: the generation in force, the draft, the lists that the draft adds, and the query log."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from admin_api.replay_order import MAX_PERIOD_S, ReplayError, ReplayOrder, ReplayReport
from blocklists.asker import Client
from blocklists.compiler import ListInput, compile_index
from blocklists.entries import EntriesDamaged
from blocklists.index import Index, IndexDamaged
from blocklists.library import Library
from blocklists.match import Match
from blocklists.progress import Progress, Silent
from policy.difference import difference
from policy.difference_words import in_words
from policy.model import Policy
from policy.prepare import prepare
from policy.replay import Replay, ReplayResult, Unknown
from policy.replay_side import Lists, Side
from policy.replay_times import Spans, spans_of
from querylog.schema import DECIDED
from querylog.store import Filter, Store, StoreError, Stretch
from saring.publisher import versions_of, with_versions, without_lists
from snapshots.generation import NoGenerationError, open_current

_US: Final = 1_000_000
# Parts of a policy that say who a client is; a row's client was told by those of its own time.
_WHO: Final = ("networks", "forwarders", "devices")


def run_replay(root: Path, library: Library, store: Store, order: ReplayOrder, progress: Progress) -> ReplayReport:
    """Replays. ``root``: of the snapshots; ``progress`` counts queries. Raises ``ReplayError``."""
    if not 0 <= order.until_us - order.from_us <= MAX_PERIOD_S * _US:
        raise ReplayError(f"a replay is of at most {MAX_PERIOD_S // 86_400} days, and ends after it begins")
    draft = without_lists(order.draft, order.disabled)
    try:
        generation = open_current(root)
    except NoGenerationError as error:
        raise ReplayError(f"there is no policy in force to replay against: {error}") from error
    with ExitStack() as held:
        held.callback(generation.close)
        current = generation.policy
        draft = with_versions(draft, versions_of(current))
        added, missing = _added(generation.index, draft, library)
        lists = JointLists([generation.index])
        if added:
            lists = JointLists([generation.index, held.enter_context(_compiled(added))])
        prepared = prepare(current), prepare(draft)
        spans = spans_of(prepared, order.from_us / _US, order.until_us / _US)
        sides = [Side(one, lists, spans.instants) for one in prepared]
        try:
            result = _counted(store, order, spans, Replay(sides[0], sides[1], order.heirs.heir), progress)
            gaps = sum(gap.answers for gap in store.gaps(order.from_us, order.until_us))
        except StoreError as error:
            raise ReplayError(str(error)) from error
    changes = in_words(difference(current, draft), current, draft)
    notes = _notes(current, draft, missing, gaps, result)
    return ReplayReport(generation.number, order.from_us, order.until_us, changes, result, notes)


class JointLists:
    """Several indexes as one: the one in force, and one of the lists that only the draft serves."""

    def __init__(self, parts: Sequence[Lists]) -> None:
        self._parts = parts

    def asker(self, client: Client) -> tuple[Any, ...]:
        """What each makes of a client."""
        return tuple(part.asker(client) for part in self._parts)

    def ask(self, name: bytes, rrtype: int, asker: tuple[Any, ...]) -> tuple[Match, ...]:
        """What any of them says."""
        if len(self._parts) == 1:
            return self._parts[0].ask(name, rrtype, asker[0])
        found: list[Match] = []
        for part, mine in zip(self._parts, asker, strict=True):
            found += part.ask(name, rrtype, mine)
        return tuple(found)


def _counted(store: Store, order: ReplayOrder, spans: Spans, replay: Replay, progress: Progress) -> ReplayResult:
    wanted = Filter(from_us=order.from_us, until_us=order.until_us, tenants=order.tenants)
    stretches = [Stretch(round(span.from_s * _US), round(span.until_s * _US), span.state) for span in spans.spans]
    by_verdict = store.totals(wanted).by_verdict
    progress.start("replay", sum(by_verdict.get(verdict, 0) for verdict in DECIDED))
    try:
        for part in store.asked(wanted, stretches):
            replay.add(part)
            progress.advance(sum(one.answers for one in part))
    finally:
        progress.done()
    return replay.result()


def _added(index: Index, draft: Policy, library: Library) -> tuple[list[ListInput], list[str]]:
    """The lists that the draft serves and the index in force does not hold; codes of those that were never fetched."""
    held = {row.list_id for row in index.manifest.lists}
    inputs: list[ListInput] = []
    missing: list[str] = []
    for info in draft.lists:
        if info.id in held:
            continue
        version = library.state(info.code).current
        if version is None:
            missing.append(info.code)
        else:
            inputs.append(ListInput(info.id, info.code, library.entries_path(info.code, version.number)))
    return inputs, missing


@contextmanager
def _compiled(inputs: list[ListInput]) -> Iterator[Index]:
    """An index of a few lists, for the time of a replay."""
    with tempfile.TemporaryDirectory(prefix="saring-replay-") as directory:
        try:
            index = Index.open(compile_index(inputs, Path(directory), Silent()).path)
        except (EntriesDamaged, IndexDamaged, ValueError, OSError) as error:
            raise ReplayError(f"the lists that the draft adds cannot be compiled: {error}; sync them again") from error
        try:
            yield index
        finally:
            index.close()


def _notes(current: Policy, draft: Policy, missing: list[str], gaps: int, result: ReplayResult) -> tuple[str, ...]:
    unknown = result.unknown
    told = [
        (missing, f"never fetched, so nobody knows their names: {', '.join(missing)}"),
        (
            any(getattr(current, part) != getattr(draft, part) for part in _WHO),
            "the draft changes who clients are (networks, forwarders, devices); each query counts as the agency's and "
            "unit's that its row names",
        ),
        (gaps, f"{gaps:,} answers of this time have no row in the query log"),
        (
            unknown.get(Unknown.ADDRESS),
            f"{unknown.get(Unknown.ADDRESS, 0):,} queries were decided by an address or a nameserver in their answer, "
            "which the log does not name",
        ),
        (
            unknown.get(Unknown.TENANT),
            f"{unknown.get(Unknown.TENANT, 0):,} queries are of agencies that nobody knows any more",
        ),
        (unknown.get(Unknown.NAME), f"{unknown.get(Unknown.NAME, 0):,} queries have no name"),
    ]
    always = "answers are not in the log: what they pointed to (aliases, addresses) counts only where it decided then"
    return (*(text for holds, text in told if holds), always)
