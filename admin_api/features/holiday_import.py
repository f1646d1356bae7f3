"""Entering a year's national holidays and joint leave, as the program knows them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.holiday_import import Day, Fate, import_holidays
from admin_api.journal import Act
from admin_api.national_holidays import FIRST_YEAR, LAST_YEAR, national_holidays
from admin_api.rest.auth import Scope
from admin_api.rest.edit import edit_many
from admin_api.rest.route import API, Call, Digits, Parameters, Reply, Route
from admin_api.schemas import Strict


class HolidayImportQuery(Parameters):
    """Which year, and whether to write."""

    year: Annotated[Digits, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    dry_run: Annotated[bool, Field(strict=False)] = False
    """Only show what would be done."""


class ImportedDay(Strict):
    """What becomes of one day."""

    fate: Fate
    """create, change, remove; same; edited: as a person wrote it; deleted: by a person, and not entered again."""
    date: f.IsoDate
    title: str
    joint_leave: bool
    estimated: bool
    """By calculation: the government has not decreed it yet."""
    was: str
    """The title before (change), or the one that the program knows (edited)."""


class HolidayImportOutput(Strict):
    """What an import does, or would do."""

    year: int
    applied: bool
    joint_leave_known: bool
    """false: nothing is known of this year's joint leave; enter it when it is decreed."""
    items: list[ImportedDay]


async def import_year(call: Call) -> Reply:
    """Enters a year's days; what people edited stays as it is."""
    query = call.query_as(HolidayImportQuery)
    known = await asyncio.to_thread(national_holidays, query.year)

    async def work(session: AsyncSession) -> tuple[tuple[Day, ...], list[Act]]:
        return await import_holidays(session, query.year, known, int(call.now_s()))

    done, headers = await edit_many(call, work, apply=not query.dry_run)
    shown = HolidayImportOutput(
        year=query.year,
        applied=done.applied,
        joint_leave_known=any(day.joint_leave for day in known),
        items=[
            ImportedDay(
                fate=day.fate,
                date=day.date,
                title=day.title,
                joint_leave=day.joint_leave,
                estimated=day.estimated,
                was=day.was,
            )
            for day in done.result
        ],
    )
    return Reply(shown, headers=headers)


ROUTES = (
    Route("POST", f"{API}/holidays/import", "holidays", "Enter a year's national holidays and joint leave",
          import_year, Scope.POLICY_WRITE, "import_holidays", response=HolidayImportOutput,
          query_schema=HolidayImportQuery, publishes=True,
          description="Rows that people wrote, edited or deleted stay as they are; what earlier imports entered is "
                      "brought up to date."),
)  # fmt: skip
