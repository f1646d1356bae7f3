"""``saring token``."""

from __future__ import annotations

import dataclasses
import datetime
import secrets
import time

import click

from saring.commands.common import fail, json_option, print_json, print_rich
from saring.commands.database import with_control
from saring.commands.fields import CODE, INSTANT, TITLE


@click.group()
def token() -> None:
    """Bearer tokens of the API."""


@token.command("list")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List all tokens. Their secrets are not kept, so none is shown."""
    from saring.people import list_tokens

    tokens = with_control(context, lambda control: list_tokens(control.sessions))
    if as_json:
        print_json([dataclasses.asdict(one) for one in tokens])
        return
    from rich.table import Table

    table = Table(
        "id", "user", "title", "scopes", "agency", "expires", "last used", box=None, header_style="bold", pad_edge=False
    )
    for one in tokens:
        scopes = " ".join(one.scopes)
        table.add_row(
            str(one.id), one.login, one.title, scopes, one.agency or "-", _day(one.expires_s), _day(one.last_used_s)
        )
    print_rich(table)


@token.command()
@click.argument("login", type=CODE)
@click.option("--title", type=TITLE, default="command line", show_default=True, help="What it is for.")
@click.option(
    "--scope", "scopes", multiple=True, required=True, help="What it may do, for example admin or queries:read; repeat."
)
@click.option("--agency", type=CODE, default=None, help="Restrict it to one agency.")
@click.option("--expires", type=INSTANT, help="When it ends, for example 2027-01-01. Default: never.")
@json_option
@click.pass_context
def create(
    context: click.Context,
    login: str,
    title: str,
    scopes: tuple[str, ...],
    agency: str | None,
    expires: float | None,
    as_json: bool,
) -> None:
    """Make a token in the name of the user LOGIN. Its secret is shown this once."""
    from admin_api.rest.auth import SECRET_SIZE_BYTES
    from saring.people import NewToken, PeopleError, create_token

    now_s = time.time()
    if expires is not None and expires <= now_s:
        raise click.UsageError("--expires has passed; name a time to come")
    wanted = NewToken(login, title, scopes, agency or "", int(expires) if expires is not None else None)
    random = secrets.token_bytes(SECRET_SIZE_BYTES)
    try:
        number, secret = with_control(context, lambda control: create_token(control.sessions, wanted, random, now_s))
    except PeopleError as error:
        fail(str(error))
    if as_json:
        print_json({"id": number, "secret": secret})
        return
    click.echo(f"token {number} of {login}; its secret is shown this once:", err=True)
    click.echo(secret)


@token.command()
@click.argument("token_id", type=click.IntRange(min=1), metavar="ID")
@click.pass_context
def revoke(context: click.Context, token_id: int) -> None:
    """End the token ID, now and for good."""
    from saring.people import PeopleError, revoke_token

    try:
        title = with_control(context, lambda control: revoke_token(control.sessions, token_id, time.time()))
    except PeopleError as error:
        fail(str(error))
    click.echo(f"token {token_id} ({title}) revoked")


def _day(then_s: int | None) -> str:
    if then_s is None:
        return "never"
    return datetime.datetime.fromtimestamp(then_s).astimezone().strftime("%Y-%m-%d %H:%M")
