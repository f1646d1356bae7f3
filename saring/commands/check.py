"""``saring check``: what becomes of a name, and why, by the code of the data path."""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.fields import INSTANT

if TYPE_CHECKING:
    from rich.tree import Tree

    from policy.explain import Who
    from policy.explanation import Explanation
    from policy.model import Policy


@click.command()
@click.argument("name")
@click.option("--type", "type_text", default="A", show_default=True, help="Type of the query: A, AAAA, HTTPS, ...")
@click.option("--client", help="Address of the client. Default: 127.0.0.1.")
@click.option("--agency", help="Code of an agency, or AGENCY/UNIT, instead of a client.")
@click.option("--at", "at_s", type=INSTANT, help="At this time, for example 2026-11-24T09:30. Default: now.")
@json_option
@click.pass_context
def check(
    context: click.Context,
    name: str,
    type_text: str,
    client: str | None,
    agency: str | None,
    at_s: float | None,
    as_json: bool,
) -> None:
    """Explain what becomes of NAME, for a client or an agency, and why.

    Reads the snapshot in force; nothing needs to run. The name alone is looked at, not what an upstream would answer.
    """
    from dnswire.errors import NameSyntaxError
    from dnswire.name import from_text, lower
    from policy.explain import explain
    from saring.rrtypes import type_number
    from snapshots.generation import NoGenerationError, open_current

    if client and agency:
        raise click.UsageError("give --client or --agency, not both")
    try:
        wire, rrtype = lower(from_text(name)), type_number(type_text)
    except (NameSyntaxError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    address = _address(client or "127.0.0.1") if not agency else None
    state = state_of(load_config(context))
    try:
        generation = open_current(state.snapshots)
    except NoGenerationError as error:
        fail(str(error))
    try:
        who = _who(generation.policy, address, agency)
        explanation = explain(generation.policy, generation.index, who, wire, rrtype, at_s or time.time())
        number = generation.number
    finally:
        generation.close()
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(explanation) | {"generation": number})
    else:
        print_rich(_tree(explanation, number))


def _address(text: str) -> bytes:
    try:
        return ipaddress.ip_address(text).packed
    except ValueError:
        raise click.UsageError(f"{text!r} is not an IPv4 or IPv6 address") from None


def _who(policy: Policy, address: bytes | None, agency: str | None) -> Who:
    from policy.explain import ByAddress, ByTenant

    if address is not None:
        return ByAddress(address)
    code, _, unit_code = (agency or "").partition("/")
    agency_id = next((one.id for one in policy.agencies if one.code == code), 0)
    if not agency_id:
        fail(f"there is no agency {code}; known are {', '.join(one.code for one in policy.agencies)}")
    if not unit_code:
        return ByTenant(agency_id)
    units = [one for one in policy.units if one.agency_id == agency_id]
    unit_id = next((one.id for one in units if one.code == unit_code), 0)
    if not unit_id:
        fail(f"{code} has no unit {unit_code}; known are {', '.join(one.code for one in units) or 'none'}")
    return ByTenant(agency_id, unit_id)


def _tree(explanation: Explanation, generation: int) -> Tree:
    from rich.markup import escape
    from rich.tree import Tree

    from saring.rrtypes import type_text

    decision = explanation.decision
    colour = {"ALLOWED": "green", "BLOCKED": "red", "REDIRECTED": "red", "OBSERVED": "yellow"}.get(
        decision.verdict_name.upper(), "bold"
    )
    title = f"{escape(explanation.name)} {type_text(explanation.rrtype)}: "
    tree = Tree(f"{title}[{colour}]{escape(decision.verdict_name)}[/] ({escape(decision.layer_name)})")
    tree.add(f"answer: {escape(decision.response)}")
    if decision.ede_text:
        tree.add(f"told to the client: {escape(decision.ede_text)}")
    client = explanation.client
    who = " / ".join(client.path) + ("" if client.admitted else " (not admitted)")
    tree.add(f"client: {escape(client.address or '-')} {escape(who)}")
    tree.add(f"at {explanation.at}, generation {generation}, revision {explanation.revision}")
    branch = tree.add("what has a say, strongest first")
    for finding in explanation.findings:
        mark = "[bold]=>[/] " if finding.wins else "   "
        line = branch.add(f"{mark}{escape(finding.layer_name)}: {escape(finding.source)}: {escape(finding.outcome)}")
        if finding.title:
            line.add(escape(finding.title))
        if finding.matched:
            line.add(f"matched {escape(finding.matched)}")
        if finding.list_text:
            line.add(f"line {finding.list_line}: {escape(finding.list_text)}")
        if finding.list_version:
            line.add(f"version {escape(finding.list_version)}")
        if finding.letter is not None and finding.letter.number:
            letter = finding.letter
            line.add(f"letter {escape(letter.number)}, {escape(letter.date)}, {escape(letter.signer)}")
        if finding.schedule is not None:
            line.add(f"schedule {escape(finding.schedule.code)}: {escape(finding.schedule.state)}")
    return tree
