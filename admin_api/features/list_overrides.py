"""Overrides of refused updates: asked for by one person, approved by another, for exactly one content, for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.database import editing, reading
from admin_api.features.blocklist_schemas import Shown
from admin_api.models import Blocklist, ListOverride
from admin_api.override_state import OverrideState, state_of
from admin_api.overrides import (
    DEFAULT_VALID_S,
    MAX_VALID_S,
    MIN_VALID_S,
    OverrideRefusedError,
    approve_override,
    find_override,
    request_override,
    withdraw_override,
)
from admin_api.rest.auth import Scope
from admin_api.rest.edit import WARNING_HEADER
from admin_api.rest.paging import PageQuery, decode_cursor, encode_cursor, next_link
from admin_api.rest.problem import conflict, not_found
from admin_api.rest.route import API, Call, ItemPath, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Id, Instant, Strict, instant, instant_or_none

PATH = f"{API}/list-overrides"

log = logging.getLogger("admin_api.list_overrides")

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=1000)]


class OverrideInput(Strict):
    """Which content to let in, and why."""

    sha256: Sha256
    """Of the content, as the refusal in the list's state says."""
    reason: Reason
    """Why it is right nevertheless; the second person reads it."""
    valid_s: Annotated[int, Field(ge=MIN_VALID_S, le=MAX_VALID_S)] = DEFAULT_VALID_S
    """For how long it can be approved and used, in seconds."""


class OverrideOutput(Shown):
    """An override; times are null for not yet."""

    id: Id
    blocklist_id: Id
    blocklist: str
    """The list's code."""
    sha256: str
    refusal_code: str
    refusal: str
    """What the gate said."""
    reason: str
    state: OverrideState
    """pending (waits for a second person), approved (for the next sync), used, withdrawn or expired."""
    requested_by: str
    requested: Instant
    expires: Instant
    approved_by: str
    approved: Instant | None
    withdrawn_by: str
    withdrawn: Instant | None
    used: Instant | None
    used_version: int
    """The version that it let in; 0: none."""


class OverridePage(Shown):
    """A page of overrides."""

    items: list[OverrideOutput]
    next_cursor: str | None


def show(row: ListOverride, now_s: float) -> OverrideOutput:
    """The row as clients see it."""
    return OverrideOutput(
        id=row.id,
        blocklist_id=row.blocklist_id,
        blocklist=row.blocklist.code,
        sha256=row.sha256,
        refusal_code=row.refusal_code,
        refusal=row.refusal,
        reason=row.reason,
        state=state_of(row, now_s),
        requested_by=row.requested_by,
        requested=instant(row.requested_s),
        expires=instant(row.expires_s),
        approved_by=row.approved_by,
        approved=instant_or_none(row.approved_s),
        withdrawn_by=row.withdrawn_by,
        withdrawn=instant_or_none(row.withdrawn_s),
        used=instant_or_none(row.used_s),
        used_version=row.used_version,
    )


async def listed(call: Call) -> Reply:
    """A page of overrides, the oldest first."""
    query = call.query_as(PageQuery)
    statement = select(ListOverride).where(ListOverride.id > decode_cursor(query.cursor)).order_by(ListOverride.id)
    async with reading(call.services.sessions) as session:
        rows = list((await session.scalars(statement.limit(query.limit + 1))).all())
    items = [show(row, call.now_s()) for row in rows[: query.limit]]
    cursor = encode_cursor(items[-1].id) if len(rows) > query.limit else None
    page = OverridePage(items=items, next_cursor=cursor)
    return Reply(page, headers=next_link(call.address, call.raw_query, cursor))


async def get(call: Call) -> Reply:
    """One override."""
    async with reading(call.services.sessions) as session:
        try:
            row = await find_override(session, call.item_id)
        except LookupError:
            raise not_found(f"list override {call.item_id}") from None
        return Reply(show(row, call.now_s()))


async def request(call: Call) -> Reply:
    """Asks for the content that is refused at present."""
    data = check_body(OverrideInput, call.body)
    async with editing(call.services.sessions) as session:
        blocklist = await session.get(Blocklist, call.item_id)
        if blocklist is None:
            raise not_found(f"blocklist {call.item_id}")
        kept = await asyncio.to_thread(call.services.library.state, blocklist.code)
        try:
            row = await request_override(
                session, blocklist, kept.refusal, data.sha256, data.reason, call.actor, call.now_s(), data.valid_s
            )
        except OverrideRefusedError as error:
            raise conflict(str(error)) from None
        shown = show(row, call.now_s())
    return Reply(shown, HTTPStatus.CREATED, headers={"Location": f"{PATH}/{shown.id}"})


async def approve(call: Call) -> Reply:
    """Approves, as another person; a sync of the list begins."""

    async def work(session: AsyncSession) -> ListOverride:
        return await approve_override(session, call.item_id, call.actor, call.now_s())

    shown = await _changed(call, work)
    try:
        await call.services.sync_now(shown.blocklist)
    except Exception:  # the approval is committed, and the nightly sync will use it
        log.exception(
            "the sync that should follow an approval could not be started", extra={"request_id": call.request_id}
        )
        return Reply(shown, headers={WARNING_HEADER: "approved, but the sync could not be started; start it by hand"})
    return Reply(shown)


async def withdraw(call: Call) -> Reply:
    """Takes it back before it is used."""

    async def work(session: AsyncSession) -> ListOverride:
        return await withdraw_override(session, call.item_id, call.actor, call.now_s())

    return Reply(await _changed(call, work))


async def _changed(call: Call, work: Callable[[AsyncSession], Awaitable[ListOverride]]) -> OverrideOutput:
    async with editing(call.services.sessions) as session:
        try:
            return show(await work(session), call.now_s())
        except LookupError:
            raise not_found(f"list override {call.item_id}") from None
        except OverrideRefusedError as error:
            raise conflict(str(error)) from None


CONFLICT = (HTTPStatus.CONFLICT,)
ROUTES = (
    Route("POST", f"{API}/blocklists/{{id}}/overrides", "list overrides", "Ask to let a refused content in", request,
          Scope.LISTS_WRITE, "request_list_override", response=OverrideOutput, status=HTTPStatus.CREATED,
          path_schema=ItemPath, body=OverrideInput, errors=CONFLICT),
    Route("GET", PATH, "list overrides", "List overrides", listed, Scope.LISTS_READ, "list_list_overrides",
          response=OverridePage, query_schema=PageQuery, paged=True),
    Route("GET", f"{PATH}/{{id}}", "list overrides", "Read an override", get, Scope.LISTS_READ, "get_list_override",
          response=OverrideOutput, path_schema=ItemPath),
    Route("POST", f"{PATH}/{{id}}/approval", "list overrides", "Approve an override", approve, Scope.LISTS_WRITE,
          "approve_list_override", response=OverrideOutput, path_schema=ItemPath, errors=CONFLICT,
          description="Not possible for the person who asked for it. The list is synced at once."),
    Route("POST", f"{PATH}/{{id}}/withdrawal", "list overrides", "Withdraw an override", withdraw, Scope.LISTS_WRITE,
          "withdraw_list_override", response=OverrideOutput, path_schema=ItemPath, errors=CONFLICT),
)  # fmt: skip
