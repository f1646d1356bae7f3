"""What became of blocklists: state, differences between versions, rollback, and a sync outside the nightly hour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, TypeVar

from pydantic import Field, RootModel

from admin_api.database import current_revision, editing, reading
from admin_api.features.blocklist_schemas import StateOutput, show_state
from admin_api.journal import Act, record
from admin_api.models import Blocklist
from admin_api.rest.auth import Scope
from admin_api.rest.problem import conflict, not_found
from admin_api.rest.route import API, Call, Digits, ItemPath, Parameters, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Strict
from blocklists.changes import Diff
from blocklists.library import LibraryError

T = TypeVar("T")

ITEM = f"{API}/blocklists/{{id}}"
MAX_VERSION = 10**9


class DiffQuery(Parameters):
    """Which two versions."""

    before: Annotated[Digits, Field(ge=1, le=MAX_VERSION)]
    after: Annotated[Digits, Field(ge=1, le=MAX_VERSION)]


class DiffOutput(RootModel[Diff]):
    """What the later version has more and less: counts, and the first names of each."""


class RollbackInput(Strict):
    """The version to put in force."""

    version: Annotated[int, Field(ge=1, le=MAX_VERSION)]


async def state(call: Call) -> Reply:
    """Versions, last fetch, last error or refusal, and history."""
    code = await _code(call)
    return Reply(show_state(await asyncio.to_thread(call.services.library.state, code)))


async def diff(call: Call) -> Reply:
    """The difference between two kept versions."""
    code = await _code(call)
    query = call.query_as(DiffQuery)
    return Reply(DiffOutput(await _ask(lambda: call.services.library.diff(code, query.before, query.after))))


async def rollback(call: Call) -> Reply:
    """Puts a kept version in force; recorded before it is done.

    The sync job compiles and publishes it; what the source has now is not admitted again until the source changes.
    """
    code = await _code(call)
    version = check_body(RollbackInput, call.body).version
    kept = await asyncio.to_thread(call.services.library.state, code)
    if kept.find(version) is None:
        numbers = ", ".join(str(known.number) for known in kept.versions) or "none"
        raise conflict(f"{code} has no version {version}; kept are: {numbers}")
    change = ({"version": kept.version}, {"version": version})
    await _record(call, Act("rollback", "blocklist", call.item_id, code, *change))
    done = await _ask(lambda: call.services.library.rollback(code, version, call.now_s()))
    await call.services.sync_now(code)
    return Reply(show_state(done), HTTPStatus.ACCEPTED)


async def sync(call: Call) -> Reply:
    """Starts the sync of one list; its state tells what became of it."""
    code = await _code(call)
    await _record(call, Act("sync", "blocklist", call.item_id, code))
    await call.services.sync_now(code)
    return Reply(status=HTTPStatus.ACCEPTED)


async def sync_all(call: Call) -> Reply:
    """Starts the sync of all lists."""
    await _record(call, Act("sync", "blocklist", label="all"))
    await call.services.sync_now(None)
    return Reply(status=HTTPStatus.ACCEPTED)


async def _code(call: Call) -> str:
    async with reading(call.services.sessions) as session:
        row = await session.get(Blocklist, call.item_id)
    if row is None:
        raise not_found(f"blocklist {call.item_id}")
    return row.code


async def _record(call: Call, act: Act) -> None:
    async with editing(call.services.sessions) as session:
        record(session, call.actor, act, call.now_s(), await current_revision(session))


async def _ask(question: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(question)
    except LibraryError as error:
        raise conflict(str(error)) from None


CONFLICT = (HTTPStatus.CONFLICT,)
ROUTES = (
    Route("GET", f"{ITEM}/state", "blocklists", "Read what became of a blocklist", state, Scope.LISTS_READ,
          "get_blocklist_state", response=StateOutput, path_schema=ItemPath),
    Route("GET", f"{ITEM}/diff", "blocklists", "Compare two versions", diff, Scope.LISTS_READ,
          "diff_blocklist", response=DiffOutput, path_schema=ItemPath, query_schema=DiffQuery, errors=CONFLICT),
    Route("POST", f"{ITEM}/rollback", "blocklists", "Put a kept version in force", rollback, Scope.LISTS_WRITE,
          "rollback_blocklist", response=StateOutput, path_schema=ItemPath, body=RollbackInput,
          status=HTTPStatus.ACCEPTED, errors=CONFLICT),
    Route("POST", f"{ITEM}/sync", "blocklists", "Fetch a blocklist now", sync, Scope.LISTS_WRITE,
          "sync_blocklist", status=HTTPStatus.ACCEPTED, path_schema=ItemPath),
    Route("POST", f"{API}/sync", "blocklists", "Fetch all blocklists now", sync_all, Scope.LISTS_WRITE,
          "sync_blocklists", status=HTTPStatus.ACCEPTED),
)  # fmt: skip
