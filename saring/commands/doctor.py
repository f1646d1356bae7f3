"""``saring doctor``."""

from __future__ import annotations

import dataclasses
import time

import click

from saring.commands.common import json_option, load_config, print_json, print_rich


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Look for what would keep Saring from working well. Exit status 1 where something must be mended."""
    from saring.doctor import Level, examine

    found = list(examine(load_config(context).config, time.time()))
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
    else:
        from rich.table import Table
        from rich.text import Text

        colours = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "red"}
        table = Table(box=None, show_header=False, pad_edge=False)
        for one in found:
            table.add_row(Text(one.level.value, style=colours[one.level]), one.what, Text(one.text))
        print_rich(table)
    context.exit(1 if any(one.level is Level.ERROR for one in found) else 0)
