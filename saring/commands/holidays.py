"""``saring holidays``."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import click

from saring.commands.common import fail, json_option, print_json, print_rich
from saring.commands.database import with_control

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.bulk import Outcome
    from admin_api.holiday_import import Day
    from admin_api.journal import Act
    from saring.control import Control


@click.group()
def holidays() -> None:
    """National holidays and joint leave, by which schedules are closed."""


@holidays.command("import")
@click.argument("year", type=click.IntRange(1970, 2100))
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@json_option
@click.pass_context
def import_(context: click.Context, year: int, dry_run: bool, as_json: bool) -> None:
    """Enter Indonesia's holidays and joint leave of YEAR. What people wrote, edited or deleted stays as it is."""
    from admin_api.bulk import BulkRefusedError, run_bulk
    from admin_api.holiday_import import import_holidays
    from admin_api.national_holidays import national_holidays
    from saring.people import local_actor

    known = national_holidays(year)
    now_s = time.time()

    async def work(session: AsyncSession) -> tuple[tuple[Day, ...], list[Act]]:
        return await import_holidays(session, year, known, int(now_s))

    async def run(control: Control) -> Outcome[tuple[Day, ...]]:
        return await run_bulk(control.sessions, work, local_actor(), now_s, apply=not dry_run)

    try:
        done = with_control(context, run)
    except BulkRefusedError as error:
        fail(str(error))
    joint_leave_known = any(day.joint_leave for day in known)
    if as_json:
        days = [dataclasses.asdict(day) for day in done.result]
        print_json({"year": year, "applied": done.applied, "joint_leave_known": joint_leave_known, "items": days})
        return
    _show(done.result)
    click.echo(_summary(done, dry_run))
    if not joint_leave_known:
        click.echo(f"nothing is known of the joint leave of {year}: enter it when the ministers have decreed it")


def _show(days: tuple[Day, ...]) -> None:
    from rich.table import Table

    table = Table("date", "", "holiday", "", box=None, header_style="bold", pad_edge=False)
    for day in days:
        notes = [note for note, holds in (("joint leave", day.joint_leave), ("estimated", day.estimated)) if holds]
        if day.was:
            notes.append(f"{'known as' if day.fate.value == 'edited' else 'was'}: {day.was}")
        table.add_row(day.date, day.fate.value, day.title, "; ".join(notes))
    print_rich(table)


def _summary(done: Outcome[tuple[Day, ...]], dry_run: bool) -> str:
    if not done.acts:
        return "nothing to do"
    return f"{len(done.acts)} days {'would be' if dry_run else 'were'} entered, changed or removed"
