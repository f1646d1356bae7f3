"""Successions: agencies renamed, merged and split, and the history of it by which old reports add up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.database import reading
from admin_api.journal import Act
from admin_api.lineage import Kind
from admin_api.models import SuccessionRow
from admin_api.reorganise.succession import Part, Reorganisation
from admin_api.rest.auth import Scope
from admin_api.rest.crud import page_of
from admin_api.rest.edit import edit_many
from admin_api.rest.paging import PageQuery, decode_cursor, encode_cursor, next_link
from admin_api.rest.route import API, Call, Parameters, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Basis, Id, Instant, Strict, basis_of, instant

PATH = f"{API}/successions"
UNIT = r"^[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40}$"

Codes = Annotated[list[f.Code], AfterValidator(f.distinct), Field(max_length=200)]


class DryRun(Parameters):
    """Whether to write."""

    dry_run: Annotated[bool, Field(strict=False)] = True
    """Only show what would be done; false: do it."""


class RenameInput(Strict):
    """Another code or name for an agency. Everything that refers to it stays."""

    agency: f.Code
    code: f.Code
    """The new code; the same where only the name changes."""
    name: f.Title | None = None
    basis: Basis = Basis()


class MergeInput(Strict):
    """One agency of several. Units, networks, rules, devices and contacts go along."""

    agencies: Annotated[Codes, Field(min_length=1)]
    into: f.Code
    """One of them, another agency that is there, or a new one."""
    name: f.Title | None = None
    """Of the merged agency; needed where it is new."""
    units: dict[Annotated[str, Field(pattern=UNIT)], f.Code] = Field(default_factory=dict, max_length=500)
    """New codes, by ``agency/unit``, where two units have one code; else the old agency's code is put behind."""
    basis: Basis = Basis()


class PartInput(Strict):
    """What one part of a split is given."""

    code: f.Code
    name: f.Title | None = None
    """Needed where there is no such agency yet."""
    units: Codes = Field(default_factory=list)
    """Their networks, devices and rules go along."""
    networks: Annotated[list[f.Cidr], AfterValidator(f.distinct), Field(max_length=1000)] = Field(default_factory=list)
    """Of the agency itself."""
    rules: Annotated[list[Id], AfterValidator(f.distinct), Field(max_length=1000)] = Field(default_factory=list)
    """Of the agency itself."""


class SplitInput(Strict):
    """Several agencies of one."""

    agency: f.Code
    parts: Annotated[list[PartInput], Field(min_length=1, max_length=50)]
    rest: f.Code | None = None
    """Who keeps what no part is given: one of the parts; null: the agency itself, which goes on."""
    copy_rules: bool = True
    """What holds for the agency as a whole goes on to hold for its new parts."""
    basis: Basis = Basis()


class SuccessionAct(Strict):
    """One row that is moved, changed, made or deleted."""

    action: str
    kind: str
    id: int | None
    label: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class SuccessionDone(Strict):
    """What is done, or would be done; the succession first."""

    applied: bool
    acts: list[SuccessionAct]
    warnings: list[str]


class SuccessionSide(Strict):
    """An agency as it was or became; code and name are those of that time."""

    agency_id: int
    code: str
    name: str


class SuccessionOutput(Strict):
    """One entry of the history."""

    id: Id
    kind: Kind
    at: Instant
    before: list[SuccessionSide]
    after: list[SuccessionSide]
    units: dict[str, str]
    """``agency/unit`` before and after."""
    basis: Basis
    author: str


async def rename(call: Call) -> Reply:
    """Gives an agency another code or name."""
    data = check_body(RenameInput, call.body)
    return await _done(call, data.basis, lambda act: act.rename(data.agency, data.code, data.name or ""))


async def merge(call: Call) -> Reply:
    """Makes one agency of several."""
    data = check_body(MergeInput, call.body)
    return await _done(call, data.basis, lambda act: act.merge(data.agencies, data.into, data.name or "", data.units))


async def split(call: Call) -> Reply:
    """Makes several agencies of one."""
    data = check_body(SplitInput, call.body)
    parts = [
        Part(part.code, part.name or "", tuple(part.units), tuple(part.networks), tuple(part.rules))
        for part in data.parts
    ]
    rest = data.rest or data.agency
    return await _done(call, data.basis, lambda act: act.split(data.agency, parts, rest, copy_rules=data.copy_rules))


async def listed(call: Call) -> Reply:
    """The history, the oldest first."""
    query = call.query_as(PageQuery)
    after = SuccessionRow.id > decode_cursor(query.cursor)
    statement = select(SuccessionRow).where(after).order_by(SuccessionRow.id).limit(query.limit + 1)
    async with reading(call.services.sessions) as session:
        rows = list((await session.scalars(statement)).all())
    cursor = encode_cursor(rows[query.limit - 1].id) if len(rows) > query.limit else None
    page = PAGE(items=[show(row) for row in rows[: query.limit]], next_cursor=cursor)
    return Reply(page, headers=next_link(call.address, call.raw_query, cursor))


def show(row: SuccessionRow) -> SuccessionOutput:
    """The row as clients see it."""
    sides = [
        (part.heir, SuccessionSide(agency_id=part.agency_id, code=part.code, name=part.name)) for part in row.parts
    ]
    return SuccessionOutput(
        id=row.id,
        kind=Kind(row.kind),
        at=instant(row.at_s),
        before=[side for heir, side in sides if not heir],
        after=[side for heir, side in sides if heir],
        units={unit.before: unit.after for unit in row.units},
        basis=basis_of(row),
        author=row.author,
    )


async def _done(call: Call, basis: Basis, act: Callable[[Reorganisation], Awaitable[None]]) -> Reply:
    async def work(session: AsyncSession) -> tuple[list[str], list[Act]]:
        reorganisation = Reorganisation(session, call.editor, basis)
        await act(reorganisation)
        return reorganisation.ledger.warnings, reorganisation.ledger.acts

    dry_run = call.query_as(DryRun).dry_run
    done, headers = await edit_many(call, work, apply=not dry_run)
    shown = SuccessionDone(
        applied=done.applied,
        acts=[
            SuccessionAct(
                action=one.action,
                kind=one.kind,
                id=one.resource_id,
                label=one.label,
                before=one.before,
                after=one.after,
            )
            for one in done.acts
        ],
        warnings=[*done.result, *done.warnings],
    )
    return Reply(shown, headers=headers)


PAGE: type[BaseModel] = page_of(SuccessionOutput)


def _route(name: str, summary: str, handle: Callable[[Call], Awaitable[Reply]], body: type[BaseModel]) -> Route:
    return Route("POST", f"{PATH}/{name}", "successions", summary, handle, Scope.POLICY_WRITE, f"{name}_agencies",
                 response=SuccessionDone, query_schema=DryRun, body=body, publishes=True,
                 errors=(HTTPStatus.CONFLICT,),
                 description="Shows what would be done unless dry_run is false. Rows of the query log keep their code; "
                             "reports count them by this history.")  # fmt: skip


ROUTES = (
    Route("GET", PATH, "successions", "What became of agencies", listed, Scope.POLICY_READ, "list_successions",
          response=PAGE, query_schema=PageQuery, paged=True, for_agencies=True),
    _route("rename", "Rename an agency", rename, RenameInput),
    _route("merge", "Merge agencies", merge, MergeInput),
    _route("split", "Split an agency", split, SplitInput),
)  # fmt: skip
