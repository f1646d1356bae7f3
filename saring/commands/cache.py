"""``saring cache flush`` and ``show``."""

from __future__ import annotations

import time
from typing import Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of

_WAIT_S = 5.0
_LOOK_S = 0.1


@click.group()
def cache() -> None:
    """What workers remember of upstream answers: show, flush."""


@cache.command()
@click.argument("name", required=False)
@click.option("--below", is_flag=True, help="The name and every name below it.")
@click.option("--all", "everything", is_flag=True, help="Everything.")
@json_option
@click.pass_context
def flush(context: click.Context, name: str | None, below: bool, everything: bool, as_json: bool) -> None:
    """Have all workers forget what they know of NAME, so that upstreams are asked again.

    A decision is never cached in this sense: edits of the policy hold from the next query without this.
    """
    from dnswire.errors import NameSyntaxError
    from resolver.cache_orders import FlushKind, give

    if everything == (name is not None) or (below and everything):
        raise click.UsageError("give a NAME (with --below or not), or --all")
    kind = FlushKind.ALL if everything else FlushKind.SUFFIX if below else FlushKind.NAME
    state = state_of(load_config(context))
    try:
        order = give(state.cache_orders, kind, name or "", time.time())
    except NameSyntaxError as fault:
        fail(f"{name!r} is no name: {fault}")
    except OSError as fault:
        fail(f"the order could not be written: {fault}")
    done, running = _wait(state, order.number)
    if as_json:
        print_json({"order": order.number, "kind": kind.value, "name": order.name, "workers": running, "done": done})
    elif not running:
        click.echo("no worker is running; what was saved over the restart is held against this order")
    else:
        click.echo(f"forgotten by {done} of {running} workers")
    context.exit(0 if done == running else 1)


def _wait(state: Any, number: int) -> tuple[int, int]:
    """(workers that have carried the order out, workers that run), after a few seconds at most."""
    from saring.status import collect

    deadline_s = time.monotonic() + _WAIT_S
    while True:
        workers = [worker for worker in collect(state, time.time()).workers if worker.answering]
        done = sum(worker.cache["orders_done"] >= number for worker in workers)
        if done == len(workers) or time.monotonic() >= deadline_s:
            return done, len(workers)
        time.sleep(_LOOK_S)


@cache.command()
@json_option
@click.pass_context
def show(context: click.Context, as_json: bool) -> None:
    """Show how each worker's cache does."""
    from saring.status import collect

    workers = collect(state_of(load_config(context)), time.time()).workers
    if as_json:
        print_json([{"worker": worker.number, **worker.cache} for worker in workers])
        return
    from rich.table import Table

    columns = ("entries", "size_bytes", "hits", "misses", "stale", "refreshed", "evicted", "flushed")
    table = Table("worker", *columns, box=None, header_style="bold", pad_edge=False)
    for worker in workers:
        table.add_row(str(worker.number), *(f"{worker.cache.get(column, 0):,}" for column in columns))
    print_rich(table)
