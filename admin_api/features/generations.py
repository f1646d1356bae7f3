"""Published generations: which there are, and going back to an earlier one."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from admin_api.database import current_revision, editing
from admin_api.journal import Act, record
from admin_api.rest.auth import Scope
from admin_api.rest.edit import GENERATION_HEADER, IN_FORCE_HEADER
from admin_api.rest.problem import conflict, not_found
from admin_api.rest.route import API, Call, Digits, Parameters, Reply, Route
from admin_api.schemas import Instant, instant
from snapshots import manifest as manifests
from snapshots.layout import current_target, generation_path, number_of, numbers
from snapshots.manifest import GenerationDamaged
from snapshots.publish import PublishError
from snapshots.publish import rollback as swap_back

PATH = f"{API}/generations"
MAX_GENERATION = 10**10 - 1


class GenerationPath(Parameters):
    """The path of one generation."""

    number: Annotated[Digits, Field(ge=1, le=MAX_GENERATION)]


class GenerationOutput(BaseModel):
    """A published generation."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    number: int
    current: bool
    created: Instant | None
    """null where the generation is damaged."""
    revision: int | None
    """Of the control database."""
    index: str | None
    """Digest of the compiled lists."""
    damage: str
    """What is wrong with it; empty: nothing was found."""


class GenerationsOutput(BaseModel):
    """All generations that are kept, the newest first."""

    items: list[GenerationOutput]


async def listed(call: Call) -> Reply:
    """All generations that are kept."""
    return Reply(GenerationsOutput(items=await asyncio.to_thread(_all, call.services.snapshots_root)))


async def rollback(call: Call) -> Reply:
    """Makes a kept generation current; recorded before it is done. The next edit publishes the database again."""
    number = call.path_as(GenerationPath).number
    root = call.services.snapshots_root
    if number not in await asyncio.to_thread(numbers, root):
        raise not_found(f"generation {number}")
    async with editing(call.services.sessions) as session:
        was, is_now = {"current": number_of(current_target(root))}, {"current": number}
        act = Act("rollback", "generation", None, str(number), was, is_now)
        record(session, call.actor, act, call.now_s(), await current_revision(session))
    try:
        done = await asyncio.to_thread(swap_back, root, number)
    except PublishError as error:
        raise conflict(str(error)) from None
    shown = await asyncio.to_thread(_show, root, done, done)
    return Reply(shown, headers={GENERATION_HEADER: str(done), IN_FORCE_HEADER: "yes"})


def _all(root: Path) -> list[GenerationOutput]:
    current = number_of(current_target(root))
    return [_show(root, number, current) for number in reversed(numbers(root))]


def _show(root: Path, number: int, current: int) -> GenerationOutput:
    try:
        found = manifests.read(generation_path(root, number))
    except GenerationDamaged:
        damage = "its manifest is missing or damaged"
        return GenerationOutput(
            number=number, current=number == current, created=None, revision=None, index=None, damage=damage
        )
    return GenerationOutput(
        number=number,
        current=number == current,
        created=instant(found.created_s),
        revision=found.revision,
        index=found.index_digest,
        damage="",
    )


ROUTES = (
    Route("GET", PATH, "generations", "List generations", listed, Scope.STATUS_READ, "list_generations",
          response=GenerationsOutput),
    Route("POST", f"{PATH}/{{number}}/rollback", "generations", "Make a kept generation current", rollback,
          Scope.ADMIN, "rollback_generation", response=GenerationOutput, path_schema=GenerationPath,
          publishes=True, errors=(HTTPStatus.CONFLICT,)),
)  # fmt: skip
