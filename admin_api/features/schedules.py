"""Schedules: the hours in which rules hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import RuleRow, ScheduleOverrideRow, ScheduleRow
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.resource import Reference, Resource, Stamped, keep
from admin_api.rest.route import API, Editor
from admin_api.schedule_schemas import Periods, Window, periods_of, put_periods, put_windows, windows_of
from admin_api.schemas import Strict, instant


class ScheduleInput(Strict):
    """A schedule: rules with it hold inside any of its windows."""

    code: f.Code
    """For good: documents refer to it."""
    title: f.Title
    zone: f.Zone = "Asia/Jakarta"
    """The time zone of its windows."""
    skip_holidays: bool = False
    """On holidays the rule does not hold."""
    skip_joint_leave: bool = True
    """With skip_holidays: nor on days of joint leave."""
    windows: Annotated[list[Window], Field(min_length=1, max_length=f.MAX_WINDOWS)]
    periods: Periods = Field(default_factory=list)
    """Days with windows of their own, as in Ramadan; the first that holds the day goes before ``windows``."""


class ScheduleOutput(ScheduleInput, Stamped):
    """A schedule as stored."""


async def fill(_session: AsyncSession, row: ScheduleRow, data: ScheduleInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    keep(row, row.code, data.code, "code")
    row.code = data.code
    row.title = data.title
    row.zone = data.zone
    row.skip_holidays = data.skip_holidays
    row.skip_joint_leave = data.skip_joint_leave
    put_windows(row, data.windows)
    put_periods(row, data.periods)


def show(row: ScheduleRow) -> ScheduleOutput:
    """The row as clients see it."""
    return ScheduleOutput(
        id=row.id,
        code=row.code,
        title=row.title,
        zone=row.zone,
        skip_holidays=row.skip_holidays,
        skip_joint_leave=row.skip_joint_leave,
        windows=windows_of(row.windows),
        periods=periods_of(row),
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


RESOURCE = Resource(
    kind="schedule",
    plural="schedules",
    path=f"{API}/schedules",
    row=ScheduleRow,
    input=ScheduleInput,
    output=ScheduleOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.code,
    unique=(("code",),),
    references=(
        Reference("rule", RuleRow.schedule_id, RuleRow.id),
        Reference("schedule-override", ScheduleOverrideRow.schedule_id, ScheduleOverrideRow.id),
        Reference("schedule-override", ScheduleOverrideRow.other_id, ScheduleOverrideRow.id),
    ),
)
ROUTES = crud_routes(RESOURCE)
