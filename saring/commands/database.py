"""For commands that work in the control database: open it, run, and turn its failures into messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from saring.commands.common import fail, load_config, state_of

if TYPE_CHECKING:
    from saring.control import Control

Result = TypeVar("Result")


def with_control(context: click.Context, work: Callable[[Control], Awaitable[Result]]) -> Result:
    """The result of ``work`` on the control database. Ends the command where it is not there or does not answer."""
    from sqlalchemy.exc import SQLAlchemyError

    from saring.control import open_control

    loaded = load_config(context)
    state = state_of(loaded)
    if not loaded.config.database.url and not state.database.exists():
        fail(f"there is no control database in {state.root} yet; `saring init` or `saring serve` makes it")

    async def run() -> Result:
        async with open_control(loaded.config, state) as control:
            return await work(control)

    try:
        return asyncio.run(run())
    except (SQLAlchemyError, OSError) as error:
        fail(f"the control database does not answer: {(str(error).splitlines() or [''])[0]}")
