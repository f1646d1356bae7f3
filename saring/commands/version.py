"""``saring version``."""

from __future__ import annotations

import platform

import click

from saring.commands.common import json_option, print_json


@click.command()
@json_option
def version(as_json: bool) -> None:
    """Print the version, and whether hot modules run compiled."""
    from saring.interpreted import compiled_modules
    from saring.version import VERSION

    modules = compiled_modules()
    if as_json:
        print_json({"version": VERSION, "python": platform.python_version(), "compiled": modules})
        return
    click.echo(f"saring {VERSION} on Python {platform.python_version()}")
    for name, compiled in modules.items():
        click.echo(f"  {name}: {'compiled' if compiled else 'interpreted'}")
