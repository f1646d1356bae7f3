"""Overrides: agencies and units that read a schedule in their own way (other hours, or work in shifts)."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.features.rule_schemas import RuleScope
from admin_api.models import AgencyRow, ScheduleOverrideRow, ScheduleRow, UnitRow
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.resource import Resource, Stamped, require, require_code
from admin_api.rest.route import API, Editor
from admin_api.schemas import Strict, instant
from admin_api.to_policy import scope_of
from policy.model import Reading, ScopeKind


class ScheduleOverrideInput(Strict):
    """How an agency or a unit reads a schedule that rules name; a unit's own goes before its agency's."""

    scope: RuleScope
    """An agency or a unit."""
    schedule: f.Code
    """The code of the schedule that is read otherwise."""
    reading: Reading
    """schedule: as ``other``; always: as open at all hours; never: as never open, so that rules with it do not bind."""
    other: f.Code | None = None
    """The code of the schedule that holds instead; overrides of that one are not followed."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.scope.kind is ScopeKind.REGENCY:
            raise ValueError("scope is an agency or a unit: the regency edits the schedule itself")
        if (self.reading is Reading.SCHEDULE) != (self.other is not None):
            raise ValueError("other is given exactly when reading is schedule")
        if self.other == self.schedule:
            raise ValueError("other is another schedule than the one that is read otherwise")
        return self


class ScheduleOverrideOutput(ScheduleOverrideInput, Stamped):
    """An override as stored."""


async def fill(session: AsyncSession, row: ScheduleOverrideRow, data: ScheduleOverrideInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    agency_id = unit_id = None
    if data.scope.kind is ScopeKind.AGENCY:
        agency_id = (await require(session, AgencyRow, data.scope.id or 0, "scope.id")).id
    else:
        unit_id = (await require(session, UnitRow, data.scope.id or 0, "scope.id")).id
    schedule = await require_code(session, ScheduleRow, data.schedule, "schedule")
    other = await require_code(session, ScheduleRow, data.other, "other") if data.other else None
    # All at once, for a look-up between would write a row that is nobody's.
    row.agency_id, row.unit_id = agency_id, unit_id
    row.schedule, row.schedule_id, row.other = schedule, schedule.id, other
    row.reading = data.reading.value


def show(row: ScheduleOverrideRow) -> ScheduleOverrideOutput:
    """The row as clients see it."""
    scope = scope_of(row)
    return ScheduleOverrideOutput(
        id=row.id,
        scope=RuleScope(kind=scope.kind, id=scope.id),
        schedule=row.schedule.code,
        reading=Reading(row.reading),
        other=row.other.code if row.other else None,
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


def visible(agency_id: int) -> ColumnElement[bool]:
    """An agency's own and its units'."""
    units = select(UnitRow.id).where(UnitRow.agency_id == agency_id)
    return or_(ScheduleOverrideRow.agency_id == agency_id, ScheduleOverrideRow.unit_id.in_(units))


def label(row: ScheduleOverrideRow) -> str:
    """Whose override of which schedule, for the journal."""
    scope = scope_of(row)
    return f"{row.schedule.code} of {scope.kind} {scope.id}"


RESOURCE = Resource(
    kind="schedule-override",
    plural="schedule-overrides",
    path=f"{API}/schedule-overrides",
    row=ScheduleOverrideRow,
    input=ScheduleOverrideInput,
    output=ScheduleOverrideOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=label,
    unique=(("agency_id", "schedule_id"), ("unit_id", "schedule_id")),
    visible=visible,
)
ROUTES = crud_routes(RESOURCE)
