"""Pauses: an agency or a unit let off for some minutes. They end by themselves, or earlier by anybody who may write."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.database import reading
from admin_api.features.blocklist_schemas import Shown
from admin_api.features.rule_schemas import RuleScope
from admin_api.models import AgencyRow, PauseRow, UnitRow
from admin_api.pauses import PauseRefusedError, begin_pause, end_pause, find_pause, is_over, label_of, tenant_of
from admin_api.rest.auth import Scope
from admin_api.rest.edit import Edited, edit
from admin_api.rest.paging import PageQuery, decode_cursor, encode_cursor, next_link
from admin_api.rest.problem import conflict, not_found
from admin_api.rest.route import API, Call, ItemPath, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Id, Instant, Strict, instant, instant_or_none
from admin_api.to_policy import scope_of

PATH = f"{API}/pauses"
TAG = "pauses"


class PauseInput(Strict):
    """For how long, and why."""

    minutes: Annotated[int, Field(ge=1, le=f.MAX_PAUSE_MINUTES)]
    """5 and 30 are usual; at most what the regency's settings allow."""
    reason: Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=1000)]


class PauseOutput(Shown):
    """A pause. While it lasts, no unit, agency or regency rule blocks or narrows for its clients; mandatory rules and
    lists of negative categories hold on.
    """

    id: Id
    scope: RuleScope
    tenant: str
    """``agency`` or ``agency/unit``, in codes."""
    begins: Instant
    until: Instant
    running: bool
    author: str
    reason: str
    ended: Instant | None
    """Since when it is known to be over."""
    ended_by: str
    """Empty where it ended by itself."""


class PausePage(Shown):
    """A page of pauses."""

    items: list[PauseOutput]
    next_cursor: str | None


class PauseQuery(PageQuery):
    """Which pauses."""

    running: Annotated[bool, Field(strict=False)] | None = None


async def show(session: AsyncSession, row: PauseRow, now_s: float) -> PauseOutput:
    """The row as clients see it."""
    scope = scope_of(row)
    return PauseOutput(
        id=row.id,
        scope=RuleScope(kind=scope.kind, id=scope.id),
        tenant=await label_of(session, await tenant_of(session, row)),
        begins=instant(row.from_s),
        until=instant(row.until_s),
        running=not is_over(row, now_s),
        author=row.author,
        reason=row.reason,
        ended=instant_or_none(row.ended_s),
        ended_by=row.ended_by,
    )


async def listed(call: Call) -> Reply:
    """A page of pauses, the oldest first."""
    query = call.query_as(PauseQuery)
    conditions = [PauseRow.id > decode_cursor(query.cursor)]
    if query.running is not None:
        running = PauseRow.ended_s.is_(None) & (PauseRow.until_s > int(call.now_s()))
        conditions.append(running if query.running else ~running)
    own = call.principal.agency_id
    if own is not None:
        units = select(UnitRow.id).where(UnitRow.agency_id == own)
        conditions.append((PauseRow.agency_id == own) | PauseRow.unit_id.in_(units))
    statement = select(PauseRow).where(*conditions).order_by(PauseRow.id).limit(query.limit + 1)
    async with reading(call.services.sessions) as session:
        rows = list((await session.scalars(statement)).all())
        items = [await show(session, row, call.now_s()) for row in rows[: query.limit]]
    cursor = encode_cursor(items[-1].id) if len(rows) > query.limit else None
    return Reply(PausePage(items=items, next_cursor=cursor), headers=next_link(call.address, call.raw_query, cursor))


async def get(call: Call) -> Reply:
    """One pause."""
    async with reading(call.services.sessions) as session:
        try:
            row = await find_pause(session, call.item_id)
        except LookupError:
            raise not_found(f"pause {call.item_id}") from None
        return Reply(await show(session, row, call.now_s()))


async def pause_agency(call: Call) -> Reply:
    """Lets an agency with its units off from now on."""
    return await _begin(call, AgencyRow, "agency")


async def pause_unit(call: Call) -> Reply:
    """Lets a unit off from now on."""
    return await _begin(call, UnitRow, "unit")


TenantT = TypeVar("TenantT", AgencyRow, UnitRow)


async def _begin(call: Call, model: type[TenantT], kind: str) -> Reply:
    data = check_body(PauseInput, call.body)

    async def work(session: AsyncSession) -> tuple[PauseOutput, Edited]:
        tenant = await session.get(model, call.item_id)
        if tenant is None:
            raise not_found(f"{kind} {call.item_id}")
        row, act = await begin_pause(session, tenant, data.minutes, data.reason, call.principal.login, call.now_s())
        return await show(session, row, call.now_s()), Edited(act)

    try:
        shown, headers = await edit(call, work)
    except PauseRefusedError as error:
        raise conflict(str(error)) from None
    return Reply(shown, HTTPStatus.CREATED, headers=headers | {"Location": f"{PATH}/{shown.id}"})


async def end(call: Call) -> Reply:
    """Ends it early."""

    async def work(session: AsyncSession) -> tuple[PauseOutput, Edited]:
        row, act = await end_pause(session, call.item_id, call.principal.login, call.now_s())
        return await show(session, row, call.now_s()), Edited(act)

    try:
        shown, headers = await edit(call, work)
    except LookupError:
        raise not_found(f"pause {call.item_id}") from None
    except PauseRefusedError as error:
        raise conflict(str(error)) from None
    return Reply(shown, headers=headers)


CONFLICT = (HTTPStatus.CONFLICT,)
ROUTES = (
    Route("POST", f"{API}/agencies/{{id}}/pause", TAG, "Let an agency off for some minutes", pause_agency,
          Scope.POLICY_WRITE, "pause_agency", response=PauseOutput, status=HTTPStatus.CREATED, path_schema=ItemPath,
          body=PauseInput, publishes=True, errors=CONFLICT),
    Route("POST", f"{API}/units/{{id}}/pause", TAG, "Let a unit off for some minutes", pause_unit,
          Scope.POLICY_WRITE, "pause_unit", response=PauseOutput, status=HTTPStatus.CREATED, path_schema=ItemPath,
          body=PauseInput, publishes=True, errors=CONFLICT),
    Route("GET", PATH, TAG, "List pauses", listed, Scope.POLICY_READ, "list_pauses", response=PausePage,
          query_schema=PauseQuery, paged=True, for_agencies=True),
    Route("GET", f"{PATH}/{{id}}", TAG, "Read a pause", get, Scope.POLICY_READ, "get_pause", response=PauseOutput,
          path_schema=ItemPath),
    Route("POST", f"{PATH}/{{id}}/end", TAG, "End a pause early", end, Scope.POLICY_WRITE, "end_pause",
          response=PauseOutput, path_schema=ItemPath, publishes=True, errors=CONFLICT),
)  # fmt: skip
