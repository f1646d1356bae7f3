"""``saring user``."""

from __future__ import annotations

import dataclasses
import time

import click

from saring.commands.common import fail, json_option, print_json, print_rich
from saring.commands.database import with_control
from saring.commands.fields import CODE, TITLE


@click.group()
def user() -> None:
    """People who use the API."""


@user.command("list")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List all users."""
    from saring.people import list_users

    users = with_control(context, lambda control: list_users(control.sessions))
    if as_json:
        print_json([dataclasses.asdict(one) for one in users])
        return
    from rich.table import Table

    table = Table("login", "name", "active", "tokens", box=None, header_style="bold", pad_edge=False)
    for one in users:
        table.add_row(one.login, one.name, "yes" if one.active else "no", str(one.tokens))
    print_rich(table)


@user.command()
@click.argument("login", type=CODE)
@click.option("--name", type=TITLE, help="The person's name. Default: the login.")
@json_option
@click.pass_context
def create(context: click.Context, login: str, name: str | None, as_json: bool) -> None:
    """Make the user LOGIN. Tokens are made with `saring token create`."""
    from saring.people import PeopleError, create_user

    try:
        number = with_control(context, lambda control: create_user(control.sessions, login, name or login, time.time()))
    except PeopleError as error:
        fail(str(error))
    if as_json:
        print_json({"id": number, "login": login})
    else:
        click.echo(f"user {login} made")


@user.command()
@click.argument("login", type=CODE)
@click.pass_context
def disable(context: click.Context, login: str) -> None:
    """Make all tokens of LOGIN void, until `enable`."""
    _set_active(context, login, False)


@user.command()
@click.argument("login", type=CODE)
@click.pass_context
def enable(context: click.Context, login: str) -> None:
    """Let the tokens of LOGIN count again."""
    _set_active(context, login, True)


def _set_active(context: click.Context, login: str, active: bool) -> None:
    from saring.people import PeopleError, set_active

    try:
        with_control(context, lambda control: set_active(control.sessions, login, active, time.time()))
    except PeopleError as error:
        fail(str(error))
    click.echo(f"user {login} {'enabled' if active else 'disabled'}")
