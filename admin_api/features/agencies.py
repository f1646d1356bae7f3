"""Agencies (*perangkat daerah*)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.history import why_retired
from admin_api.models import AgencyRow, DeviceRow, NetworkRow, RuleRow, ScheduleOverrideRow, Token, UnitRow
from admin_api.models.tenants import forwarder_agency
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.resource import Reference, Resource, Stamped, keep
from admin_api.rest.route import API, Editor
from admin_api.schemas import Strict, instant


class AgencyInput(Strict):
    """An agency."""

    code: f.Code
    """For good: logs and documents refer to it. `POST /successions/rename` gives another."""
    name: f.Title
    allow_list_only: bool = False
    """Everything that no rule allows is blocked."""


class AgencyOutput(AgencyInput, Stamped):
    """An agency as stored."""


async def fill(session: AsyncSession, row: AgencyRow, data: AgencyInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    keep(row, row.code, data.code, "code")
    if row.id is None:
        await refuse_retired(session, data.code)
    row.code = data.code
    row.name = data.name
    row.allow_list_only = data.allow_list_only


async def refuse_retired(session: AsyncSession, code: str) -> None:
    """Raises a 422 problem for a code that an agency had which was renamed, merged or split."""
    why = await why_retired(session, code)
    if why:
        raise invalid(FieldError(field="code", message=why, value=code, expected="a code that was never used"))


def show(row: AgencyRow) -> AgencyOutput:
    """The row as clients see it."""
    return AgencyOutput(
        id=row.id,
        code=row.code,
        name=row.name,
        allow_list_only=row.allow_list_only,
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


RESOURCE = Resource(
    kind="agency",
    plural="agencies",
    path=f"{API}/agencies",
    row=AgencyRow,
    input=AgencyInput,
    output=AgencyOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.code,
    unique=(("code",),),
    references=(
        Reference("unit", UnitRow.agency_id, UnitRow.id),
        Reference("network", NetworkRow.agency_id, NetworkRow.id),
        Reference("forwarder", forwarder_agency.c.agency_id, forwarder_agency.c.forwarder_id),
        Reference("device", DeviceRow.agency_id, DeviceRow.id),
        Reference("rule", RuleRow.agency_id, RuleRow.id),
        Reference("schedule-override", ScheduleOverrideRow.agency_id, ScheduleOverrideRow.id),
        Reference("token", Token.agency_id, Token.id),
    ),
    visible=lambda agency_id: AgencyRow.id == agency_id,
)
ROUTES = crud_routes(RESOURCE)
