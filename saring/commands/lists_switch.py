"""``saring lists enable`` and ``disable``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from saring.commands.common import fail, json_option, print_json
from saring.commands.database import with_control
from saring.commands.fields import CODE

if TYPE_CHECKING:
    from saring.control import Control


@click.command()
@click.argument("code", type=CODE)
@json_option
@click.pass_context
def enable(context: click.Context, code: str, as_json: bool) -> None:
    """Switch the list CODE on. A running Saring fetches it and publishes by itself."""
    _switch(context, code, True, as_json)


@click.command()
@click.argument("code", type=CODE)
@json_option
@click.pass_context
def disable(context: click.Context, code: str, as_json: bool) -> None:
    """Switch the list CODE off; its versions are kept. A running Saring publishes by itself."""
    _switch(context, code, False, as_json)


def _switch(context: click.Context, code: str, enabled: bool, as_json: bool) -> None:
    from saring.list_switch import switch_list

    async def work(control: Control) -> bool:
        return await switch_list(control.sessions, code, enabled, time.time())

    try:
        changed = with_control(context, work)
    except LookupError as error:
        fail(str(error))
    if as_json:
        print_json({"code": code, "enabled": enabled, "changed": changed})
    else:
        click.echo(f"{code} is {'on' if enabled else 'off'}{'' if changed else ' already'}")
