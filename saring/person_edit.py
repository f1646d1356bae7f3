"""Edits from the command line where it matters who types: what one asks for, another decides."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from saring.commands.common import fail, load_config, state_of
from saring.commands.database import with_control

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.journal import Act, Actor
    from saring.control import Control

T = TypeVar("T")

PersonWork = Callable[["AsyncSession", "Actor", "Control", float], Awaitable[tuple[T, "Act"]]]
"""Gives what is shown (no rows: they are not readable any more afterwards), and the act for the journal."""


def edit_in_policy(context: click.Context, work: PersonWork[T]) -> tuple[T, str]:
    """Runs ``work`` as an edit of what policy is made of, and publishes it at once.

    Returns what it gave and whether it is in force, in words. Ends the command where it is refused.
    """
    from admin_api.bulk import BulkRefusedError, Outcome, run_bulk
    from saring import people
    from saring.own_names import own_names

    config = load_config(context).config
    actor, now_s = people.local_person(), time.time()

    async def run(control: Control) -> tuple[T, str]:
        async def one(session: AsyncSession) -> tuple[T, list[Act]]:
            result, act = await work(session, actor, control, now_s)
            return result, [act]

        try:
            done: Outcome[T] = await run_bulk(
                control.sessions, one, actor, now_s, apply=True, own_names=own_names(config)
            )
        except BulkRefusedError as refused:
            fail("; ".join(f"{error.field}: {error.message}" for error in refused.errors))
        for warning in done.warnings:
            click.echo(warning, err=True)
        return done.result, await _published(context, control)

    return _told(context, run)


def edit_beside(context: click.Context, work: PersonWork[T]) -> T:
    """Runs ``work`` as an edit that policy does not see. Ends the command where it is refused."""
    from admin_api.database import current_revision, editing
    from admin_api.journal import record
    from saring import people

    actor, now_s = people.local_person(), time.time()

    async def run(control: Control) -> T:
        async with editing(control.sessions) as session:
            result, act = await work(session, actor, control, now_s)
            record(session, actor, act, now_s, await current_revision(session))
        return result

    return _told(context, run)


def _told(context: click.Context, run: Callable[[Control], Awaitable[T]]) -> T:
    from admin_api.exceptions import ExceptionRefusedError
    from admin_api.pauses import PauseRefusedError
    from admin_api.rest.problem import Problem

    try:
        return with_control(context, run)
    except (ExceptionRefusedError, PauseRefusedError, LookupError) as error:
        fail(str(error))
    except Problem as problem:
        wrong = "\n".join(f"  {one.field} {one.message}; {one.expected}" for one in problem.errors)
        fail(f"{problem.detail}:\n{wrong}" if wrong else problem.detail)


async def _published(context: click.Context, control: Control) -> str:
    from saring.publisher import Publisher, PublishError

    state = state_of(load_config(context))
    if not state.run.is_dir():
        return "it is in force when Saring starts"
    try:
        published = await Publisher(state, control.sessions, time.time).publish()
    except (PublishError, OSError) as error:
        return f"saved, but not in force: {error}"
    return f"in force since generation {published.generation}"
