"""``saring generations`` and ``saring rollback``: the versions of the policy."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, print_rich, state_of
from saring.commands.policy import kept_document
from saring.policy_edit import edit_as_json, edit_policy, show_edit

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.journal import Act
    from admin_api.restore import Restored
    from policy.difference_words import ChangeWords
    from policy.model import Policy

NUMBER = click.IntRange(min=1)


@click.group(invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also those that can only be compared and restored.")
@json_option
@click.pass_context
def generations(context: click.Context, everything: bool, as_json: bool) -> None:
    """List published snapshot generations, newest first; compare and restore them.

    `saring rollback N` swaps the reference to generation N: at once, without the database, and until the next edit,
    which publishes everything that the database holds. `saring generations restore N` sets the database back to
    generation N and publishes that: slower, audited, and it stays.
    """
    if context.invoked_subcommand is not None:
        return
    from saring.status import current_generation

    root = state_of(load_config(context)).snapshots
    current, _, _ = current_generation(root)
    found = _generations(root, current, everything)
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    table = Table("generation", "published", "revision", "", box=None, header_style="bold", pad_edge=False)
    for one in found:
        note = "in force" if one["current"] else one["damage"] or ("" if one["whole"] else "to compare and restore")
        table.add_row(str(one["generation"]), _when(one["published_s"]), str(one["revision"]), note)
    print_rich(table)


@generations.command()
@click.argument("number", type=NUMBER)
@json_option
@click.pass_context
def show(context: click.Context, number: int, as_json: bool) -> None:
    """Tell what generation NUMBER changed against the one that was in force before it."""
    from snapshots.history import read_manifest
    from snapshots.manifest import GenerationDamaged

    root = state_of(load_config(context)).snapshots
    try:
        manifest = read_manifest(root, number)
    except GenerationDamaged as fault:
        fail(f"generation {number}: {fault}")
    changes = _changes(root, manifest.previous, number)
    if as_json:
        head = {"generation": number, "published_s": manifest.created_s, "revision": manifest.revision}
        print_json(head | {"previous": manifest.previous, "changes": _plain(changes)})
        return
    click.echo(
        f"generation {number}, published {_when(manifest.created_s)}, database revision {manifest.revision}, "
        f"after generation {manifest.previous or '-'}"
    )
    _print(changes)


@generations.command()
@click.argument("before", type=NUMBER)
@click.argument("after", type=NUMBER)
@json_option
@click.pass_context
def diff(context: click.Context, before: int, after: int, as_json: bool) -> None:
    """Tell in words what is different in generation AFTER from generation BEFORE."""
    changes = _changes(state_of(load_config(context)).snapshots, before, after)
    if as_json:
        print_json({"before": before, "after": after, "changes": _plain(changes)})
    else:
        _print(changes)


@generations.command()
@click.argument("number", type=NUMBER)
@click.option("--yes", is_flag=True, help="Do it, and publish; without it everything is only shown.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done (as without --yes).")
@click.option("--revision", type=click.IntRange(min=0), help="Refuse unless the database is at this revision.")
@json_option
@click.pass_context
def restore(context: click.Context, number: int, yes: bool, dry_run: bool, revision: int | None, as_json: bool) -> None:
    """Set the control database back to generation NUMBER, and publish that as a new generation.

    Shows first what would change and what cannot be brought back: codes that others have by now, secrets; exceptions,
    pauses and people stay as they are. One audited edit; it can be undone by restoring the generation before it.
    """
    from admin_api.generation_record import RecordError
    from admin_api.restore import restore as set_back

    if yes and dry_run:
        raise click.UsageError("--yes and --dry-run are opposites")
    kept = kept_document(context, number)

    async def work(session: AsyncSession) -> tuple[Restored, list[Act]]:
        return await set_back(session, kept, number, int(time.time()))

    try:
        done = edit_policy(context, work, apply=yes, revision=revision)
    except RecordError as error:
        fail(f"generation {number} cannot be restored: {error}")
    if as_json:
        print_json(edit_as_json(done, done.result.notes))
    else:
        show_edit(done, done.result.notes, f"saring generations restore {number}")


@click.command()
@click.argument("number", required=False, type=NUMBER)
@json_option
@click.pass_context
def rollback(context: click.Context, number: int | None, as_json: bool) -> None:
    """Put generation NUMBER in force again (default: the one before).

    The control database keeps its edits: the next edit publishes all of them anew. `saring generations restore` sets
    the database back, too.
    """
    from snapshots.publish import PublishError
    from snapshots.publish import rollback as roll_back

    root = state_of(load_config(context)).snapshots
    try:
        now_in_force = roll_back(root, number)
    except (PublishError, OSError) as error:
        fail(f"nothing was changed: {error}")
    if as_json:
        print_json({"generation": now_in_force, "at_s": time.time()})
    else:
        click.echo(f"generation {now_in_force} is in force")


def _generations(root: Path, current: int, everything: bool) -> list[dict[str, Any]]:
    from snapshots.history import read_manifest
    from snapshots.layout import generation_path, history_numbers, numbers
    from snapshots.manifest import GenerationDamaged

    found: list[dict[str, Any]] = []
    for number in reversed([*(history_numbers(root) if everything else ()), *numbers(root)]):
        one = {"generation": number, "published_s": 0.0, "revision": 0, "current": False, "damage": "", "whole": True}
        try:
            manifest = read_manifest(root, number)
        except GenerationDamaged as error:
            found.append(one | {"damage": str(error)})
            continue
        whole = generation_path(root, number).is_dir()
        known = {"published_s": manifest.created_s, "revision": manifest.revision, "whole": whole}
        found.append(one | known | {"current": number == current})
    return found


def _changes(root: Path, before: int, after: int) -> tuple[ChangeWords, ...]:
    """The difference in words; everything is new against generation 0."""
    from policy.difference import difference
    from policy.difference_words import in_words
    from policy.model import Policy

    new = _policy(root, after)
    old = _policy(root, before) if before else Policy(new.regency)
    return in_words(difference(old, new), old, new)


def _policy(root: Path, number: int) -> Policy:
    from snapshots.generation import read_policy
    from snapshots.manifest import GenerationDamaged

    try:
        return read_policy(root, number)
    except GenerationDamaged as fault:
        fail(f"generation {number}: {fault}")


def _print(changes: tuple[ChangeWords, ...]) -> None:
    for change in changes:
        click.echo(change.text)
    if not changes:
        click.echo("no difference")


def _plain(changes: tuple[ChangeWords, ...]) -> Any:
    import msgspec

    return msgspec.to_builtins(changes)


def _when(at_s: float) -> str:
    return datetime.datetime.fromtimestamp(at_s).astimezone().strftime("%Y-%m-%d %H:%M:%S")
