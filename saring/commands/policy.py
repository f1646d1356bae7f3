"""``saring policy``: the whole policy as one file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saring.commands.common import fail, json_option, load_config, print_json, state_of
from saring.commands.database import with_control
from saring.commands.policy_check import check
from saring.policy_edit import edit_as_json, edit_policy, show_edit

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from admin_api.document_export import Exported
    from admin_api.document_replace import Replaced
    from admin_api.journal import Act
    from admin_api.seed_document import Document
    from saring.control import Control


@click.group()
def policy() -> None:
    """The whole policy: reviewed, or as one file that people can read and change."""


policy.add_command(check)


@policy.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--generation", type=click.IntRange(min=1), help="As this generation was published. Default: as it is.")
@json_option
@click.pass_context
def export(context: click.Context, file: Path | None, generation: int | None, as_json: bool) -> None:
    """Write the policy as TOML (--json: JSON), to FILE or to the terminal.

    Sorted, in codes; without secrets, users, exceptions and pauses. Importing it changes nothing.
    """
    from admin_api.document_text import document_text

    exported = kept_document(context, generation) if generation else _database(context)
    document = exported.document
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n" if as_json else document_text(document)
    if file is None:
        click.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8", newline="")
    click.echo(f"{file} written")


@policy.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do it, and publish; without it everything is only shown.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done (as without --yes).")
@click.option("--revision", type=click.IntRange(min=0), help="Refuse unless the database is at this revision.")
@json_option
@click.pass_context
def import_(context: click.Context, file: Path, yes: bool, dry_run: bool, revision: int | None, as_json: bool) -> None:
    """Bring the policy to what FILE (TOML or JSON) says. What the file does not name is deleted.

    `saring init FILE` enters a file without deleting anything. `saring replay --draft FILE` tells what this one would
    have done to queries that were asked.
    """
    from admin_api.document_replace import replace_document

    if yes and dry_run:
        raise click.UsageError("--yes and --dry-run are opposites")
    document = read_policy_file(file)

    async def work(session: AsyncSession) -> tuple[Replaced, list[Act]]:
        return await replace_document(session, document, int(time.time()))

    done = edit_policy(context, work, apply=yes, revision=revision)
    if as_json:
        print_json(edit_as_json(done, done.result.stays))
    else:
        show_edit(done, done.result.stays, f"saring policy import {file}")


def read_policy_file(file: Path) -> Document:
    """A checked policy file. Ends the command with every mistake."""
    import pydantic

    from admin_api.rest.problem import mistakes
    from admin_api.rest.validation import field_errors
    from admin_api.seed import checked_document
    from saring.bootstrap import BootstrapError, locate_lists, read_document

    try:
        content = _json(file) if file.suffix == ".json" else read_document(file)
        locate_lists(content, file.absolute().parent)
        document, errors = checked_document(content)
    except BootstrapError as error:
        fail(str(error))
    except (ValueError, RecursionError) as error:
        if not isinstance(error, pydantic.ValidationError):
            fail(f"{file} cannot be read: {error}")
        errors = field_errors(error.errors(include_url=False))
    if errors:
        fail(f"{file} has {mistakes(errors)}")
    return document


def _json(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_bytes())
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")
    return content


def kept_document(context: click.Context, generation: int) -> Exported:
    """The document that a generation keeps. Ends the command where there is none."""
    from admin_api.generation_record import RecordError, decode_record
    from snapshots.generation import read_record
    from snapshots.manifest import GenerationDamaged

    try:
        return decode_record(read_record(state_of(load_config(context)).snapshots, generation))
    except (GenerationDamaged, RecordError) as fault:
        fail(f"generation {generation}: {fault}")


def _database(context: click.Context) -> Exported:
    from admin_api.database import reading
    from admin_api.document_export import export_document

    async def run(control: Control) -> Exported:
        async with reading(control.sessions) as session:
            return await export_document(session)

    return with_control(context, run)
