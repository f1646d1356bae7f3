"""``saring status``."""

from __future__ import annotations

import time

import click

from saring.commands.common import json_option, load_config, print_json, print_rich, state_of


@click.command()
@json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Show what runs, what is in force and what needs attention.

    Exit status 1 where Saring does not run.
    """
    from saring.interpreted import compiled_modules
    from saring.status import collect

    now_s = time.time()
    found = collect(state_of(load_config(context)), now_s)
    if as_json:
        print_json(found.document() | {"compiled": compiled_modules()})
    else:
        from saring.status_text import render_status

        print_rich(render_status(found, now_s))
    context.exit(0 if found.running else 1)
