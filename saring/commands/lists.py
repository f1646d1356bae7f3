"""``saring lists``: which there are, and entering one. Its other commands are in the modules beside this one."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blocklists.source import FORMAT_NAMES
from blocklists.transfer.tsig import ALGORITHMS
from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.database import with_control
from saring.commands.fields import CODE, TITLE
from saring.commands.lists_insight import overlap, show, who
from saring.commands.lists_overrides import accept, approve, overrides, withdraw
from saring.commands.lists_switch import disable, enable
from saring.commands.lists_sync import sync
from saring.commands.lists_versions import diff, history, rollback

if TYPE_CHECKING:
    from rich.table import Table

    from saring.control import Control
    from saring.list_report import ListReport


@click.group()
def lists() -> None:
    """Blocklists: where they come from, what is in them."""


@lists.command("list")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List all blocklists: what is in them, what each adds to the others, how old they are, what went wrong."""
    from saring.list_report import load_reports

    state = state_of(load_config(context))

    async def work(control: Control) -> list[ListReport]:
        return await load_reports(control, state, time.time())

    found = with_control(context, work)
    if as_json:
        print_json([one.document() for one in found])
        return
    print_rich(_table(found, time.time()))
    for one in found:
        if one.health.enabled and one.health.trouble:
            click.echo(f"! {one.row.code}: {one.health.trouble}")


def _table(found: list[ListReport], now_s: float) -> Table:
    from rich.table import Table
    from rich.text import Text

    from saring.status_text import ago, size

    table = Table(
        *("list", "names", "only here", "adds", "in vain", "hits", "never hit", "version", "changed", "age", "disk"),
        *("categories", "last try"),
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for one in found:
        share, hits, health = one.share, one.hits, one.health
        result = health.result if health.enabled else "switched off"
        table.add_row(
            one.row.code,
            f"{health.entries:,}",
            *(f"{value:,}" for value in (share.unique, share.contribution, share.shadowed)) if share else ("-",) * 3,
            *(f"{value:,}" for value in (hits.hits, hits.never_hit)) if hits else ("-",) * 2,
            str(health.version or "-"),
            ago(health.changed_s, now_s),
            Text(ago(health.good_s, now_s), style="red" if health.stale else ""),
            size(health.size_bytes),
            " ".join(one.row.categories),
            Text(result, style="" if result == "good" else "yellow"),
        )
    return table


@lists.command()
@click.argument("code", type=CODE)
@click.argument("location")
@click.option("--title", type=TITLE, help="Default: the code.")
@click.option("--category", "categories", multiple=True, required=True, type=CODE, help="What it is about; repeat.")
@click.option("--format", "form", type=click.Choice(FORMAT_NAMES), default="auto")
@click.option("--member", default="", help="Of a folder or tar archive: the folder of one category, or a file.")
@click.option("--landing", multiple=True, help="Name or address to which the publisher sends what he blocks; repeat.")
@click.option("--sha256", default="", help="The only content that is taken, by its digest.")
@click.option("--rewrites", is_flag=True, help="It may send names to addresses of its choice.")
@click.option("--tsig-name", default="", help="Of a zone: the TSIG key that signs its transfer.")
@click.option("--tsig-algorithm", type=click.Choice(ALGORITHMS), default=ALGORITHMS[0])
@click.option("--tsig-secret-file", default="", help="The file that has the key's secret, in Base64.")
@click.option("--allow-private", is_flag=True, help="It may be at a private or loopback address.")
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
    member: str,
    landing: tuple[str, ...],
    sha256: str,
    rewrites: bool,
    tsig_name: str,
    tsig_algorithm: str,
    tsig_secret_file: str,
    allow_private: bool,
    national: bool,
    as_json: bool,
) -> None:
    """Enter the list CODE, fetched from LOCATION: an http(s) URL, a path, or rpz://address[:port]/zone.name for a zone
    that is transferred. A running Saring fetches it soon.
    """
    from saring.new_list import ListRefusedError, NewList, add_list

    wanted = NewList(code, title or code, location, form, national, categories, member, landing, sha256)
    wanted = dataclasses.replace(
        wanted,
        rewrites=rewrites,
        tsig_name=tsig_name,
        tsig_algorithm=tsig_algorithm,
        tsig_secret_file=str(Path(tsig_secret_file).absolute()) if tsig_secret_file else "",
        allow_private=allow_private,
    )

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


for _command in (
    *(show, overlap, who, history, sync, enable, disable, diff, rollback),
    *(accept, approve, withdraw, overrides),
):
    lists.add_command(_command)
