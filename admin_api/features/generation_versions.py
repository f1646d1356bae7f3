"""Generations as versions of the policy: compared in words, read as a file, restored."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import reading
from admin_api.difference_told import POLICY_KINDS, told
from admin_api.document_export import Exported
from admin_api.document_text import document_text
from admin_api.features.difference_schemas import ChangeOutput, show_changes
from admin_api.features.generations import MAX_GENERATION, PATH, GenerationPath, existing
from admin_api.features.policy_file import TOML_TYPE, PolicyImportQuery
from admin_api.generation_record import RecordError, decode_record
from admin_api.journal import Act
from admin_api.models import Audit
from admin_api.rest.auth import Scope
from admin_api.rest.edit import edit_many
from admin_api.rest.problem import conflict, not_found
from admin_api.rest.route import Call, Digits, Parameters, Reply, Route
from admin_api.restore import Restored, restore
from admin_api.schemas import Instant, instant_us
from policy.difference import difference
from policy.difference_words import in_words
from policy.model import Language, Policy
from snapshots.generation import read_policy, read_record
from snapshots.history import read_manifest
from snapshots.layout import history_numbers, numbers
from snapshots.manifest import GenerationDamaged

MAX_EDITS = 200


class DifferenceQuery(Parameters):
    """Against which generation, and in which language."""

    since: Annotated[Digits, Field(ge=0, le=MAX_GENERATION)] | None = None
    """The earlier one; default: the one that was current before, 0 for none (then everything is new)."""
    language: Language | None = None
    """id or en; default: the regency's."""


class EditOutput(BaseModel):
    """An edit that went into a generation."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    at: Instant
    login: str
    action: str
    kind: str
    label: str
    revision: int


class DifferenceOutput(BaseModel):
    """What makes one generation another."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    number: int
    since: int
    changes: list[ChangeOutput]
    edits: list[EditOutput]
    """The acts in between, the oldest first, at most 200; none where the other generation is not older."""


class RestoreOutput(BaseModel):
    """What a restore does, or would do."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    applied: bool
    revision: int
    """Of the database now."""
    notes: list[str]
    """What does not come back, or stays although it was not there then."""
    changes: list[ChangeOutput]
    warnings: list[str]


async def compared(call: Call) -> Reply:
    """What a generation changed, and who."""
    query, root = call.query_as(DifferenceQuery), call.services.snapshots_root
    number = (await asyncio.to_thread(existing, call)).number
    since = query.since if query.since is not None else await asyncio.to_thread(_previous, root, number)
    before, after = await asyncio.to_thread(_both, root, since, number)
    changes = in_words(difference(before, after), before, after, query.language)
    async with reading(call.services.sessions) as session:
        edits = await edits_between(session, before.revision, after.revision)
    shown = DifferenceOutput(number=number, since=since, changes=show_changes(changes), edits=edits)
    return Reply(shown)


async def document(call: Call) -> Reply:
    """The policy of a generation as a file that can be imported."""
    kept = await asyncio.to_thread(_kept, call)
    return Reply((await asyncio.to_thread(document_text, kept.document)).encode())


async def restored(call: Call) -> Reply:
    """Sets the database back to a generation and publishes it as a new one."""
    query = call.query_as(PolicyImportQuery)
    number = call.path_as(GenerationPath).number
    kept = await asyncio.to_thread(_kept, call)

    async def work(session: AsyncSession) -> tuple[Restored, list[Act]]:
        return await restore(session, kept, number, int(call.now_s()))

    try:
        done, headers = await edit_many(call, work, apply=not query.dry_run, at_revision=query.revision)
    except RecordError as error:
        raise conflict(f"generation {number} cannot be restored: {error}") from None
    shown = RestoreOutput(
        applied=done.applied,
        revision=done.revision,
        notes=list(done.result.notes),
        changes=show_changes(told(done.before, done.after, done.acts)),
        warnings=list(done.warnings),
    )
    return Reply(shown, headers=headers)


async def edits_between(session: AsyncSession, after: int, until: int) -> list[EditOutput]:
    """The journal's acts on what policy is made of that advanced the database from one revision to another."""
    in_between = Audit.revision > after, Audit.revision <= until, Audit.kind.in_(POLICY_KINDS)
    wanted = select(Audit).where(*in_between).order_by(Audit.id).limit(MAX_EDITS)
    return [
        EditOutput(
            at=instant_us(row.at_us),
            login=row.login,
            action=row.action,
            kind=row.kind,
            label=row.label,
            revision=row.revision,
        )
        for row in await session.scalars(wanted)
    ]


def _previous(root: Path, number: int) -> int:
    """The generation that was current before, else the one of the next lower number; 0 where neither is there."""
    known = [*history_numbers(root), *numbers(root)]
    try:
        previous = read_manifest(root, number).previous
    except GenerationDamaged:
        previous = 0
    return previous if previous in known else max((one for one in known if one < number), default=0)


def _both(root: Path, since: int, number: int) -> tuple[Policy, Policy]:
    try:
        after = read_policy(root, number)
        return (read_policy(root, since) if since else Policy(after.regency)), after
    except GenerationDamaged as fault:
        known = [*history_numbers(root), *numbers(root)]
        if since and since not in known:
            raise not_found(f"generation {since}") from None
        raise conflict(str(fault)) from None


def _kept(call: Call) -> Exported:
    """The document that the generation of the path keeps. Raises 404 and 409 problems."""
    number = existing(call).number
    try:
        return decode_record(read_record(call.services.snapshots_root, number))
    except (GenerationDamaged, RecordError) as fault:
        raise conflict(f"generation {number} cannot be restored: {fault}") from None


ROUTES = (
    Route("GET", f"{PATH}/{{number}}/difference", "generations", "What a generation changed", compared,
          Scope.POLICY_READ, "compare_generations", response=DifferenceOutput, path_schema=GenerationPath,
          query_schema=DifferenceQuery, errors=(HTTPStatus.CONFLICT,)),
    Route("GET", f"{PATH}/{{number}}/document", "generations", "Read a generation's policy as a file", document,
          Scope.ADMIN, "get_generation_document", path_schema=GenerationPath, media_type=TOML_TYPE,
          errors=(HTTPStatus.CONFLICT,)),
    Route("POST", f"{PATH}/{{number}}/restore", "generations", "Set the policy back to a generation", restored,
          Scope.ADMIN, "restore_generation", response=RestoreOutput, path_schema=GenerationPath,
          query_schema=PolicyImportQuery, publishes=True, errors=(HTTPStatus.CONFLICT,),
          description="The database is set back in one audited edit, published as a new generation. Shows what would "
                      "be done, and what cannot be, unless dry_run is false."),
)  # fmt: skip
