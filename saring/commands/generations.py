"""``saring generations`` and ``saring rollback``."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of


@click.command()
@json_option
@click.pass_context
def generations(context: click.Context, as_json: bool) -> None:
    """List published snapshot generations, newest first."""
    from saring.status import current_generation

    root = state_of(load_config(context)).snapshots
    current, _, _ = current_generation(root)
    found = _generations(root, current)
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    table = Table("generation", "published", "revision", "", box=None, header_style="bold", pad_edge=False)
    for one in found:
        when = datetime.datetime.fromtimestamp(one["published_s"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(
            str(one["generation"]), when, str(one["revision"]), "in force" if one["current"] else one["damage"]
        )
    print_rich(table)


@click.command()
@click.argument("number", required=False, type=click.IntRange(min=1))
@json_option
@click.pass_context
def rollback(context: click.Context, number: int | None, as_json: bool) -> None:
    """Put generation NUMBER in force again (default: the one before).

    The control database keeps its edits: the next edit publishes all of them anew.
    """
    from snapshots.publish import PublishError
    from snapshots.publish import rollback as roll_back

    root = state_of(load_config(context)).snapshots
    try:
        now_in_force = roll_back(root, number)
    except (PublishError, OSError) as error:
        fail(f"nothing was changed: {error}")
    if as_json:
        print_json({"generation": now_in_force, "at_s": time.time()})
    else:
        click.echo(f"generation {now_in_force} is in force")


def _generations(root: Path, current: int) -> list[dict[str, Any]]:
    from snapshots import manifest as manifests
    from snapshots.layout import generation_path, numbers

    found: list[dict[str, Any]] = []
    for number in reversed(numbers(root)):
        try:
            manifest = manifests.read(generation_path(root, number))
        except manifests.GenerationDamaged as error:
            found.append(
                {"generation": number, "published_s": 0, "revision": 0, "current": False, "damage": str(error)}
            )
            continue
        found.append(
            {
                "generation": number,
                "published_s": manifest.created_s,
                "revision": manifest.revision,
                "current": number == current,
                "damage": "",
            }
        )
    return found
