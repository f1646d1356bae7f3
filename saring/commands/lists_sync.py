"""``saring lists sync``."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.fields import CODE

if TYPE_CHECKING:
    from blocklists.progress import Board
    from saring.sync_job import SyncDone


@click.command()
@click.argument("codes", nargs=-1, type=CODE)
@click.option("--all", "everything", is_flag=True, help="All enabled lists (also the default).")
@json_option
@click.pass_context
def sync(context: click.Context, codes: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Fetch lists now (CODES, or all), compile what changed, publish. Exit status 1 where one was not updated."""
    from saring import logs

    if codes and everything:
        raise click.UsageError("name lists or say --all, not both")
    loaded = load_config(context)
    # What went wrong is in the table; a log beside a progress bar would only tear it.
    logs.configure("error", "auto", "lists-sync")
    done = _sync(loaded, list(codes) or None, as_json)
    if as_json:
        results = [dataclasses.asdict(result) for result in done.results]
        print_json({"lists": results, "generation": done.published.generation})
    else:
        _print_results(done)
    context.exit(0 if all(result.good for result in done.results) else 1)


def _sync(loaded: Any, codes: list[str] | None, as_json: bool) -> SyncDone:
    from sqlalchemy.exc import SQLAlchemyError

    from saring.publisher import PublishError
    from saring.state_dir import HeldError
    from saring.sync_job import run_sync

    state = state_of(loaded)
    if not state.run.is_dir():
        fail(f"there is nothing in {state.root} yet; `saring init` or `saring serve` makes it")
    try:
        with board_for_people(quiet=as_json) as board:
            return asyncio.run(run_sync(loaded.config, state, codes, board, time.time))
    except HeldError as held:
        who = f" (process {held.pid})" if held.pid else ""
        fail(f"another sync is running{who}; wait for it, `saring status` tells")
    except PublishError as error:
        fail(str(error))
    except (SQLAlchemyError, OSError) as error:
        fail(f"the sync failed: {(str(error).splitlines() or [''])[0]}")


def board_for_people(quiet: bool) -> AbstractContextManager[Board]:
    """Bars on a terminal, lines of text elsewhere; nothing where JSON is asked for by a program."""
    from blocklists.progress import SilentBoard
    from saring.progress_bar import BarBoard, PlainBoard

    if sys.stderr.isatty():
        from rich.console import Console

        return BarBoard(Console(stderr=True))
    if quiet:
        return contextlib.nullcontext(SilentBoard())
    return contextlib.nullcontext(PlainBoard(time.monotonic, lambda line: click.echo(line, err=True)))


def _print_results(done: SyncDone) -> None:
    from rich.table import Table
    from rich.text import Text

    colours = {"admitted": "green", "unchanged": "", "refused": "red", "failed": "red"}
    table = Table("list", "outcome", "", box=None, header_style="bold", pad_edge=False)
    for result in done.results:
        table.add_row(result.code, Text(result.kind, style=colours[result.kind]), Text(result.text))
    print_rich(table)
    click.echo(f"generation {done.published.generation} is in force")
