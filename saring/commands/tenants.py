"""``saring tenants``."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from saring.commands.common import fail, json_option, print_json, print_rich
from saring.commands.database import with_control
from saring.commands.tenants_reorganise import history, merge, rename, split

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.bulk import Outcome
    from admin_api.journal import Act
    from admin_api.rest.problem import FieldError
    from admin_api.tenant_plan import Plan
    from saring.control import Control


@click.group()
def tenants() -> None:
    """Agencies, their units and networks, all at once."""


@tenants.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do it; without it everything is only shown.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done (as without --yes).")
@click.option("--prune", is_flag=True, help="Delete what the file does not name.")
@json_option
@click.pass_context
def import_(context: click.Context, file: Path, yes: bool, dry_run: bool, prune: bool, as_json: bool) -> None:
    """Bring agencies, units and networks to what the CSV FILE says. A running Saring publishes by itself.

    Columns: agency, agency_name, unit, unit_name, network, allow_list_only (or kode_opd, nama_opd, kode_unit,
    nama_unit, jaringan, hanya_yang_diizinkan); one line a network.
    """
    from admin_api.bulk import BulkRefusedError, run_bulk
    from admin_api.tenant_csv import MAX_SIZE_BYTES, CsvError, read_csv
    from admin_api.tenant_import import import_tenants
    from saring.people import local_actor

    if yes and dry_run:
        raise click.UsageError("--yes and --dry-run are opposites")
    with file.open("rb") as opened:
        data = opened.read(MAX_SIZE_BYTES + 1)
    now_s = time.time()

    async def work(session: AsyncSession) -> tuple[Plan, list[Act]]:
        return await import_tenants(session, read_csv(data), int(now_s), prune=prune)

    async def run(control: Control) -> Outcome[Plan]:
        return await run_bulk(control.sessions, work, local_actor(), now_s, apply=yes)

    try:
        done = with_control(context, run)
    except (CsvError, BulkRefusedError) as error:
        fail(f"{file} cannot be imported:\n" + "\n".join(f"  {_mistake(one)}" for one in error.errors))
    if as_json:
        steps = [dataclasses.asdict(step) for step in done.result.steps]
        losses = [dataclasses.asdict(loss) for loss in done.result.losses]
        print_json({"applied": done.applied, "steps": steps, "losses": losses, "warnings": done.warnings})
        return
    _show(done)


@tenants.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.pass_context
def export(context: click.Context, file: Path | None) -> None:
    """Write all agencies, units and networks as CSV, to FILE or to the terminal. Importing it changes nothing."""
    from admin_api.database import reading
    from admin_api.features.tenant_import import exported

    async def run(control: Control) -> str:
        async with reading(control.sessions) as session:
            return await exported(session)

    text = with_control(context, run)
    if file is None:
        click.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8", newline="")
    click.echo(f"{file} written")


for _act in (rename, merge, split, history):
    tenants.add_command(_act)


def _mistake(error: FieldError) -> str:
    value = "" if error.value is None else f" ({error.value})"
    return f"{error.field}{value}: {error.message}" + (f"; right: {error.expected}" if error.expected else "")


def _show(done: Outcome[Plan]) -> None:
    from rich.table import Table

    from admin_api.tenant_plan import Fate, beside_losses

    steps = [step for step in done.result.steps if step.fate not in (Fate.SAME, Fate.ABSENT)]
    absent = sum(step.fate is Fate.ABSENT for step in done.result.steps)
    if steps:
        table = Table("", "what", "", "", box=None, header_style="bold", pad_edge=False)
        for step in steps:
            table.add_row(step.fate.value, step.kind.value, step.label, _changes(step.before, step.after))
        print_rich(table)
    for loss in done.result.losses:
        click.echo(
            f"{loss.network} of {loss.winner} lies inside {loss.outer} of {loss.loser}: "
            f"{loss.winner} has these {loss.addresses}, {loss.loser} loses them"
        )
    for warning in beside_losses(done.warnings):
        click.echo(warning)
    if absent:
        click.echo(f"{absent} that the file does not name stay as they are (--prune deletes them)")
    if not steps:
        click.echo("nothing to do")
    elif done.applied:
        click.echo(f"done: {len(steps)} changes")
    else:
        click.echo(f"{len(steps)} changes; nothing was done: --yes does it")


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name} {_word(before[name])} -> {_word(value)}" if name in before else _word(value)
        for name, value in (after or before).items()
        if name in before or value is not False
    )


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
