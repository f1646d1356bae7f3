"""``saring lists accept``, ``approve``, ``withdraw`` and ``overrides``: two people let in what the gate refused."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.database import with_control
from saring.commands.fields import CODE

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.journal import Actor
    from admin_api.models import ListOverride
    from saring.control import Control


@click.command()
@click.argument("code", type=CODE)
@click.option("--reason", required=True, help="Why the content is right nevertheless; the second person reads it.")
@click.option("--sha256", help="Of the content, to be sure; default: what is refused at present.")
@click.option("--days", type=click.FloatRange(1 / 24, 14), default=3.0, show_default=True, help="Valid for so long.")
@json_option
@click.pass_context
def accept(context: click.Context, code: str, reason: str, sha256: str | None, days: float, as_json: bool) -> None:
    """Ask to let in the content of the list CODE that is refused at present. Another person must approve it."""
    from sqlalchemy import select

    from admin_api.models import Blocklist
    from admin_api.overrides import OverrideRefusedError, request_override
    from blocklists.library import Library

    if not reason.strip() or not reason.isprintable() or len(reason) > 1_000:
        raise click.UsageError("--reason must be a text of 1 to 1000 printable characters")
    library = Library(state_of(load_config(context)).lists)

    async def work(session: AsyncSession, actor: Actor, now_s: float) -> ListOverride:
        blocklist = await session.scalar(select(Blocklist).where(Blocklist.code == code))
        if blocklist is None:
            raise OverrideRefusedError(f"there is no list {code}; `saring lists list` shows all")
        refusal = library.state(code).refusal
        valid_s = int(days * 86_400)
        return await request_override(session, blocklist, refusal, sha256, reason, actor, now_s, valid_s)

    document = _edit(context, work)
    if as_json:
        print_json(document)
        return
    click.echo(f"override {document['id']} of {code} waits: {document['refusal']}")
    click.echo(f"another person approves it with `saring lists approve {document['id']}`")


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@json_option
@click.pass_context
def approve(context: click.Context, number: int, as_json: bool) -> None:
    """Approve the override NUMBER, which another person asked for. The list is then fetched again."""
    from admin_api.overrides import approve_override
    from saring.sync_request import request_sync

    async def work(session: AsyncSession, actor: Actor, now_s: float) -> ListOverride:
        return await approve_override(session, number, actor, now_s)

    document = _edit(context, work)
    state = state_of(load_config(context))
    if state.run.is_dir():
        request_sync(state, document["list"])
    if as_json:
        print_json(document)
        return
    click.echo(
        f"override {number} is approved; `saring lists sync {document['list']}` (or a running Saring) uses it now"
    )


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@json_option
@click.pass_context
def withdraw(context: click.Context, number: int, as_json: bool) -> None:
    """Take back the override NUMBER before it is used."""
    from admin_api.overrides import withdraw_override

    async def work(session: AsyncSession, actor: Actor, now_s: float) -> ListOverride:
        return await withdraw_override(session, number, actor, now_s)

    document = _edit(context, work)
    if as_json:
        print_json(document)
    else:
        click.echo(f"override {number} is withdrawn")


@click.command()
@json_option
@click.pass_context
def overrides(context: click.Context, as_json: bool) -> None:
    """List what people asked to let in, and what became of it, the newest last."""
    from sqlalchemy import select

    from admin_api.database import reading
    from admin_api.models import ListOverride

    async def work(control: Control) -> list[dict[str, Any]]:
        async with reading(control.sessions) as session:
            rows = (await session.scalars(select(ListOverride).order_by(ListOverride.id))).all()
            return [_document(row, time.time()) for row in rows]

    found = with_control(context, work)
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    table = Table(
        *("override", "list", "state", "asked for by", "approved by", "because", "what the gate said"),
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for one in found:
        table.add_row(
            str(one["id"]),
            one["list"],
            one["state"],
            one["requested_by"],
            one["approved_by"] or "-",
            one["reason"],
            one["refusal"],
        )
    print_rich(table)


def _edit(
    context: click.Context, work: Callable[[AsyncSession, Actor, float], Awaitable[ListOverride]]
) -> dict[str, Any]:
    from admin_api.database import editing
    from admin_api.overrides import OverrideRefusedError
    from saring import people

    async def run(control: Control) -> dict[str, Any]:
        now_s = time.time()
        async with editing(control.sessions) as session:
            return _document(await work(session, people.local_person(), now_s), now_s)

    try:
        return with_control(context, run)
    except (OverrideRefusedError, LookupError) as error:
        fail(str(error))


def _document(row: ListOverride, now_s: float) -> dict[str, Any]:
    from admin_api.override_state import state_of as override_state

    return {
        "id": row.id,
        "list": row.blocklist.code,
        "state": override_state(row, now_s).value,
        "sha256": row.sha256,
        "refusal_code": row.refusal_code,
        "refusal": row.refusal,
        "reason": row.reason,
        "requested_by": row.requested_by,
        "requested_s": row.requested_s,
        "expires_s": row.expires_s,
        "approved_by": row.approved_by,
        "approved_s": row.approved_s,
        "withdrawn_by": row.withdrawn_by,
        "used_s": row.used_s,
        "used_version": row.used_version,
    }
