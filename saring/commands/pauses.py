"""``saring pause`` and ``saring pauses``: an agency or unit let off for some minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import json_option, print_json, print_rich
from saring.commands.database import with_control
from saring.person_edit import edit_in_policy

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.journal import Act, Actor
    from saring.control import Control


@click.command()
@click.argument("tenant", metavar="AGENCY[/UNIT]")
@click.argument("minutes", type=click.IntRange(1, 480))
@click.option("--reason", required=True, help="Why; it is kept in the journal.")
@json_option
@click.pass_context
def pause(context: click.Context, tenant: str, minutes: int, reason: str, as_json: bool) -> None:
    """Let an agency or unit off for MINUTES (5 or 30, say): its clients are bound by mandatory rules and by lists of
    negative content only. It ends by itself.
    """
    from admin_api.features.pauses import show
    from admin_api.pauses import begin_pause
    from saring.exception_view import tenant_named

    if not reason.strip() or not reason.isprintable() or len(reason) > 1_000:
        raise click.UsageError("--reason must be a text of 1 to 1000 printable characters")

    async def work(session: AsyncSession, actor: Actor, control: Control, now_s: float) -> tuple[dict[str, Any], Act]:
        whom = await tenant_named(session, tenant)
        row, act = await begin_pause(session, whom, minutes, reason, actor.login, now_s)
        return (await show(session, row, now_s)).model_dump(mode="json"), act

    found, in_force = edit_in_policy(context, work)
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['tenant']} is let off until {found['until']} (pause {found['id']}); {in_force}")


@click.group(invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@json_option
@click.pass_context
def pauses(context: click.Context, everything: bool, as_json: bool) -> None:
    """Show who is let off, and until when."""
    if context.invoked_subcommand is not None:
        return
    from sqlalchemy import select

    from admin_api.database import reading
    from admin_api.features.pauses import show
    from admin_api.models import PauseRow

    async def work(control: Control) -> list[dict[str, Any]]:
        now_s = time.time()
        async with reading(control.sessions) as session:
            rows = (await session.scalars(select(PauseRow).order_by(PauseRow.id))).all()
            shown = [await show(session, row, now_s) for row in rows]
        return [one.model_dump(mode="json") for one in shown if everything or one.running]

    found = with_control(context, work)
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    table = Table("pause", "for", "until", "", "by", "because", box=None, header_style="bold", pad_edge=False)
    for one in found:
        over = f"ended by {one['ended_by']}" if one["ended_by"] else "over"
        table.add_row(
            str(one["id"]), one["tenant"], one["until"], "" if one["running"] else over, one["author"], one["reason"]
        )
    print_rich(table)


@pauses.command()
@click.argument("number", type=click.IntRange(min=1))
@json_option
@click.pass_context
def end(context: click.Context, number: int, as_json: bool) -> None:
    """End the pause NUMBER now."""
    from admin_api.features.pauses import show
    from admin_api.pauses import end_pause

    async def work(session: AsyncSession, actor: Actor, control: Control, now_s: float) -> tuple[dict[str, Any], Act]:
        row, act = await end_pause(session, number, actor.login, now_s)
        return (await show(session, row, now_s)).model_dump(mode="json"), act

    found, in_force = edit_in_policy(context, work)
    if as_json:
        print_json(found)
    else:
        click.echo(f"the pause of {found['tenant']} is over; {in_force}")
