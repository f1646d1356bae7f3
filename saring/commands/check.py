"""``saring check``: what becomes of a name or an address, and why, by the code of the data path."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.fields import INSTANT

if TYPE_CHECKING:
    from policy.asked import Asked
    from policy.explanation import Explanation
    from saring.config import Loaded


@click.command()
@click.argument("name")
@click.option("--type", "type_text", default="A", show_default=True, help="Type of the query: A, AAAA, HTTPS, ...")
@click.option("--client", help="Address of the client. Default: 127.0.0.1.")
@click.option("--agency", help="Code of an agency, or AGENCY/UNIT, instead of a client.")
@click.option(
    "--at",
    "at_s",
    type=INSTANT,
    help="At this time (2026-11-24T09:30), by the policy of then. Default: now.",
)
@click.option("--generation", type=click.IntRange(min=1), help="By the policy of this generation.")
@click.option("--resolve", is_flag=True, help="Ask the upstreams, and explain what their answer leads to.")
@click.option("--lines", is_flag=True, help="Look up the line of every list's entry, however long the list.")
@json_option
@click.pass_context
def check(
    context: click.Context,
    name: str,
    type_text: str,
    client: str | None,
    agency: str | None,
    at_s: float | None,
    generation: int | None,
    resolve: bool,
    lines: bool,
    as_json: bool,
) -> None:
    """Explain what becomes of NAME, for a client or an agency, and why.

    NAME can be an address: then it is one in an upstream's answer. Reads the snapshots; nothing needs to run.
    """
    from dataclasses import replace

    from policy.asked import AskedWrong
    from snapshots.generation import NoGenerationError

    if client and agency:
        raise click.UsageError("give --client or --agency, not both")
    asked = _about(name, type_text)
    if agency:
        code, _, unit = agency.partition("/")
        asked = replace(asked, agency=code, unit=unit)
    else:
        asked = replace(asked, client=_address(client or "127.0.0.1"))
    asked = replace(asked, at_s=at_s, generation=generation or 0, resolve=resolve, lines=lines)
    try:
        explanation = asyncio.run(_explained(load_config(context), asked))
    except (NoGenerationError, AskedWrong) as error:
        fail(str(error))
    if as_json:
        import msgspec

        number = explanation.of_generation.number if explanation.of_generation is not None else 0
        print_json(msgspec.to_builtins(explanation) | {"generation": number})
    else:
        from saring.explanation_tree import tree

        print_rich(tree(explanation))


def _about(name: str, type_text: str) -> Asked:
    """The subject of the question."""
    from dnswire.errors import NameSyntaxError
    from dnswire.name import from_text, lower
    from policy.asked import Asked
    from saring.rrtypes import type_number

    try:
        return Asked(address=ipaddress.ip_address(name).packed)
    except ValueError:
        pass
    try:
        return Asked(name=lower(from_text(name)), rrtype=type_number(type_text))
    except (NameSyntaxError, ValueError) as error:
        raise click.UsageError(str(error)) from None


async def _explained(loaded: Loaded, asked: Asked) -> Explanation:
    from blocklists.library import Library
    from saring.explain_network import network_of
    from saring.explaining import Explaining

    state = state_of(loaded)
    explaining = Explaining(state.snapshots, Library(state.lists), lambda: network_of(loaded.config))
    try:
        return await explaining.explain(asked)
    finally:
        await explaining.close()


def _address(text: str) -> bytes:
    try:
        return ipaddress.ip_address(text).packed
    except ValueError:
        raise click.UsageError(f"{text!r} is not an IPv4 or IPv6 address") from None
