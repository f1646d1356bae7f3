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
from snapshots.history import read_manifest
from snapshots.layout import current_target, generation_path, history_numbers, number_of, numbers
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
    whole: bool = True
    """false: its index was pruned; it can be compared and restored, not put in force by a rollback."""
    previous: int = 0
    """The generation that was current before; 0: none."""


class GenerationsOutput(BaseModel):
    """All generations that are kept, the newest first."""

    items: list[GenerationOutput]


class GenerationsQuery(Parameters):
    """Which generations."""

    pruned: Annotated[bool, Field(strict=False)] = False
    """Also those of which only the documents are kept, to be compared and restored."""


async def listed(call: Call) -> Reply:
    """All generations that are kept."""
    pruned = call.query_as(GenerationsQuery).pruned
    return Reply(GenerationsOutput(items=await asyncio.to_thread(_all, call.services.snapshots_root, pruned)))


async def shown(call: Call) -> Reply:
    """One generation."""
    return Reply(await asyncio.to_thread(existing, call))


def existing(call: Call) -> GenerationOutput:
    """The generation of the path. Raises a 404 problem where there is none."""
    number, root = call.path_as(GenerationPath).number, call.services.snapshots_root
    if number not in numbers(root) and number not in history_numbers(root):
        raise not_found(f"generation {number}")
    return _show(root, number, number_of(current_target(root)))


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


def _all(root: Path, pruned: bool) -> list[GenerationOutput]:
    current = number_of(current_target(root))
    found = [*history_numbers(root), *numbers(root)] if pruned else numbers(root)
    return [_show(root, number, current) for number in reversed(found)]


def _show(root: Path, number: int, current: int) -> GenerationOutput:
    try:
        found = read_manifest(root, number)
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
        whole=generation_path(root, number).is_dir(),
        previous=found.previous,
    )


ROUTES = (
    Route("GET", PATH, "generations", "List generations", listed, Scope.STATUS_READ, "list_generations",
          response=GenerationsOutput, query_schema=GenerationsQuery),
    Route("GET", f"{PATH}/{{number}}", "generations", "Read a generation", shown, Scope.STATUS_READ, "get_generation",
          response=GenerationOutput, path_schema=GenerationPath),
    Route("POST", f"{PATH}/{{number}}/rollback", "generations", "Make a kept generation current", rollback,
          Scope.ADMIN, "rollback_generation", response=GenerationOutput, path_schema=GenerationPath,
          publishes=True, errors=(HTTPStatus.CONFLICT,),
          description="Swaps the reference, at once. The database keeps its edits, and the next one publishes them "
                      "all; a restore sets the database back, too."),
)  # fmt: skip
