"""``saring exceptions``: what is let through for a while; one person asks, another decides."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import fail, json_option, print_json, print_rich
from saring.commands.database import with_control
from saring.commands.exceptions_decide import approve, deny, revoke, withdraw
from saring.commands.fields import CODE, INSTANT
from saring.commands.letter_options import basis_of_options, letter_options
from saring.person_edit import edit_beside

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.journal import Act, Actor
    from saring.control import Control

STATES = ("requested", "approved", "denied", "revoked", "expired", "withdrawn")


@click.group()
def exceptions() -> None:
    """What is let through for a while, against the rules; one person asks for it, another decides."""


exceptions.add_command(approve)
exceptions.add_command(deny)
exceptions.add_command(revoke)
exceptions.add_command(withdraw)


@exceptions.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@json_option
@click.pass_context
def list_(context: click.Context, state: str | None, as_json: bool) -> None:
    """List exceptions and requests, the newest last."""
    from sqlalchemy import select

    from admin_api.database import reading
    from admin_api.exception_state import ExceptionState, in_state
    from admin_api.models import ExceptionRow
    from saring.exception_view import view_of

    async def work(control: Control) -> list[dict[str, Any]]:
        statement = select(ExceptionRow).order_by(ExceptionRow.id)
        if state is not None:
            statement = statement.where(in_state(ExceptionState(state), time.time()))
        async with reading(control.sessions) as session:
            return [await view_of(session, row, time.time()) for row in (await session.scalars(statement)).all()]

    found = with_control(context, work)
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    head = ("exception", "state", "for", "lets through", "asked for by", "decided by", "until", "because")
    table = Table(*head, box=None, header_style="bold", pad_edge=False)
    for one in found:
        until = one["valid_until"] or "-"
        decided = one["decided_by"] or "-"
        table.add_row(
            str(one["id"]), one["state"], one["for"], one["lets"], one["requested_by"], decided, until, one["reason"]
        )
    print_rich(table)


@exceptions.command()
@click.argument("number", type=click.IntRange(min=1))
@json_option
@click.pass_context
def show(context: click.Context, number: int, as_json: bool) -> None:
    """Show the exception NUMBER from request to end, and what there is to consider."""
    from admin_api.database import reading
    from admin_api.exceptions import find_exception
    from saring.exception_view import considered

    async def work(control: Control) -> dict[str, Any]:
        async with reading(control.sessions) as session:
            return await considered(session, await find_exception(session, number), control.library, time.time())

    try:
        found = with_control(context, work)
    except LookupError as error:
        fail(str(error))
    if as_json:
        print_json(found)
        return
    from saring.exception_view import told

    click.echo("\n".join(told(found)))


@exceptions.command()
@click.argument("target")
@click.option("--scope", help="For whom: regency, AGENCY or AGENCY/UNIT. Default: whose the --client is.")
@click.option("--client", help="The address from which it was missed.")
@click.option("--days", type=click.FloatRange(1 / 288, 1096), required=True, help="For how long; 0.5 is twelve hours.")
@click.option("--reason", required=True, help="What for; the second person reads it.")
@click.option("--contact", required=True, help="How to reach whoever asks.")
@click.option("--schedule", type=CODE, help="Only while this schedule is open.")
@click.option("--starts", type=INSTANT, help="From when on. Default: as soon as it is approved.")
@letter_options
@json_option
@click.pass_context
def request(
    context: click.Context,
    target: str,
    scope: str | None,
    client: str | None,
    days: float,
    reason: str,
    contact: str,
    schedule: str | None,
    starts: float | None,
    letter: str,
    letter_date: str | None,
    signer: str,
    document: Path | None,
    as_json: bool,
) -> None:
    """Ask to let TARGET through: service:tiktok, category:gim, wildcard:x.example, name:www.x.example, list:CODE ...

    Another person must approve it before it is in force.
    """
    from admin_api.exceptions import Asked, request_exception
    from admin_api.schemas import Basis
    from saring.exception_view import considered, scope_named, target_named, told

    if scope is None and client is None:
        raise click.UsageError("give --scope or --client: for whom it is")
    wanted = target_named(target)
    basis = basis_of_options(letter, letter_date, signer, document) or Basis()

    async def work(session: AsyncSession, actor: Actor, control: Control, now_s: float) -> tuple[dict[str, Any], Act]:
        asked = Asked(
            scope=await scope_named(session, scope, client),
            target=wanted,
            duration_s=int(days * 86_400),
            reason=reason,
            contact=contact,
            client=client or "",
            schedule=schedule or "",
            starts_s=None if starts is None else int(starts),
            basis=basis,
        )
        row, act = await request_exception(session, asked, actor.login, now_s)
        return await considered(session, row, control.library, now_s), act

    found = edit_beside(context, work)
    if as_json:
        print_json(found)
        return
    click.echo("\n".join(told(found)))
    click.echo(f"another person approves it with `saring exceptions approve {found['id']}`")
