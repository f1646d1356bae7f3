"""``saring lists history``, ``diff`` and ``rollback``: what lists were before."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.database import with_control
from saring.commands.fields import CODE

if TYPE_CHECKING:
    from blocklists.state import ListState
    from saring.control import Control


@click.command()
@click.argument("code", type=CODE)
@json_option
@click.pass_context
def history(context: click.Context, code: str, as_json: bool) -> None:
    """Show the versions of the list CODE that are kept, and what happened to it, the newest last."""
    from blocklists.library import Library

    library = Library(state_of(load_config(context)).lists)
    if code not in library.codes():
        fail(f"nothing ever happened to a list {code}; known are {', '.join(library.codes()) or 'none'}")
    state = library.state(code)
    if as_json:
        versions = [dataclasses.asdict(version) for version in state.versions]
        events = [dataclasses.asdict(event) for event in state.history]
        print_json({"code": code, "version": state.version, "versions": versions, "history": events})
    else:
        _print_history(state)


def _print_history(state: ListState) -> None:
    from rich.table import Table

    versions = Table("version", "names", "no entry", "stored", "", box=None, header_style="bold", pad_edge=False)
    for version in state.versions:
        note = "in force" if version.number == state.version else ""
        note += f" let in in spite of: {version.overridden}" if version.overridden else ""
        versions.add_row(
            str(version.number), f"{version.names:,}", f"{version.invalid:,}", _local(version.stored_s), note.strip()
        )
    print_rich(versions)
    events = Table("when", "what", "version", "", box=None, header_style="bold", pad_edge=False)
    for event in state.history:
        events.add_row(_local(event.at_s), event.kind, str(event.version or "-"), event.text)
    print_rich(events)


def _local(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_s))


@click.command()
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


@click.command()
@click.argument("code", type=CODE)
@click.argument("version", type=click.IntRange(min=1))
@json_option
@click.pass_context
def rollback(context: click.Context, code: str, version: int, as_json: bool) -> None:
    """Put VERSION of the list CODE in force again, and publish. It stays until its source has something new."""
    from blocklists.library import LibraryError
    from saring.commands.lists_sync import board_for_people
    from saring.list_insight import Refreshing, refresh_insight
    from saring.publisher import Publisher, PublishError
    from saring.query_store import open_store

    state = state_of(load_config(context))

    async def work(control: Control) -> int:
        control.library.rollback(code, version, time.time())
        with board_for_people(quiet=True) as board:
            publisher = Publisher(state, control.sessions, time.time)
            published = await publisher.compile_and_publish(control.library, board.line("index"))
            refreshing = Refreshing(
                control.library, state.snapshots, lambda: open_store(state, writer=False), time.time()
            )
            refresh_insight(await control.sources(), refreshing, board.line("insight"))
        return published.generation

    try:
        generation = with_control(context, work)
    except (LibraryError, PublishError) as error:
        fail(str(error))
    if as_json:
        print_json({"code": code, "version": version, "generation": generation})
    else:
        click.echo(f"{code}: version {version} is in force, generation {generation}")
