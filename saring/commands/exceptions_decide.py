"""``saring exceptions approve``, ``deny``, ``revoke`` and ``withdraw``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import json_option, print_json
from saring.commands.fields import CODE, INSTANT
from saring.commands.letter_options import basis_of_options, letter_options
from saring.person_edit import edit_beside, edit_in_policy

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.journal import Act, Actor
    from admin_api.models import ExceptionRow
    from saring.control import Control

    Decide = Callable[[AsyncSession, int, str, str, float], Awaitable[tuple[ExceptionRow, Act]]]

_NUMBER = click.argument("number", type=click.IntRange(min=1))


@click.command()
@_NUMBER
@click.option("--target", help="Less than was asked for, such as name:www.x.example.")
@click.option("--scope", help="For fewer people than was asked for: AGENCY or AGENCY/UNIT.")
@click.option("--days", type=click.FloatRange(1 / 288, 1096), help="For a shorter time than was asked for.")
@click.option("--schedule", type=CODE, help="Only while this schedule is open.")
@click.option("--starts", type=INSTANT, help="Later than was asked for.")
@click.option("--note", default="", help="For whoever asked.")
@letter_options
@json_option
@click.pass_context
def approve(
    context: click.Context,
    number: int,
    target: str | None,
    scope: str | None,
    days: float | None,
    schedule: str | None,
    starts: float | None,
    note: str,
    letter: str,
    letter_date: str | None,
    signer: str,
    document: Path | None,
    as_json: bool,
) -> None:
    """Approve the exception NUMBER, which another person asked for; perhaps less than that."""
    from admin_api.exceptions import Granted, approve_exception
    from saring.exception_view import scope_named, target_named, told, view_of

    wanted = target_named(target) if target is not None else None
    basis = basis_of_options(letter, letter_date, signer, document)

    async def work(session: AsyncSession, actor: Actor, control: Control, now_s: float) -> tuple[dict[str, Any], Act]:
        granted = Granted(
            scope=await scope_named(session, scope, None) if scope is not None else None,
            target=wanted,
            duration_s=None if days is None else int(days * 86_400),
            schedule=schedule,
            starts_s=None if starts is None else int(starts),
            basis=basis,
            note=note,
        )
        row, act = await approve_exception(session, number, granted, actor.login, now_s, control.library)
        return await view_of(session, row, now_s), act

    found, in_force = edit_in_policy(context, work)
    if as_json:
        print_json(found)
        return
    click.echo("\n".join(told(found)))
    click.echo(in_force)


@click.command()
@_NUMBER
@click.option("--reason", required=True, help="For whoever asked.")
@json_option
@click.pass_context
def deny(context: click.Context, number: int, reason: str, as_json: bool) -> None:
    """Deny the request NUMBER."""
    from admin_api.exceptions import deny_exception

    _shown(edit_beside(context, _deciding(deny_exception, number, reason)), "", as_json)


@click.command()
@_NUMBER
@click.option("--reason", required=True, help="Why it is not needed any more.")
@json_option
@click.pass_context
def withdraw(context: click.Context, number: int, reason: str, as_json: bool) -> None:
    """Take back your own request NUMBER before it is decided."""
    from admin_api.exceptions import withdraw_exception

    _shown(edit_beside(context, _deciding(withdraw_exception, number, reason)), "", as_json)


@click.command()
@_NUMBER
@click.option("--reason", required=True, help="Why it ends before its time.")
@json_option
@click.pass_context
def revoke(context: click.Context, number: int, reason: str, as_json: bool) -> None:
    """End the approved exception NUMBER at once."""
    from admin_api.exceptions import revoke_exception

    found, in_force = edit_in_policy(context, _deciding(revoke_exception, number, reason))
    _shown(found, in_force, as_json)


def _deciding(
    decide: Decide, number: int, reason: str
) -> Callable[[AsyncSession, Actor, Control, float], Awaitable[tuple[dict[str, Any], Act]]]:
    from saring.exception_view import view_of

    if not reason.strip() or not reason.isprintable() or len(reason) > 1_000:
        raise click.UsageError("--reason must be a text of 1 to 1000 printable characters")

    async def work(session: AsyncSession, actor: Actor, control: Control, now_s: float) -> tuple[dict[str, Any], Act]:
        row, act = await decide(session, number, reason, actor.login, now_s)
        await session.flush()
        return await view_of(session, row, now_s), act

    return work


def _shown(found: dict[str, Any], in_force: str, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(f"exception {found['id']} is {found['state']}{f'; {in_force}' if in_force else ''}")
