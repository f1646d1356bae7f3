"""Holidays and joint leave: days on which schedules that skip them do not hold."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import HolidayRow
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.paging import PageQuery
from admin_api.rest.resource import Resource, Stamped
from admin_api.rest.route import API, Editor
from admin_api.schemas import QueryYear, Strict, instant


class HolidayInput(Strict):
    """A holiday."""

    date: f.IsoDate
    title: f.Title
    joint_leave: bool = False
    """Joint leave (*cuti bersama*), by which not every schedule is closed."""


class HolidayOutput(HolidayInput, Stamped):
    """A holiday as stored."""

    imported: bool
    """By the program, and edited by nobody since: the next import may correct it."""


class HolidayQuery(PageQuery):
    """Which holidays."""

    year: QueryYear | None = None


async def fill(_session: AsyncSession, row: HolidayRow, data: HolidayInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    row.date = data.date
    row.title = data.title
    row.joint_leave = data.joint_leave
    row.imported = False


def show(row: HolidayRow) -> HolidayOutput:
    """The row as clients see it."""
    return HolidayOutput(
        id=row.id,
        date=row.date,
        title=row.title,
        joint_leave=row.joint_leave,
        imported=row.imported,
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


def conditions(query: PageQuery) -> list[ColumnElement[bool]]:
    """The filter that a query asks for."""
    if isinstance(query, HolidayQuery) and query.year is not None:
        return [HolidayRow.date.between(f"{query.year:04d}-01-01", f"{query.year:04d}-12-31")]
    return []


RESOURCE = Resource(
    kind="holiday",
    plural="holidays",
    path=f"{API}/holidays",
    row=HolidayRow,
    input=HolidayInput,
    output=HolidayOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.date,
    unique=(("date",),),
    query=HolidayQuery,
    conditions=conditions,
)
ROUTES = crud_routes(RESOURCE)
