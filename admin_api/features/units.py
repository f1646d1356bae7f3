"""Units: parts of an agency with networks of their own."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import AgencyRow, DeviceRow, NetworkRow, RuleRow, ScheduleOverrideRow, UnitRow
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.paging import PageQuery
from admin_api.rest.resource import Reference, Resource, Stamped, keep, require
from admin_api.rest.route import API, Editor
from admin_api.schemas import Id, QueryId, Strict, instant


class UnitInput(Strict):
    """A unit."""

    agency_id: Id
    """For good; a unit does not move to another agency."""
    code: f.Code
    """Unique within the agency, and for good."""
    name: f.Title
    allow_list_only: bool = False
    """Everything that no rule allows is blocked."""


class UnitOutput(UnitInput, Stamped):
    """A unit as stored."""


class UnitQuery(PageQuery):
    """Which units."""

    agency_id: QueryId | None = None


async def fill(session: AsyncSession, row: UnitRow, data: UnitInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    keep(row, row.code, data.code, "code")
    keep(row, row.agency_id, data.agency_id, "agency_id")
    await require(session, AgencyRow, data.agency_id, "agency_id")
    row.agency_id = data.agency_id
    row.code = data.code
    row.name = data.name
    row.allow_list_only = data.allow_list_only


def show(row: UnitRow) -> UnitOutput:
    """The row as clients see it."""
    return UnitOutput(
        id=row.id,
        agency_id=row.agency_id,
        code=row.code,
        name=row.name,
        allow_list_only=row.allow_list_only,
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


def conditions(query: PageQuery) -> list[ColumnElement[bool]]:
    """The filter that a query asks for."""
    if isinstance(query, UnitQuery) and query.agency_id is not None:
        return [UnitRow.agency_id == query.agency_id]
    return []


RESOURCE = Resource(
    kind="unit",
    plural="units",
    path=f"{API}/units",
    row=UnitRow,
    input=UnitInput,
    output=UnitOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.code,
    unique=(("agency_id", "code"),),
    references=(
        Reference("network", NetworkRow.unit_id, NetworkRow.id),
        Reference("device", DeviceRow.unit_id, DeviceRow.id),
        Reference("rule", RuleRow.unit_id, RuleRow.id),
        Reference("schedule-override", ScheduleOverrideRow.unit_id, ScheduleOverrideRow.id),
    ),
    query=UnitQuery,
    conditions=conditions,
    visible=lambda agency_id: UnitRow.agency_id == agency_id,
)
ROUTES = crud_routes(RESOURCE)
