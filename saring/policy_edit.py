"""Editing the whole policy from the command line: rehearsed, or applied and published, in the name of who types."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import click

from saring.commands.common import fail, load_config, state_of
from saring.commands.database import with_control

if TYPE_CHECKING:
    from admin_api.bulk import Outcome, Work
    from policy.difference_words import ChangeWords
    from saring.control import Control

T = TypeVar("T")


def edit_policy(context: click.Context, work: Work[T], *, apply: bool, revision: int | None) -> Outcome[T]:
    """What ``work`` does; where it is applied, it is published at once, and the generation told.

    Ends the command where the edit is refused, or the database is not at ``revision``.
    """
    from admin_api.bulk import BulkRefusedError, MovedError, run_bulk
    from admin_api.rest.problem import mistakes
    from saring.people import local_actor
    from saring.publisher import Publisher, PublishError

    state = state_of(load_config(context))

    async def run(control: Control) -> Outcome[T]:
        now_s = time.time()
        done = await run_bulk(control.sessions, work, local_actor(), now_s, apply=apply, at_revision=revision)
        if done.applied and state.run.is_dir():
            try:
                published = await Publisher(state, control.sessions, time.time).publish()
                click.echo(f"generation {published.generation} is in force", err=True)
            except (PublishError, OSError) as error:
                click.echo(f"saring: saved, but not in force: {error}", err=True)
        return done

    try:
        return with_control(context, run)
    except BulkRefusedError as refused:
        fail(f"nothing was done; it has {mistakes(refused.errors)}")
    except MovedError as moved:
        fail(f"nothing was done: {moved}")


def told_changes(done: Outcome[T]) -> list[ChangeWords]:
    """What the edit changes, in words."""
    from admin_api.difference_told import told

    return told(done.before, done.after, done.acts)


def show_edit(done: Outcome[T], notes: tuple[str, ...], again: str) -> None:
    """For people: what changes, what does not come out as asked, and how to do it. ``again``: the command for that."""
    changes = told_changes(done)
    for change in changes:
        click.echo(change.text)
    for note in notes:
        click.echo(f"note: {note}")
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    if done.applied:
        click.echo(f"done: {len(changes)} changes; the database is at revision {done.revision}")
    elif not changes:
        click.echo("nothing to change")
    else:
        click.echo(f"{len(changes)} changes; nothing was done. To do it: {again} --yes --revision {done.revision}")


def edit_as_json(done: Outcome[T], notes: tuple[str, ...]) -> dict[str, object]:
    """The same for programs."""
    import msgspec

    return {
        "applied": done.applied,
        "revision": done.revision,
        "changes": msgspec.to_builtins(told_changes(done)),
        "notes": list(notes),
        "warnings": list(done.warnings),
    }
