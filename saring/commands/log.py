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
    from admin_api.history import History
    from admin_api.lineage import Before
    from querylog.store import Filter, Row, Store

Function = TypeVar("Function", bound=Callable[..., Any])
FOLLOW_S = 1.0


def filter_options(function: Function) -> Function:
    """The options that choose rows."""
    options = (
        click.option("--since", type=AGO, help="From this time on: 30min, 24h, 7d, or 2026-11-24T09:30."),
        click.option("--until", type=AGO, help="Before this time."),
        click.option("--agency", help="Code of an agency."),
        click.option("--exactly", is_flag=True, help="Without the agencies that were renamed or merged into --agency."),
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
    with _opened(context, "search", options) as log_:
        _print_rows(log_.store.search(log_.wanted, limit).rows, as_json)
        log_.say_whose()


@log.command()
@filter_options
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many rows.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is loaded from now on.")
@json_option
@click.pass_context
def tail(context: click.Context, /, limit: int, follow: bool, as_json: bool, **options: Any) -> None:
    """Show the newest rows, oldest of them first."""
    with _opened(context, "tail", options) as log_:
        page = log_.store.tail(log_.wanted, limit)
        _print_rows(page.rows, as_json)
        while follow:
            time.sleep(FOLLOW_S)
            page = log_.store.tail(log_.wanted, 10_000, page.cursor)
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
    with _opened(context, f"top {field}", options) as log_:
        try:
            values = log_.store.top(field, log_.wanted, limit)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        log_.say_whose()
    if as_json:
        print_json([{"value": one.value, "answers": one.answers} for one in values])
        return
    from rich.table import Table

    table = Table("answers", field, box=None, header_style="bold", pad_edge=False)
    for one in values:
        table.add_row(f"{one.answers:,}", one.value)
    print_rich(table)


@log.command()
@filter_options
@json_option
@click.pass_context
def totals(context: click.Context, /, as_json: bool, **options: Any) -> None:
    """Count answers by agency and verdict. Rows of renamed and merged agencies count as those of their heirs.

    What was counted before a split is the parent's: it is named beside the sums of its parts, and is not in them.
    """
    from admin_api.history import rows_before

    with _opened(context, "totals", options) as log_:
        found = log_.store.totals(log_.wanted)
        by_agency = log_.history.agencies.grouped(found.by_agency)
        before = [
            (one, log_.store.totals(rows_before(log_.wanted, one)))
            for one in (log_.before_split() if options["unit"] is None else ())
        ]
        if as_json:
            told = [{"agencies": one.codes, "until_s": one.until_s, "answers": sums.answers} for one, sums in before]
            counted = {"answers": found.answers, "by_verdict": found.by_verdict, "by_agency": by_agency}
            print_json(counted | {"before_split": told})
            return
        _print_totals(by_agency, found.by_verdict)
        log_.say_whose()
        for one, sums in before:
            click.echo(f"before the split: {sums.answers:,} answers of {', '.join(one.codes)}, in none of these sums")


@dataclasses.dataclass(frozen=True)
class Opened:
    """The log, open for reading, what is asked of it, and what became of agencies."""

    store: Store
    wanted: Filter
    history: History
    agency: str | None

    def before_split(self) -> tuple[Before, ...]:
        """Whose rows are of a time before a split that led to the agency asked for."""
        return () if self.agency is None else self.history.agencies.before_split(self.agency)

    def say_whose(self) -> None:
        """Tells, beside what was asked for, of agencies that became this one."""
        if self.agency is None:
            return
        others = self.history.agencies.codes(self.agency)[1:]
        if others:
            click.echo(f"saring: with the rows of {', '.join(others)}, now {self.agency}; not so: --exactly", err=True)
        for before in self.before_split():
            day = datetime.datetime.fromtimestamp(before.until_s).astimezone().strftime("%Y-%m-%d")
            parent = before.codes[0]
            click.echo(f"saring: before the split of {day} rows are {parent}'s: --agency {parent}", err=True)


@contextmanager
def _opened(context: click.Context, what: str, options: dict[str, Any]) -> Iterator[Opened]:
    """The store, open for reading, after the reading was journalled."""
    from admin_api.history import History
    from querylog.store import StoreError
    from saring.log_access import journal_reading
    from saring.query_store import open_store

    wanted = _filter(options)
    loaded = load_config(context)
    state = state_of(loaded)
    if not state.log.is_dir():
        fail(f"there is no query log in {state.root} yet; `saring serve` makes it")
    history, unrecorded = journal_reading(loaded.config, state, what, _chosen(wanted), time.time())
    if unrecorded:
        click.echo(f"saring: this reading could not be journalled: {unrecorded}", err=True)
    if options["exactly"]:
        history = History()
    agency = options["agency"]
    if agency is not None:
        tenants = history.tenants(agency, wanted.unit)
        wanted = dataclasses.replace(wanted, agency=None, unit=None, tenants=tenants)
    try:
        store = open_store(state, writer=False)
        try:
            yield Opened(store, wanted, history, agency)
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


def _print_totals(by_agency: dict[str, dict[str, int]], by_verdict: dict[str, int]) -> None:
    from rich.table import Table

    verdicts = sorted(by_verdict)
    table = Table("agency", *verdicts, "all", box=None, header_style="bold", pad_edge=False)
    for agency, counts in [*sorted(by_agency.items()), ("all", by_verdict)]:
        cells = [f"{counts.get(verdict, 0):,}" for verdict in verdicts]
        table.add_row(agency or "-", *cells, f"{sum(counts.values()):,}")
    print_rich(table)


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
