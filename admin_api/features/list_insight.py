"""Blocklists beside each other: what each adds, what they have in common, who holds a name, what happened to one.

Read from what the last sync computed, and from the library: an instant, whatever the lists' size.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlalchemy import select

from admin_api import fields as f
from admin_api.database import reading
from admin_api.features.blocklist_schemas import EventOutput, Shown, StateOutput, VersionOutput, show_state
from admin_api.list_holders import all_holders
from admin_api.models import Blocklist
from admin_api.rest.auth import Scope
from admin_api.rest.problem import FieldError, invalid, not_found
from admin_api.rest.route import API, Call, ItemPath, Parameters, Reply, Route
from admin_api.schemas import Id, Instant, instant
from blocklists.insight_file import Insight, read_insight
from blocklists.library import Library
from blocklists.state import ListState

PATH = f"{API}/blocklists"


class ShadowedOutput(Shown):
    """An entry in vain."""

    name: str
    by: str
    """The wider entry of the same list that covers it."""


class ShareOutput(Shown):
    """What a list has beside the others, in the version that the last sync found in force."""

    version: int
    names: int
    unique: int
    """Names that no other list has."""
    contribution: int
    """Those of them that no wider entry of another list covers either: what would be lost without this list."""
    shadowed: int
    """Names in vain: a wider entry of the same list covers them."""
    examples: list[ShadowedOutput]
    """The first of those."""


class HitsOutput(Shown):
    """What became of a list's entries in the query log."""

    hits: int
    """Answers in which an entry had matched, whichever list they were put down to."""
    hit_names: int
    """Entries that were met."""
    never_hit: int
    """The others."""


class ListInsight(Shown):
    """A blocklist at a glance; ``share`` and ``hits`` are null where no sync has computed them yet."""

    id: Id
    code: str
    title: str
    enabled: bool
    age_s: float | None
    """Since its source had what is served, or something that was let in; null: never."""
    max_age_s: int
    stale: bool
    """Older than it may get."""
    size_bytes: int
    """On disk, with all kept versions."""
    share: ShareOutput | None
    hits: HitsOutput | None
    state: StateOutput


class InsightOutput(Shown):
    """All blocklists at a glance."""

    computed: Instant | None
    """null: not yet."""
    names: int
    """Distinct ones in all lists."""
    hits_since: Instant | None
    hits_until: Instant | None
    hits_complete: bool
    """false: only the most frequent names were looked at; ``hit_names`` are at least so many."""
    size_bytes: int
    items: list[ListInsight]


class OverlapPair(Shown):
    """Two lists that have names in common, as shares of each."""

    a: str
    b: str
    names: int
    share_of_a: float
    share_of_b: float


class OverlapOutput(Shown):
    """What lists have in common; pairs without common names are left out."""

    computed: Instant | None
    lists: dict[str, int]
    """Names of each list."""
    items: list[OverlapPair]


class HolderOutput(Shown):
    """An entry that covers the name."""

    blocklist: str
    enabled: bool
    entry: str
    kind: str
    """exact, subtree or below, with "allow" in front where it allows; "rule: " and its action; range."""
    version: int
    """In force."""
    since_version: int
    """The first kept version from which on it was there without a break."""
    since: Instant
    since_oldest: bool
    """That is the oldest version that is kept: the entry may be older."""
    line: int
    """Of the text as it was published; 0: not asked for, or not known."""
    file: str
    """The file that has the line, where the list is a folder."""
    text: str
    """The line itself, shortened."""


class HoldersOutput(Shown):
    """Who holds a name."""

    name: str
    items: list[HolderOutput]


class HistoryOutput(Shown):
    """What happened to a list."""

    code: str
    version: int
    versions: list[VersionOutput]
    """That are kept, ascending."""
    events: list[EventOutput]
    """The newest last."""


class HoldersQuery(Parameters):
    """Which name, or which address in answers."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=1004)]
    lines: Annotated[bool, Field(strict=False)] = False
    """Also say in which line each entry stands, which takes seconds for lists of millions."""


async def insight(call: Call) -> Reply:
    """All lists."""
    rows = await _rows(call)
    return Reply(await asyncio.to_thread(_all, rows, call.services.library, call.now_s()))


async def insight_of_one(call: Call) -> Reply:
    """One list."""
    row = await _row(call)
    library = call.services.library
    kept = await asyncio.to_thread(read_insight, library.root)
    return Reply(await asyncio.to_thread(_one, row, kept, library, call.now_s()))


async def overlap(call: Call) -> Reply:
    """What lists have in common."""
    kept = await asyncio.to_thread(read_insight, call.services.library.root)
    names = {one.code: one.names for one in kept.shares.lists}
    items = [
        OverlapPair(
            a=pair.a,
            b=pair.b,
            names=pair.names,
            share_of_a=pair.names / names[pair.a],
            share_of_b=pair.names / names[pair.b],
        )
        for pair in kept.shares.overlaps
    ]
    return Reply(OverlapOutput(computed=_at(kept.computed_s), lists=names, items=items))


async def held_by(call: Call) -> Reply:
    """Which lists hold a name."""
    query = call.query_as(HoldersQuery)
    try:
        name = f.name_or_address(query.name)
    except ValueError as error:
        wrong = FieldError(field="name", message=str(error), value=query.name[:100])
        raise invalid(wrong) from None
    rows = await _rows(call)
    enabled = {row.code: row.enabled for row in rows}
    codes = {row.id: row.code for row in rows}
    services = call.services
    found = await asyncio.to_thread(all_holders, services.library, services.snapshots_root, codes, name, query.lines)
    items = [
        HolderOutput(
            blocklist=one.code,
            enabled=enabled[one.code],
            entry=one.entry,
            kind=one.kind,
            version=one.version,
            since_version=one.since_version,
            since=instant(one.since_s),
            since_oldest=one.since_oldest,
            line=one.line,
            file=one.file,
            text=one.text,
        )
        for one in found
    ]
    return Reply(HoldersOutput(name=name, items=items))


async def history(call: Call) -> Reply:
    """Versions and events of one list."""
    row = await _row(call)
    shown = show_state(await asyncio.to_thread(call.services.library.state, row.code))
    return Reply(HistoryOutput(code=shown.code, version=shown.version, versions=shown.versions, events=shown.history))


async def _rows(call: Call) -> list[Blocklist]:
    async with reading(call.services.sessions) as session:
        return list((await session.scalars(select(Blocklist).order_by(Blocklist.id))).all())


async def _row(call: Call) -> Blocklist:
    async with reading(call.services.sessions) as session:
        row = await session.get(Blocklist, call.item_id)
    if row is None:
        raise not_found(f"blocklist {call.item_id}")
    return row


def _all(rows: list[Blocklist], library: Library, now_s: float) -> InsightOutput:
    kept = read_insight(library.root)
    items = [_one(row, kept, library, now_s) for row in rows]
    return InsightOutput(
        computed=_at(kept.computed_s),
        names=kept.shares.names,
        hits_since=_at(kept.hits_since_s),
        hits_until=_at(kept.hits_until_s),
        hits_complete=kept.hits_complete,
        size_bytes=sum(item.size_bytes for item in items),
        items=items,
    )


def _one(row: Blocklist, kept: Insight, library: Library, now_s: float) -> ListInsight:
    state = library.state(row.code)
    age_s = _age_s(state, now_s)
    share, hits = kept.share(row.code), kept.hits_of(row.code)
    return ListInsight(
        id=row.id,
        code=row.code,
        title=row.title,
        enabled=row.enabled,
        age_s=age_s,
        max_age_s=row.max_age_s,
        stale=row.enabled and (now_s - row.created_s if age_s is None else age_s) > row.max_age_s,
        size_bytes=library.size_bytes(row.code),
        share=ShareOutput(
            version=share.version,
            names=share.names,
            unique=share.unique,
            contribution=share.contribution,
            shadowed=share.shadowed,
            examples=[ShadowedOutput(name=one.name, by=one.by) for one in share.examples],
        )
        if share
        else None,
        hits=HitsOutput(hits=hits.hits, hit_names=hits.hit_names, never_hit=hits.never_hit) if hits else None,
        state=show_state(state),
    )


def _age_s(state: ListState, now_s: float) -> float | None:
    return max(0.0, now_s - state.good_at_s) if state.good_at_s else None


def _at(at_s: float) -> Instant | None:
    return instant(at_s) if at_s else None


ROUTES = (
    Route("GET", f"{PATH}/insight", "blocklists", "Compare all blocklists", insight, Scope.LISTS_READ,
          "get_blocklists_insight", response=InsightOutput),
    Route("GET", f"{PATH}/overlap", "blocklists", "Read what blocklists have in common", overlap, Scope.LISTS_READ,
          "get_blocklists_overlap", response=OverlapOutput),
    Route("GET", f"{PATH}/holders", "blocklists", "Find the blocklists that hold a name", held_by, Scope.LISTS_READ,
          "find_blocklist_holders", response=HoldersOutput, query_schema=HoldersQuery),
    Route("GET", f"{PATH}/{{id}}/insight", "blocklists", "Read a blocklist at a glance", insight_of_one,
          Scope.LISTS_READ, "get_blocklist_insight", response=ListInsight, path_schema=ItemPath),
    Route("GET", f"{PATH}/{{id}}/history", "blocklists", "Read what happened to a blocklist", history,
          Scope.LISTS_READ, "get_blocklist_history", response=HistoryOutput, path_schema=ItemPath),
)  # fmt: skip
