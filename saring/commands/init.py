"""``saring init``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from saring.commands.common import fail, json_option, load_config, print_json, state_of


@click.command()
@click.argument("document", required=False, type=click.Path(path_type=Path))
@json_option
@click.pass_context
def init(context: click.Context, document: Path | None, as_json: bool) -> None:
    """Make the control database and import a regency DOCUMENT (default: [bootstrap] document).

    Importing again changes what the document says differently, and deletes nothing.
    """
    import asyncio

    from sqlalchemy.exc import SQLAlchemyError

    from admin_api.migrations import DatabaseTooNewError, upgrade
    from admin_api.seed import Report
    from saring.bootstrap import BootstrapError, import_document
    from saring.control import open_control
    from saring.people import local_actor

    loaded = load_config(context)
    path = document or (Path(loaded.config.bootstrap.document) if loaded.config.bootstrap.document else None)
    state = state_of(loaded)

    async def work() -> Report | None:
        async with open_control(loaded.config, state) as control:
            await upgrade(control.engine)
            return await import_document(control.sessions, path, local_actor(), time.time()) if path else None

    try:
        state.create()
        report = asyncio.run(work())
    except (BootstrapError, DatabaseTooNewError) as error:
        fail(str(error))
    except (SQLAlchemyError, OSError) as error:
        fail(f"the control database cannot be made: {(str(error).splitlines() or [''])[0]}")
    if report is None:
        click.echo("the control database is ready, and empty")
        return
    if as_json:
        counts = {"created": dict(report.created), "changed": dict(report.changed)}
        print_json(counts | {"warnings": list(report.warnings), "revision": report.revision})
        return
    for what, counted in (("created", report.created), ("changed", report.changed)):
        for kind, count in sorted(counted.items()):
            click.echo(f"{what} {count} {kind}")
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not report.changed_anything:
        click.echo("nothing to change")
