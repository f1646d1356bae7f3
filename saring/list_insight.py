"""Keeps the insight into lists up to date: their shares where a list changed, their hits every time."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from admin_api.to_policy import SourceRow
from blocklists.entries import EntriesDamaged
from blocklists.index import Index, matched_name
from blocklists.insight import InsightInput, ListShare, compare_lists
from blocklists.insight_file import Insight, ListHits, read_insight, write_insight
from blocklists.library import Library
from blocklists.progress import Progress
from dnswire.constants import RRType
from dnswire.name import from_text
from querylog.store import MAX_LIMIT, Filter, Store, StoreError, Top
from snapshots.generation import NoGenerationError, open_current

_log = logging.getLogger(__name__)

HITS_WINDOW_S: Final = 30 * 86_400
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Refreshing:
    """What the insight is made from. ``snapshots``: of the generation in force, its index is asked; ``store`` opens the
    query log; ``now_s`` Unix seconds.
    """

    library: Library
    snapshots: Path
    store: Callable[[], Store]
    now_s: float


def refresh_insight(rows: Iterable[SourceRow], source: Refreshing, progress: Progress) -> Insight | None:
    """Computes and keeps the insight into the enabled lists that have a version. Blocking.

    None, and the one before stays, where an entries file is damaged or the disk is full: it is no reason to fail for
    whoever has just published.
    """
    library = source.library
    inputs = inputs_of(rows, library)
    try:
        known = read_insight(library.root)
        shares = known.shares if known.is_of(inputs) else compare_lists(inputs, progress)
        insight = _with_hits(Insight(source.now_s, shares), source)
        write_insight(library.root, insight)
    except (EntriesDamaged, OSError) as error:
        _log.error("the insight into lists could not be computed; the one before stays", extra={"error": str(error)})
        return None
    return insight


def insight_is_current(rows: Iterable[SourceRow], library: Library) -> bool:
    """Whether the shares that are kept are those of the lists in force. False at the first start: the lists that come
    with it are compiled before anything else, and looked at when DNS answers.
    """
    inputs = inputs_of(rows, library)
    return not inputs or read_insight(library.root).is_of(inputs)


def inputs_of(rows: Iterable[SourceRow], library: Library) -> tuple[InsightInput, ...]:
    """The lists that are in force, by id."""
    found = []
    for row in sorted(rows, key=lambda row: row.list_id):
        version = library.state(row.code).version
        if row.enabled and version:
            found.append(InsightInput(row.list_id, row.code, version, library.entries_path(row.code, version)))
    return tuple(found)


def _with_hits(insight: Insight, source: Refreshing) -> Insight:
    since_s = source.now_s - HITS_WINDOW_S
    try:
        store = source.store()
        try:
            span = Filter(from_us=int(since_s * _US), until_us=int(source.now_s * _US))
            matched = store.top("matched", span, MAX_LIMIT)
        finally:
            store.close()
        generation = open_current(source.snapshots)
        try:
            hits = count_hits(insight.shares.lists, generation.index, matched)
        finally:
            generation.close()
    except (StoreError, NoGenerationError, OSError) as error:
        _log.warning("hits of lists are not known: the query log cannot be read", extra={"error": str(error)})
        return insight
    return replace(
        insight,
        hits_since_s=since_s,
        hits_until_s=source.now_s,
        hits_complete=len(matched) < MAX_LIMIT,
        hits=hits,
    )


def count_hits(shares: Iterable[ListShare], index: Index, matched: Iterable[Top]) -> tuple[ListHits, ...]:
    """What lists' entries and rules met. The log puts an answer down to one list; here each that has one counts it."""
    hits: Counter[int] = Counter()
    hit_names: dict[int, set[bytes]] = defaultdict(set)
    for top in matched:
        try:
            name = from_text(top.value).lower()
        except ValueError:  # what was matched by a pattern, and is no name
            continue
        matches = index.ask(name, RRType.A)
        for list_id in {match.list_id for match in matches}:
            hits[list_id] += top.answers
        for match in matches:
            if match.rule is None:  # a rule is no entry of which some are met and others never
                hit_names[match.list_id].add(matched_name(name, match.labels))
    return tuple(
        ListHits(
            one.code,
            hits[one.list_id],
            len(hit_names[one.list_id]),
            max(0, one.names - len(hit_names[one.list_id])),
        )
        for one in shares
    )
