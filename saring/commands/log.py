"""``saring log``: the query log in the terminal. Every reading is itself journalled (DESIGN 7)."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from saring.commands.common import (
    fail,
    json_option,
    load_config,
    print_json,
    print_json_line,
    print_rich,
    state_of,
)
from saring.commands.fields import AGO

if TYPE_CHECKING:
    from querylog.store import Filter, Row, Store

Function = TypeVar("Function", bound=Callable[..., Any])
FOLLOW_S = 1.0


def filter_options(function: Function) -> Function:
    """The options that choose rows."""
    options = (
        click.option("--since", type=AGO, help="From this time on: 30min, 24h, 7d, or 2026-11-24T09:30."),
        click.option("--until", type=AGO, help="Before this time."),
        click.option("--agency", help="Code of an agency."),
        click.option("--unit", help="Code of a unit."),
        click.option("--client", help="Address of a client."),
        click.option("--name", help="Exactly this name."),
        click.option("--contains", help="Names that contain this text."),
        click.option("--verdict", help="allowed, blocked, redirected, observed, refused, invalid or local."),
        click.option("--category", help="Code of a category."),
        click.option("--list", "list_", help="Code of a list."),
        click.option("--type", "rrtype", help="Type: A, AAAA, ..."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group()
def log() -> None:
    """The query log. Every reading is recorded in the audit journal."""


@log.command()
@filter_options
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many rows.")
@json_option
@click.pass_context
def search(context: click.Context, /, limit: int, as_json: bool, **options: Any) -> None:
    """Show the newest rows that fit, newest first."""
    with _opened(context, "search", options) as (store, wanted):
        _print_rows(store.search(wanted, limit).rows, as_json)


@log.command()
@filter_options
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many rows.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is loaded from now on.")
@json_option
@click.pass_context
def tail(context: click.Context, /, limit: int, follow: bool, as_json: bool, **options: Any) -> None:
    """Show the newest rows, oldest of them first."""
    with _opened(context, "tail", options) as (store, wanted):
        page = store.tail(wanted, limit)
        _print_rows(page.rows, as_json)
        while follow:
            time.sleep(FOLLOW_S)
            page = store.tail(wanted, 10_000, page.cursor)
            _print_rows(page.rows, as_json, header=False)


@log.command()
@click.argument("field", default="name")
@filter_options
@click.option("-n", "--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many values.")
@json_option
@click.pass_context
def top(context: click.Context, /, field: str, limit: int, as_json: bool, **options: Any) -> None:
    """Show the most frequent values of FIELD (name, agency, category, list, rule, verdict, ...).

    There is no ranking of clients: the log is evidence about queries, never about persons.
    """
    with _opened(context, f"top {field}", options) as (store, wanted):
        try:
            values = store.top(field, wanted, limit)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    if as_json:
        print_json([{"value": one.value, "answers": one.answers} for one in values])
        return
    from rich.table import Table

    table = Table("answers", field, box=None, header_style="bold", pad_edge=False)
    for one in values:
        table.add_row(f"{one.answers:,}", one.value)
    print_rich(table)


@contextmanager
def _opened(context: click.Context, what: str, options: dict[str, Any]) -> Iterator[tuple[Store, Filter]]:
    """The store, open for reading, after the reading was journalled."""
    from querylog.store import StoreError
    from saring.log_access import journal_reading
    from saring.query_store import open_store

    wanted = _filter(options)
    loaded = load_config(context)
    state = state_of(loaded)
    if not state.log.is_dir():
        fail(f"there is no query log in {state.root} yet; `saring serve` makes it")
    unrecorded = journal_reading(loaded.config, state, what, _chosen(wanted), time.time())
    if unrecorded:
        click.echo(f"saring: this reading could not be journalled: {unrecorded}", err=True)
    try:
        store = open_store(state, writer=False)
        try:
            yield store, wanted
        finally:
            store.close()
    except StoreError as error:
        fail(str(error))


def _filter(options: dict[str, Any]) -> Filter:
    from querylog.store import Filter
    from saring.rrtypes import type_number

    try:
        rrtype = type_number(options["rrtype"]) if options["rrtype"] else None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return Filter(
        from_us=_us(options["since"]),
        until_us=_us(options["until"]),
        agency=options["agency"],
        unit=options["unit"],
        client=options["client"],
        name=options["name"],
        name_contains=options["contains"],
        verdict=options["verdict"],
        category=options["category"],
        list=options["list_"],
        rrtype=rrtype,
    )


def _us(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1_000_000)


def _chosen(wanted: Filter) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(wanted).items() if value is not None}


def _print_rows(rows: tuple[Row, ...], as_json: bool, header: bool = True) -> None:
    if as_json:
        for row in rows:
            print_json_line(dataclasses.asdict(row))
        return
    if not rows:
        return
    from rich.table import Table

    from saring.rrtypes import rcode_text, type_text

    heads = ("time", "client", "agency", "name", "type", "verdict", "answer", "reason")
    table = Table(*heads, box=None, header_style="bold", pad_edge=False, show_header=header)
    for row in rows:
        when = datetime.datetime.fromtimestamp(row.time_us / 1_000_000).astimezone()
        table.add_row(
            when.strftime("%m-%d %H:%M:%S.%f")[:-3],
            row.client,
            row.agency + (f"/{row.unit}" if row.unit else "") or "-",
            row.name,
            type_text(row.rrtype),
            row.verdict,
            rcode_text(row.rcode),
            " ".join(part for part in (row.list or row.rule, row.category, row.letter) if part) or "-",
        )
    print_rich(table)
