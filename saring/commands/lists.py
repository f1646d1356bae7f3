"""``saring lists``."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.database import with_control
from saring.commands.fields import CODE, TITLE

if TYPE_CHECKING:
    from blocklists.progress import Progress
    from saring.sync_job import SyncDone


@click.group()
def lists() -> None:
    """Blocklists: where they come from, what is in them."""


@lists.command("list")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List all blocklists with their state."""
    from saring.control import Control

    async def work(control: Control) -> list[dict[str, Any]]:
        found = []
        for row in await control.sources():
            state = control.library.state(row.code)
            found.append(
                {
                    "code": row.code,
                    "title": row.title,
                    "enabled": row.enabled,
                    "location": row.location,
                    "categories": list(row.categories),
                    "version": state.version,
                    "entries": state.entries,
                    "changed_s": state.changed_s,
                    "checked_s": state.checked_s,
                    "last_error": state.last_error,
                    "refusal": state.refusal.sentence if state.refusal else "",
                }
            )
        return found

    found = with_control(context, work)
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    from saring.status_text import ago

    now_s = time.time()
    table = Table(
        "list",
        "names",
        "version",
        "changed",
        "checked",
        "categories",
        "",
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for one in found:
        trouble = one["refusal"] or one["last_error"] or ("" if one["enabled"] else "disabled")
        table.add_row(
            one["code"],
            f"{one['entries']:,}",
            str(one["version"] or "-"),
            ago(one["changed_s"], now_s),
            ago(one["checked_s"], now_s),
            " ".join(one["categories"]),
            trouble,
        )
    print_rich(table)


@lists.command()
@click.argument("code", type=CODE)
@click.argument("location")
@click.option("--title", type=TITLE, help="Default: the code.")
@click.option("--category", "categories", multiple=True, required=True, type=CODE, help="What it is about; repeat.")
@click.option("--format", "form", type=click.Choice(["auto", "plain", "hosts", "wildcard"]), default="auto")
@click.option("--national", is_flag=True, help="Blocks by it are Extended DNS Error 16, Censored.")
@json_option
@click.pass_context
def add(
    context: click.Context,
    code: str,
    location: str,
    title: str | None,
    categories: tuple[str, ...],
    form: str,
    national: bool,
    as_json: bool,
) -> None:
    """Enter the list CODE, fetched from LOCATION (an http(s) URL or a path). A running Saring fetches it soon."""
    from saring.control import Control
    from saring.new_list import ListRefusedError, NewList, add_list

    wanted = NewList(code, title or code, location, form, national, categories)

    async def work(control: Control) -> int:
        return await add_list(control.sessions, wanted, time.time())

    try:
        number = with_control(context, work)
    except ListRefusedError as error:
        fail(str(error))
    if as_json:
        print_json({"id": number, "code": code})
    else:
        click.echo(f"list {code} entered; `saring lists sync {code}` fetches it now")


@lists.command()
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
    done = _sync_with_bar(loaded, list(codes) or None)
    if as_json:
        results = [dataclasses.asdict(result) for result in done.results]
        print_json({"lists": results, "generation": done.published.generation})
    else:
        _print_results(done)
    context.exit(0 if all(result.good for result in done.results) else 1)


def _sync_with_bar(loaded: Any, codes: list[str] | None) -> SyncDone:
    from rich.console import Console
    from sqlalchemy.exc import SQLAlchemyError

    from blocklists.progress import Silent
    from saring.progress_bar import ProgressBars
    from saring.publisher import PublishError
    from saring.state_dir import HeldError
    from saring.sync_job import run_sync

    state = state_of(loaded)
    if not state.run.is_dir():
        fail(f"there is nothing in {state.root} yet; `saring init` or `saring serve` makes it")

    def run(progress: Progress) -> SyncDone:
        return asyncio.run(run_sync(loaded.config, state, codes, progress, time.time))

    try:
        if not sys.stderr.isatty():
            return run(Silent())
        with ProgressBars(Console(stderr=True)) as bars:
            return run(bars)
    except HeldError as held:
        who = f" (process {held.pid})" if held.pid else ""
        fail(f"another sync is running{who}; wait for it, `saring status` tells")
    except PublishError as error:
        fail(str(error))
    except (SQLAlchemyError, OSError) as error:
        fail(f"the sync failed: {(str(error).splitlines() or [''])[0]}")


def _print_results(done: SyncDone) -> None:
    from rich.table import Table
    from rich.text import Text

    colours = {"admitted": "green", "unchanged": "", "refused": "red", "failed": "red"}
    table = Table("list", "outcome", "", box=None, header_style="bold", pad_edge=False)
    for result in done.results:
        table.add_row(result.code, Text(result.kind, style=colours[result.kind]), Text(result.text))
    print_rich(table)
    click.echo(f"generation {done.published.generation} is in force")


@lists.command()
@click.argument("code", type=CODE)
@click.argument("before", required=False, type=click.IntRange(min=1))
@click.argument("after", required=False, type=click.IntRange(min=1))
@json_option
@click.pass_context
def diff(context: click.Context, code: str, before: int | None, after: int | None, as_json: bool) -> None:
    """Show what version AFTER of a list has more and less than BEFORE. Default: the last two versions."""
    from blocklists.library import Library, LibraryError

    library = Library(state_of(load_config(context)).lists)
    numbers = [version.number for version in library.state(code).versions]
    after = after or library.state(code).version
    before = before or max((number for number in numbers if number < after), default=0)
    if not before:
        fail(f"{code} has no two versions to compare; kept are: {', '.join(map(str, numbers)) or 'none'}")
    try:
        found = library.diff(code, before, after)
    except LibraryError as error:
        fail(str(error))
    if as_json:
        print_json({"code": code, "before": before, "after": after} | dataclasses.asdict(found))
        return
    click.echo(f"{code}: version {before} to {after}: {found.added:,} added, {found.removed:,} removed")
    for sign, changes, total in (("+", found.first_added, found.added), ("-", found.first_removed, found.removed)):
        for change in changes:
            click.echo(f"{sign} {change.name} ({change.kind})")
        if total > len(changes):
            click.echo(f"{sign} ... and {total - len(changes):,} more")


@lists.command()
@click.argument("code", type=CODE)
@click.argument("version", type=click.IntRange(min=1))
@json_option
@click.pass_context
def rollback(context: click.Context, code: str, version: int, as_json: bool) -> None:
    """Put VERSION of the list CODE in force again, and publish. It stays until its source has something new."""
    from blocklists.library import LibraryError
    from blocklists.progress import Silent
    from saring.control import Control
    from saring.publisher import Publisher, PublishError

    state = state_of(load_config(context))

    async def work(control: Control) -> int:
        control.library.rollback(code, version, time.time())
        published = await Publisher(state, control.sessions, time.time).compile_and_publish(control.library, Silent())
        return published.generation

    try:
        generation = with_control(context, work)
    except (LibraryError, PublishError) as error:
        fail(str(error))
    if as_json:
        print_json({"code": code, "version": version, "generation": generation})
    else:
        click.echo(f"{code}: version {version} is in force, generation {generation}")
