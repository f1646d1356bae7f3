"""``saring replay``: what a draft would have done to queries that were asked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.database import with_control
from saring.commands.fields import AGO
from saring.commands.policy import kept_document, read_policy_file

if TYPE_CHECKING:
    from admin_api.bulk import Outcome
    from admin_api.drafts import Draft, Drafted
    from admin_api.history import Tenants
    from admin_api.replay_order import ReplayOrder, ReplayReport
    from policy.replay import EffectCount, Reason
    from saring.control import Control

DAY_S = 86_400
US = 1_000_000


@click.command()
@click.option("--draft", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A policy file.")
@click.option("--generation", type=click.IntRange(min=1), help="The policy as this generation was published.")
@click.option("--from", "from_s", type=AGO, help="Queries from this time on: 24h, 7d, 2026-11-24T09:30. Default: 24h.")
@click.option("--to", "until_s", type=AGO, help="Queries before this time. Default: now.")
@click.option("--agency", help="Only the queries of this agency.")
@click.option("-n", "--limit", type=click.IntRange(0, 200), default=20, show_default=True, help="How many names.")
@json_option
@click.pass_context
def replay(
    context: click.Context,
    draft: Path | None,
    generation: int | None,
    from_s: float | None,
    until_s: float | None,
    agency: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Hold a draft against the policy in force, over queries that were asked. Publishes nothing.

    The draft is a policy file (see `saring policy export`), an earlier generation, or without either the control
    database as it is: what an edit left unpublished, or a rollback took out of force. Each query is decided by both at
    its own time, for the agency and unit that its row names. Ctrl-C stops.
    """
    if draft is not None and generation is not None:
        raise click.UsageError("give --draft or --generation, not both")
    now_s = time.time()
    until_s = now_s if until_s is None else until_s
    from_s = until_s - DAY_S if from_s is None else from_s
    what, again = _draft(context, draft, generation)
    rehearsed, tenants = _rehearsed(context, what, agency)
    from admin_api.replay_order import ReplayOrder, disabled_lists

    order = ReplayOrder(
        rehearsed.after,
        disabled_lists(rehearsed.result.sources),
        int(from_s * US),
        int(until_s * US),
        tenants,
        rehearsed.result.heirs,
    )
    report = _replay(context, order, agency, as_json)
    notes = (*rehearsed.result.notes, *report.notes)
    if as_json:
        import msgspec

        found = msgspec.to_builtins(report)
        print_json(found | {"notes": list(notes), "revision": rehearsed.revision})
        return
    _show(report, notes, limit)
    if again:
        click.echo(f"nothing was published. To do it: {again} --yes --revision {rehearsed.revision}")
    else:
        click.echo("nothing was published; the next edit publishes all that the database holds")


def _draft(context: click.Context, file: Path | None, generation: int | None) -> tuple[Draft, str]:
    """The draft, and the command that makes it true."""
    from admin_api.drafts import FromDatabase, FromFile, FromGeneration

    if file is not None:
        return FromFile(read_policy_file(file)), f"saring policy import {file}"
    if generation is not None:
        kept = kept_document(context, generation)
        return FromGeneration(generation, kept), f"saring generations restore {generation}"
    return FromDatabase(), ""


def _rehearsed(context: click.Context, draft: Draft, agency: str | None) -> tuple[Outcome[Drafted], Tenants | None]:
    """What the database would say, and whose rows are read."""
    from sqlalchemy import select

    from admin_api.bulk import BulkRefusedError, run_bulk
    from admin_api.database import reading
    from admin_api.drafts import work_of
    from admin_api.generation_record import RecordError
    from admin_api.history import load_history
    from admin_api.models import AgencyRow
    from admin_api.rest.problem import mistakes
    from admin_api.rest.route import Editor
    from saring.people import local_actor

    now_s = time.time()
    actor = local_actor()

    async def run(control: Control) -> tuple[Outcome[Drafted], Tenants | None]:
        done = await run_bulk(control.sessions, work_of(draft, Editor(actor.login, now_s)), actor, now_s, apply=False)
        if agency is None:
            return done, None
        async with reading(control.sessions) as session:
            codes = list(await session.scalars(select(AgencyRow.code).order_by(AgencyRow.code)))
            if agency not in codes:
                fail(f"there is no agency {agency}; known are {', '.join(codes)}")
            return done, (await load_history(session)).tenants(agency, None)

    try:
        return with_control(context, run)
    except BulkRefusedError as refused:
        fail(f"the draft has {mistakes(refused.errors)}")
    except RecordError as error:
        fail(f"the generation cannot be restored: {error}")


def _replay(context: click.Context, order: ReplayOrder, agency: str | None, quiet: bool) -> ReplayReport:
    from admin_api.replay_order import ReplayError
    from blocklists.library import Library
    from querylog.store import StoreError
    from saring.commands.lists_sync import board_for_people
    from saring.log_access import journal_reading
    from saring.query_store import open_store
    from saring.replay_run import run_replay

    loaded = load_config(context)
    state = state_of(loaded)
    if not state.log.is_dir():
        fail(f"there is no query log in {state.root} yet; `saring serve` makes it")
    chosen = {"from_us": order.from_us, "until_us": order.until_us, "agency": agency or ""}
    _, unrecorded = journal_reading(loaded.config, state, "replay", chosen, time.time())
    if unrecorded:
        click.echo(f"saring: this reading could not be journalled: {unrecorded}", err=True)
    try:
        store = open_store(state, writer=False)
        try:
            with board_for_people(quiet) as board:
                return run_replay(state.snapshots, Library(state.lists), store, order, board.line("queries"))
        finally:
            store.close()
    except (ReplayError, StoreError) as error:
        fail(str(error))


def _show(report: ReplayReport, notes: tuple[str, ...], limit: int) -> None:
    result = report.result
    click.echo(f"against generation {report.generation}, over {result.queries:,} queries:")
    for change in report.changes:
        click.echo(f"  {change.text}")
    if not report.changes:
        click.echo("  the draft says what is in force")
    counts = {name.replace("_", " "): count for name, count in result.effects.items() if count and name != "same"}
    click.echo(
        "; ".join(f"{name} {count:,}" for name, count in counts.items()) or "no query would be decided otherwise"
    )
    if counts:
        print_rich(_tenants(report))
    for title, counted in (("newly blocked", result.newly_blocked), ("newly freed", result.newly_freed)):
        if counted.names and limit:
            click.echo(f"{title}: {counted.queries:,} queries for {counted.names:,} names")
            print_rich(_names(counted, limit))
    for note in notes:
        click.echo(f"note: {note}")


def _tenants(report: ReplayReport) -> Any:
    from rich.table import Table

    table = Table("agency", "queries", "newly blocked", "newly freed", box=None, header_style="bold", pad_edge=False)
    for one in report.result.tenants:
        blocked, freed = (one.effects.get(name, 0) for name in ("newly_blocked", "newly_freed"))
        if blocked or freed:
            name = f"{one.agency}/{one.unit}" if one.unit else one.agency or "-"
            table.add_row(name, f"{one.queries:,}", f"{blocked:,}", f"{freed:,}")
    return table


def _names(counted: EffectCount, limit: int) -> Any:
    from rich.table import Table

    table = Table("queries", "name", "now", "by the draft", "agencies", box=None, header_style="bold", pad_edge=False)
    for one in counted.top[:limit]:
        tenants = ", ".join(f"{name or '-'} {count:,}" for name, count in list(one.tenants.items())[:3])
        more = f" and {len(one.tenants) - 3} more" if len(one.tenants) > 3 else ""
        table.add_row(f"{one.queries:,}", one.name, _why(one.before), _why(one.after), tenants + more)
    return table


def _why(reason: Reason) -> str:
    from rich.markup import escape

    parts = (reason.rule, reason.list, reason.category, f"letter {reason.letter}" if reason.letter else "")
    told = ", ".join(part for part in parts if part)
    return escape(f"{reason.verdict} ({told})" if told else reason.verdict)
