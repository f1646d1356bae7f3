"""``saring check-config``."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import click

from saring.commands.common import json_option, print_json


@click.command("check-config")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--show", is_flag=True, help="Print the configuration in force (secrets hidden).")
@click.option("--default", "show_default", is_flag=True, help="Print a commented file with every default.")
@json_option
@click.pass_context
def check_config(context: click.Context, file: Path | None, show: bool, show_default: bool, as_json: bool) -> None:
    """Say what is wrong with the configuration FILE (or the one in force), all at once.

    Environment variables SARING_SECTION__KEY are checked as well.
    """
    from saring.config import find_file, load
    from saring.config_problem import ConfigError

    if show_default:
        click.echo(resources.files("saring").joinpath("default.toml").read_text(encoding="utf-8"), nl=False)
        return
    path = file or context.find_root().obj
    try:
        loaded = load(path, os.environ)
    except ConfigError as error:
        _print_problems(error, find_file(path, os.environ), as_json)
        raise click.exceptions.Exit(1) from None
    values = _hide_secrets(loaded.config.model_dump(mode="json"))
    source = str(loaded.path) if loaded.path else "defaults"
    if as_json:
        print_json({"valid": True, "file": source, "problems": [], "config": values})
        return
    if show:
        _print_values(values)
    click.echo(f"{source}: no mistakes", err=show)


def _print_problems(error: Exception, path: Path | None, as_json: bool) -> None:
    from saring.config_problem import ConfigError

    assert isinstance(error, ConfigError)
    if as_json:
        problems = [
            {
                "source": one.source,
                "line": one.line,
                "key": one.key,
                "value": one.shown,
                "message": one.message,
            }
            for one in error.problems
        ]
        print_json({"valid": False, "file": str(path) if path else "", "problems": problems})
        return
    for problem in error.problems:
        click.echo(str(problem), err=True)
    count = len(error.problems)
    click.echo(f"{count} mistake{'s' if count != 1 else ''}", err=True)


def _hide_secrets(values: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    from saring.config_schema import SECRET_KEYS

    return {
        section: {key: "(hidden)" if (section, key) in SECRET_KEYS and value else value for key, value in keys.items()}
        for section, keys in values.items()
    }


def _print_values(values: dict[str, dict[str, object]]) -> None:
    import json

    for section, keys in values.items():
        click.echo(f"[{section}]")
        for key, value in keys.items():
            click.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}")
        click.echo()
