"""Entering a year's national holidays: what is new, corrected or gone, and what stays as people made it.

A row that a person wrote or edited is theirs, and a day that a person deleted stays deleted; only rows that an import
made and nobody touched since follow the next import (an estimate that the decree moved, say).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.features import holidays
from admin_api.journal import Act, changed
from admin_api.models import Audit, HolidayRow
from admin_api.national_holidays import KnownHoliday
from admin_api.rest.resource import new_row
from admin_api.schemas import as_json

ACTION = "import"  # in the journal, where "delete" is therefore always a person's


class Fate(StrEnum):
    """What an import does with a day."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"  # made by an import, and no longer known
    SAME = "same"
    EDITED = "edited"  # another than known, as a person wrote it: left alone
    DELETED = "deleted"  # a person deleted it: not entered again


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the year; title and kind as they are after the import (before it, for REMOVE)."""

    fate: Fate
    date: str
    title: str
    joint_leave: bool
    estimated: bool = False
    was: str = ""  # the title before, for CHANGE; the known one, for EDITED


async def import_holidays(
    session: AsyncSession, year: int, known: Iterable[KnownHoliday], now_s: int
) -> tuple[tuple[Day, ...], list[Act]]:
    """Writes a year's days; the acts are for the journal."""
    span = (f"{year:04d}-01-01", f"{year:04d}-12-31")
    rows = {row.date: row for row in await session.scalars(select(HolidayRow).where(HolidayRow.date.between(*span)))}
    deleted = await _deleted_by_people(session, span)
    days: list[Day] = []
    acts: list[Act] = []
    wanted = {day.date: day for day in known}
    for date in sorted(wanted.keys() | rows.keys()):
        day, row = wanted.get(date), rows.get(date)
        if day is None:
            if row is not None and row.imported:
                days.append(Day(Fate.REMOVE, date, row.title, row.joint_leave))
                acts.append(Act(ACTION, "holiday", row.id, date, before=as_json(holidays.show(row))))
                await session.delete(row)
        elif row is None and date in deleted:
            days.append(Day(Fate.DELETED, date, day.title, day.joint_leave, day.estimated))
        elif row is None:
            days.append(Day(Fate.CREATE, date, day.title, day.joint_leave, day.estimated))
            acts.append(await _created(session, day, now_s))
        elif (row.title, row.joint_leave) == (day.title, day.joint_leave):
            days.append(Day(Fate.SAME, date, row.title, row.joint_leave, day.estimated))
        elif not row.imported:
            days.append(Day(Fate.EDITED, date, row.title, row.joint_leave, day.estimated, was=day.title))
        else:
            days.append(Day(Fate.CHANGE, date, day.title, day.joint_leave, day.estimated, was=row.title))
            acts.append(_corrected(row, day, now_s))
    return tuple(days), acts


async def _deleted_by_people(session: AsyncSession, span: tuple[str, str]) -> set[str]:
    """Days whose last act in the journal is a person's deletion."""
    of_days = Audit.kind == "holiday", Audit.label.between(*span)
    acts = await session.execute(select(Audit.label, Audit.action).where(*of_days).order_by(Audit.id))
    last: dict[str, str] = dict(acts.all())  # of several acts the last stays
    return {label for label, action in last.items() if action == "delete"}


async def _created(session: AsyncSession, day: KnownHoliday, now_s: int) -> Act:
    row = new_row(HolidayRow, now_s)
    _put(row, day)
    session.add(row)
    await session.flush()
    return Act(ACTION, "holiday", row.id, day.date, after=as_json(holidays.show(row)))


def _corrected(row: HolidayRow, day: KnownHoliday, now_s: int) -> Act:
    before = as_json(holidays.show(row))
    _put(row, day)
    row.version += 1
    row.changed_s = now_s
    was, is_now = changed(before, as_json(holidays.show(row)))
    return Act(ACTION, "holiday", row.id, day.date, was, is_now)


def _put(row: HolidayRow, day: KnownHoliday) -> None:
    row.date = day.date
    row.title = day.title
    row.joint_leave = day.joint_leave
    row.imported = True
