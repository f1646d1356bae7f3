"""``saring catalogue``."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import click

from saring.commands.common import fail, json_option, print_json, print_rich
from saring.commands.database import with_control
from saring.commands.fields import CODE

if TYPE_CHECKING:
    from saring.catalogue_adoption import Entered
    from saring.control import Control


@click.group()
def catalogue() -> None:
    """Services and lists to choose from; none does anything until it is added."""


@catalogue.command()
@click.option("--category", type=CODE, help="Only those of this category.")
@json_option
@click.pass_context
def services(context: click.Context, category: str | None, as_json: bool) -> None:
    """List services that people block, with their names."""
    from admin_api.catalogue.read import catalogue as read

    adopted, _ = _adopted(context)
    found = [entry for entry in read().services.values() if category in (None, entry.category)]
    if as_json:
        print_json([entry.model_dump(mode="json") | {"adopted": entry.code in adopted} for entry in found])
        return
    from rich.table import Table

    table = Table("service", "title", "category", "", "names", box=None, header_style="bold", pad_edge=False)
    for entry in found:
        mark = "added" if entry.code in adopted else ""
        table.add_row(entry.code, entry.title, entry.category, mark, " ".join(entry.names))
    print_rich(table)


@catalogue.command()
@click.option("--category", type=CODE, help="Only those that feed this category.")
@json_option
@click.pass_context
def sources(context: click.Context, category: str | None, as_json: bool) -> None:
    """List blocklists that others publish: where, in which format, about what, under which licence."""
    from admin_api.catalogue.read import catalogue as read

    _, adopted = _adopted(context)
    found = [entry for entry in read().sources.values() if category is None or category in entry.categories]
    if as_json:
        print_json([entry.model_dump(mode="json") | {"adopted": entry.code in adopted} for entry in found])
        return
    from rich.table import Table

    table = Table("list", "title", "categories", "format", "licence", "", box=None, header_style="bold", pad_edge=False)
    for entry in found:
        mark = "added" if entry.code in adopted else ""
        table.add_row(entry.code, entry.title, " ".join(entry.categories), entry.format, entry.licence, mark)
    print_rich(table)


@catalogue.command()
@click.argument("codes", nargs=-1, required=True, type=CODE)
@click.option(
    "--enable", is_flag=True, help="Lists: fetch them and block by them at once; else they wait switched off."
)
@click.option(
    "--mirror", type=click.IntRange(0, 10), default=0, help="Lists: 0 the publisher's address, 1 a mirror ..."
)
@json_option
@click.pass_context
def add(context: click.Context, codes: tuple[str, ...], enable: bool, mirror: int, as_json: bool) -> None:
    """Enter services or lists CODES into the control database, all of them or none; their categories, too."""
    from admin_api.catalogue.read import catalogue as read
    from saring.catalogue_adoption import AdoptionError, adopt

    async def work(control: Control) -> list[Entered]:
        return await adopt(control.sessions, read(), codes, enable, mirror, time.time())

    try:
        entered = with_control(context, work)
    except AdoptionError as error:
        fail(str(error))
    if as_json:
        print_json([dataclasses.asdict(one) for one in entered])
        return
    for one in entered:
        click.echo(f"{one.kind} {one.code} entered")
    if any(one.kind == "blocklist" for one in entered):
        click.echo(_what_now(enable))


def _what_now(enable: bool) -> str:
    if enable:
        return "`saring lists sync` (or a running Saring, by itself) fetches what is new"
    return "lists wait switched off; `saring lists enable CODE` switches one on"


def _adopted(context: click.Context) -> tuple[set[str], set[str]]:
    """What the database has; nothing where there is none yet: the catalogue can be read all the same."""
    from saring.catalogue_adoption import adopted_codes

    async def work(control: Control) -> tuple[set[str], set[str]]:
        return await adopted_codes(control.sessions)

    try:
        return with_control(context, work)
    except click.ClickException:
        return set(), set()
