"""``saring tenants rename``, ``merge``, ``split`` and ``history``."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from saring.commands.common import fail, json_option, print_json, print_rich
from saring.commands.database import with_control
from saring.commands.fields import CODE, TITLE

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.bulk import Outcome
    from admin_api.features.successions import SuccessionOutput
    from admin_api.journal import Act
    from admin_api.reorganise.succession import Reorganisation
    from admin_api.schemas import Basis
    from saring.control import Control

Function = TypeVar("Function", bound=Callable[..., Any])


def act_options(function: Function) -> Function:
    """The options of every act: the letter that it rests on, and whether it is done."""
    options = (
        click.option("--letter", default="", help="Number of the letter that it rests on."),
        click.option("--letter-date", default=None, help="Its date, for example 2027-01-04."),
        click.option("--signer", default="", help="Who signed it."),
        click.option("--yes", is_flag=True, help="Do it; without it everything is only shown."),
    )
    for option in reversed(options):
        function = option(function)
    return json_option(function)


@click.command()
@click.argument("code", type=CODE)
@click.argument("new_code", type=CODE)
@click.option("--name", type=TITLE, help="Its new name.")
@act_options
@click.pass_context
def rename(context: click.Context, /, code: str, new_code: str, name: str | None, **options: Any) -> None:
    """Give the agency CODE the code NEW_CODE (the same, to change only its name).

    Rows of the query log keep the old code and are counted as the new one's.
    """
    _run(context, options, lambda act: act.rename(code, new_code, name or ""))


@click.command()
@click.argument("codes", nargs=-1, required=True, type=CODE)
@click.option("--into", required=True, type=CODE, help="One of them, another agency, or a new one (with --name).")
@click.option("--name", type=TITLE, help="Name of the merged agency.")
@click.option("--unit", "units", multiple=True, metavar="AGENCY/UNIT=CODE", help="New code of a unit; repeat.")
@act_options
@click.pass_context
def merge(
    context: click.Context,
    /,
    codes: tuple[str, ...],
    into: str,
    name: str | None,
    units: tuple[str, ...],
    **options: Any,
) -> None:
    """Make one agency of CODES. Units, networks, rules, devices and contacts go along."""
    unit_codes = dict(_pair(text, "--unit") for text in units)
    _run(context, options, lambda act: act.merge(list(dict.fromkeys(codes)), into, name or "", unit_codes))


@click.command()
@click.argument("code", type=CODE)
@click.option("--into", "parts", multiple=True, required=True, metavar="CODE[=NAME]", help="A part; repeat.")
@click.option("--unit", "units", multiple=True, metavar="UNIT=CODE", help="A unit (with all of its) for a part.")
@click.option("--network", "networks", multiple=True, metavar="NETWORK=CODE", help="A network of the agency itself.")
@click.option("--rule", "rules", multiple=True, metavar="ID=CODE", help="A rule of the agency itself.")
@click.option("--rest", type=CODE, help="The part that keeps the rest; without it the agency itself goes on.")
@click.option("--copy-rules/--no-copy-rules", default=True, help="Whether its rules hold for new parts, too.")
@act_options
@click.pass_context
def split(
    context: click.Context,
    /,
    code: str,
    parts: tuple[str, ...],
    units: tuple[str, ...],
    networks: tuple[str, ...],
    rules: tuple[str, ...],
    rest: str | None,
    copy_rules: bool,
    **options: Any,
) -> None:
    """Make several agencies of the agency CODE.

    Rows of the query log before the split stay the agency's; reports of its parts name them beside their own.
    """
    from admin_api.reorganise.succession import Part

    names = {part.partition("=")[0]: part.partition("=")[2] for part in parts}
    given: dict[str, dict[str, list[Any]]] = {part: {"units": [], "networks": [], "rules": []} for part in names}
    for kind, option, texts in (
        ("units", "--unit", units),
        ("networks", "--network", networks),
        ("rules", "--rule", rules),
    ):
        for text in texts:
            what, part = _pair(text, option)
            if part not in given:
                raise click.UsageError(f"{option} {text}: {part} is none of the parts (--into)")
            if kind == "rules" and not (what.isascii() and what.isdigit()):
                raise click.UsageError(f"{option} {text}: a rule is named by its number")
            given[part][kind].append(int(what) if kind == "rules" else what)
    wanted = [
        Part(part, name, *(tuple(given[part][kind]) for kind in ("units", "networks", "rules")))
        for part, name in names.items()
    ]
    _run(context, options, lambda act: act.split(code, wanted, rest or code, copy_rules=copy_rules))


@click.command()
@json_option
@click.pass_context
def history(context: click.Context, as_json: bool) -> None:
    """Show which agencies were renamed, merged and split, the oldest first."""
    from sqlalchemy import select

    from admin_api.database import reading
    from admin_api.features.successions import show
    from admin_api.models import SuccessionRow

    async def run(control: Control) -> list[SuccessionOutput]:
        async with reading(control.sessions) as session:
            rows = await session.scalars(select(SuccessionRow).order_by(SuccessionRow.id))
            return [show(row) for row in rows]

    found = with_control(context, run)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    from rich.table import Table

    table = Table("when", "", "before", "after", "letter", box=None, header_style="bold", pad_edge=False)
    for one in found:
        day = one.at.astimezone().strftime("%Y-%m-%d")
        before, after = (", ".join(side.code for side in sides) for sides in (one.before, one.after))
        table.add_row(day, one.kind.value, before, after, one.basis.number or "-")
    print_rich(table)


def _run(context: click.Context, options: dict[str, Any], do: Callable[[Reorganisation], Awaitable[None]]) -> None:
    from admin_api.bulk import BulkRefusedError, run_bulk
    from admin_api.reorganise.succession import Reorganisation
    from admin_api.rest.problem import Problem
    from admin_api.rest.route import Editor
    from saring.people import local_actor

    now_s, actor, basis = time.time(), local_actor(), _letter(options)

    async def work(session: AsyncSession) -> tuple[list[str], list[Act]]:
        reorganisation = Reorganisation(session, Editor(actor.login, now_s), basis)
        await do(reorganisation)
        return reorganisation.ledger.warnings, reorganisation.ledger.acts

    async def run(control: Control) -> Outcome[list[str]]:
        return await run_bulk(control.sessions, work, actor, now_s, apply=options["yes"])

    try:
        done = with_control(context, run)
    except (Problem, BulkRefusedError) as error:
        fail("\n".join(f"{one.field} ({one.value}): {one.message}; right: {one.expected}" for one in error.errors))
    warnings = [*done.result, *done.warnings]
    if options["as_json"]:
        acts = [dataclasses.asdict(act) for act in done.acts]
        print_json({"applied": done.applied, "acts": acts, "warnings": warnings})
        return
    _show(done.acts, warnings)
    click.echo("done" if done.applied else "nothing was done: --yes does it")


def _show(acts: tuple[Act, ...], warnings: list[str]) -> None:
    from rich.table import Table

    table = Table("", "what", "", "", box=None, header_style="bold", pad_edge=False)
    for act in acts:
        was, is_now = (", ".join(_texts(side)) for side in (act.before, act.after))
        table.add_row(act.action, act.kind, act.label, " -> ".join(filter(None, (was, is_now))))
    print_rich(table)
    for warning in warnings:
        click.echo(f"! {warning}")


def _texts(side: dict[str, Any] | None) -> list[str]:
    return [
        ", ".join(f"{code} ({name})" for code, name in value.items()) if isinstance(value, dict) else str(value)
        for value in (side or {}).values()
    ]


def _letter(options: dict[str, Any]) -> Basis:
    from pydantic import ValidationError

    from admin_api.schemas import Basis

    try:
        return Basis(number=options["letter"], date=options["letter_date"], signer=options["signer"])
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise click.UsageError(f"the letter's {wrong['loc'][0]}: {wrong['msg']}") from None


def _pair(text: str, option: str) -> tuple[str, str]:
    what, sign, whose = text.rpartition("=")
    if not sign or not what or not whose:
        raise click.UsageError(f"{option} {text}: write WHAT=CODE")
    return what, whose
