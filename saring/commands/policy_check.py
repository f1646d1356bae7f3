"""``saring policy check``: everything that is wrong with the policy, in vain, or worth knowing."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import click

from saring.commands.common import json_option, load_config, print_json
from saring.commands.database import with_control

if TYPE_CHECKING:
    from policy.problems import Problem
    from saring.control import Control

_STYLES = {"error": "red", "harm": "red", "warning": "yellow"}


@click.command()
@click.option("--severity", type=click.Choice(("error", "harm", "warning", "note")), help="Only such findings.")
@json_option
@click.pass_context
def check(context: click.Context, severity: str | None, as_json: bool) -> None:
    """Review the policy as it is entered: faults, rules that can never win, contradictions, missing letters.

    Ends with status 1 where something is wrong that could not be entered today.
    """
    from admin_api.database import reading
    from admin_api.surroundings import load_surroundings
    from admin_api.to_policy import load_policy
    from policy.problems import REFUSED
    from policy.review import review
    from saring.own_names import own_names

    own = own_names(load_config(context).config)

    async def work(control: Control) -> list[Problem]:
        async with reading(control.sessions) as session:
            policy = await load_policy(session)
            return review(policy, await load_surroundings(session, time.time(), own, control.library))

    found = with_control(context, work)
    shown = [problem for problem in found if severity in (None, problem.severity)]
    if as_json:
        print_json([dataclasses.asdict(problem) for problem in shown])
    else:
        for problem in shown:
            label = click.style(problem.severity, fg=_STYLES.get(problem.severity))
            click.echo(f"{label}: {problem.part} {problem.key}, {problem.field}: {problem.message}; {problem.remedy}")
        number = "1 finding" if len(shown) == 1 else f"{len(shown)} findings"
        click.echo(number if shown else "nothing to say: the policy is sound")
    if any(problem.severity in REFUSED for problem in found):
        context.exit(1)
