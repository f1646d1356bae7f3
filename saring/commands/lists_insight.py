"""``saring lists show``, ``overlap`` and ``who``: what is in lists, beside each other."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.database import with_control
from saring.commands.fields import CODE, NAME_OR_ADDRESS

if TYPE_CHECKING:
    from blocklists.holders import Holder
    from saring.control import Control
    from saring.list_report import ListReport

_MAX_MATRIX = 6
_MAX_PAIRS = 40


@click.command()
@click.argument("code", type=CODE)
@json_option
@click.pass_context
def show(context: click.Context, code: str, as_json: bool) -> None:
    """Show all that is known of the list CODE: source, version in force, insight, the last refusal in full."""
    from saring.list_report import load_reports

    state = state_of(load_config(context))

    async def work(control: Control) -> list[ListReport]:
        return await load_reports(control, state, time.time())

    found = with_control(context, work)
    report = next((one for one in found if one.row.code == code), None)
    if report is None:
        known = ", ".join(one.row.code for one in found)
        fail(f"there is no list {code}; known are {known or 'none'}")
    if as_json:
        print_json(report.document())
    else:
        _print_report(report)


def _print_report(report: ListReport) -> None:
    from rich.table import Table

    from saring.status_text import ago, size

    now_s = time.time()
    row, health = report.row, report.health
    grid = Table.grid(padding=(0, 2))
    grid.add_row(row.code, row.title)
    grid.add_row("source", row.location)
    grid.add_row("categories", " ".join(row.categories))
    grid.add_row("served", f"version {health.version}, {health.entries:,} names" if health.version else "nothing yet")
    if report.serial is not None:
        grid.add_row("serial", str(report.serial))
    grid.add_row("changed", f"{ago(health.changed_s, now_s)} ago" if health.changed_s else "never")
    limit = f"alarm after {ago(1.0, health.max_age_s)}{', and it is older' if health.stale else ''}"
    grid.add_row("age", f"{ago(health.good_s, now_s)} ({limit})")
    grid.add_row(
        "last try", f"{health.result if health.enabled else 'switched off'}, {ago(health.checked_s, now_s)} ago"
    )
    grid.add_row("on disk", size(health.size_bytes))
    if report.share is not None:
        grid.add_row(
            "only here", f"{report.share.unique:,} names; {report.share.contribution:,} would be lost without it"
        )
        grid.add_row("in vain", f"{report.share.shadowed:,} names, covered by a wider entry of the list itself")
    if report.hits is not None:
        hits = report.hits
        grid.add_row("hits", f"{hits.hits:,} by {hits.hit_names:,} names; {hits.never_hit:,} were never hit")
    unread = report.document()["unread"]
    if unread is not None and (unread["invalid"] or unread["beyond"]):
        beyond = f"; {unread['beyond']:,} ask for what a resolver cannot do" if unread["beyond"] else ""
        grid.add_row("not read", f"{unread['invalid']:,} lines are no entry{beyond}")
    print_rich(grid)
    for one in unread["first"] if unread else ():
        click.echo(
            f"  {one['file'] + ' ' if one['file'] else ''}line {one['line']:,}: '{one['text']}' {one['sentence']}"
        )
    for example in report.share.examples if report.share else ():
        click.echo(f"  in vain: {example.name}, below {example.by}")
    if health.last_error:
        click.echo(f"! {health.last_error}")
    if health.refusal is not None:
        click.echo(f"! {health.refusal.sentence}")
        if not health.refusal.final:
            click.echo(f"  content {health.refusal.sha256}")


@click.command()
@click.argument("codes", nargs=-1, type=CODE)
@json_option
@click.pass_context
def overlap(context: click.Context, codes: tuple[str, ...], as_json: bool) -> None:
    """Show how many names lists have in common: all of them, or CODES. Shares are of the list in the first column."""
    from blocklists.insight_file import read_insight

    state = state_of(load_config(context))
    insight = read_insight(state.lists)
    known = [one.code for one in insight.shares.lists]
    if not known:
        fail("there is nothing to compare yet; `saring lists sync` computes it")
    unknown = [code for code in codes if code not in known]
    if unknown:
        fail(f"there is no list {', '.join(unknown)} in force; known are {', '.join(known)}")
    wanted = list(codes) or known
    rows: list[dict[str, Any]] = [
        {"list": a, "names": insight.common(a, a), "common": {b: insight.common(a, b) for b in wanted if b != a}}
        for a in wanted
    ]
    if as_json:
        print_json({"computed_s": insight.computed_s, "lists": rows})
    else:
        _print_overlap(rows if codes else [row for row in rows if any(row["common"].values())], len(wanted))


def _print_overlap(rows: list[dict[str, Any]], compared: int) -> None:
    if len(rows) < 2:
        click.echo(f"no two of {compared} lists have a name in common")
        return
    if len(rows) > _MAX_MATRIX:
        _print_pairs(rows)
    else:
        _print_matrix(rows)
    if len(rows) < compared:
        click.echo(f"{compared - len(rows)} more lists have no name in common with another")


def _print_pairs(rows: list[dict[str, Any]]) -> None:
    """The lists that share most; a matrix of all would be wider than any terminal."""
    from rich.table import Table

    pairs = [
        (row["common"][other], str(row["list"]), other, row["names"])
        for row in rows
        for other in row["common"]
        if row["common"][other]
    ]
    pairs.sort(key=lambda pair: (-pair[0] / pair[3], pair[1], pair[2]))
    table = Table("list", "has in common", "", "with", box=None, header_style="bold", pad_edge=False)
    for count, code, other, names in pairs[:_MAX_PAIRS]:
        table.add_row(code, f"{count:,}", f"{count / names:.0%} of it", other)
    print_rich(table)
    if len(pairs) > _MAX_PAIRS:
        click.echo(f"{len(pairs) - _MAX_PAIRS} more pairs; name lists to see them, or --json")


def _print_matrix(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    # Numbers above the columns: codes would be cut where there are many lists.
    numbers = [str(number) for number in range(1, len(rows) + 1)]
    table = Table("", "list", "names", *numbers, box=None, header_style="bold", pad_edge=False)
    for number, row in zip(numbers, rows, strict=True):
        cells = (_shared(row, str(other["list"])) for other in rows)
        table.add_row(number, str(row["list"]), f"{row['names']:,}", *cells)
    print_rich(table)


def _shared(row: dict[str, Any], code: str) -> str:
    if code == row["list"]:
        return ""
    count, names = row["common"][code], row["names"]
    return f"{count:,} ({count / names:.0%})" if count else "-"


@click.command()
@click.argument("name", type=NAME_OR_ADDRESS)
@click.option("--line", "with_lines", is_flag=True, help="Also the line of each list's text (seconds for big lists).")
@json_option
@click.pass_context
def who(context: click.Context, name: str, with_lines: bool, as_json: bool) -> None:
    """Say which lists hold NAME (or an address in answers): by which entries, rules and ranges, and since when.

    Exit status 1 where none does.
    """
    from admin_api.list_holders import all_holders

    state = state_of(load_config(context))

    async def work(control: Control) -> tuple[list[str], tuple[Holder, ...]]:
        rows = await control.sources()
        codes = {row.list_id: row.code for row in rows}
        found = all_holders(control.library, state.snapshots, codes, name, with_lines)
        return [row.code for row in rows if not row.enabled], found

    switched_off, found = with_control(context, work)
    if as_json:
        documents = [dataclasses.asdict(one) | {"enabled": one.code not in switched_off} for one in found]
        print_json({"name": name, "holders": documents})
    elif not found:
        click.echo(f"no list holds {name}")
    else:
        _print_holders(found, switched_off)
    context.exit(0 if found else 1)


def _print_holders(found: tuple[Holder, ...], switched_off: list[str]) -> None:
    from rich.table import Table

    table = Table(
        "list", "entry", "covers", "in force", "since version", "", box=None, header_style="bold", pad_edge=False
    )
    for one in found:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.since_s))
        table.add_row(
            one.code,
            one.entry,
            one.kind,
            str(one.version) if one.code not in switched_off else "switched off",
            f"{one.since_version}, {since}",
            "or longer: older versions are not kept" if one.since_oldest else "",
        )
    print_rich(table)
    for one in found:
        if one.line:
            click.echo(f"{one.code}: {one.file + ' ' if one.file else ''}line {one.line:,}: {one.text}")
