"""An edit from lock to publication: change, check of the whole policy, revision, audit, commit; then publish.

Everything up to the commit is one transaction. Publishing comes after it and may fail: the edit stands (people's work
is never lost for a full disk), the response says that it is not in force yet, and the next publication carries it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.bulk import BulkRefusedError, MovedError, Outcome, Work, run_bulk
from admin_api.database import current_revision, editing
from admin_api.journal import Act, advance_revision, record
from admin_api.policy_gate import Verdict, judge
from admin_api.rest.problem import conflict, invalid
from admin_api.rest.route import Call
from admin_api.surroundings import load_surroundings
from admin_api.to_policy import load_policy, read_policy

T = TypeVar("T")

log = logging.getLogger("admin_api.edit")

GENERATION_HEADER = "Saring-Generation"
IN_FORCE_HEADER = "Saring-In-Force"
WARNING_HEADER = "Saring-Warning"
MAX_WARNING = 1000


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit's body returns: the act for the journal (None: nothing changed), whether policy is made of it.

    ``tell`` hears what there is to say about the policy that the edit makes.
    """

    act: Act | None
    in_policy: bool = True
    tell: Callable[[Verdict], None] | None = None


async def edit(call: Call, work: Callable[[AsyncSession], Awaitable[tuple[T, Edited]]]) -> tuple[T, dict[str, str]]:
    """Runs ``work`` as one edit; returns its result and the headers that say what became of the publication.

    Raises a 422 problem where the policy would no longer be sound; then nothing was changed.
    """
    warnings: tuple[str, ...] = ()
    async with editing(call.services.sessions) as session:
        result, edited = await work(session)
        if edited.act is None:
            return result, {}
        await session.flush()
        if edited.in_policy:
            warnings = await _refuse_unsound(call, session, edited)
            revision = await advance_revision(session)
        else:
            revision = await current_revision(session)
        record(session, call.actor, edited.act, call.now_s(), revision)
    return result, await publish(call, warnings) if edited.in_policy else {}


async def edit_many(
    call: Call, work: Work[T], *, apply: bool, at_revision: int | None = None
) -> tuple[Outcome[T], dict[str, str]]:
    """Runs ``work`` as one edit of many rows, or only rehearses it; as ``edit``.

    Raises a 409 problem where the database is at another revision than ``at_revision``.
    """
    sessions, now_s = call.services.sessions, call.now_s()
    try:
        outcome = await run_bulk(
            sessions,
            work,
            call.actor,
            now_s,
            apply=apply,
            at_revision=at_revision,
            own_names=call.services.own_names,
        )
    except BulkRefusedError as refused:
        raise invalid(*refused.errors) from None
    except MovedError as moved:
        raise conflict(str(moved)) from None
    return outcome, await publish(call, outcome.warnings) if outcome.applied else {}


async def publish(call: Call, warnings: tuple[str, ...] = ()) -> dict[str, str]:
    """Publishes what is committed; the headers say in which generation, or that it is not in force and why."""
    try:
        published = await call.services.publish()
    except Exception as error:  # whatever stops a publication, the edit is committed and must be answered
        log.exception("publication failed; the edit stands and is not in force", extra={"request_id": call.request_id})
        reason = f"saved, but not in force: publishing failed ({type(error).__name__}); see the log of this request"
        return {IN_FORCE_HEADER: "no", WARNING_HEADER: _header_text((reason, *warnings))}
    headers = {GENERATION_HEADER: str(published.generation), IN_FORCE_HEADER: "yes"}
    told = (published.warning, *warnings) if published.warning else warnings
    if told:
        log.warning("published with warnings", extra={"warnings": told, "request_id": call.request_id})
        headers[WARNING_HEADER] = _header_text(told)
    return headers


async def _refuse_unsound(call: Call, session: AsyncSession, edited: Edited) -> tuple[str, ...]:
    # Another session sees the policy as it is before this edit.
    before = await read_policy(call.services.sessions)
    services = call.services
    surroundings = await load_surroundings(session, call.now_s(), services.own_names, services.library)
    # In a thread: with thousands of rules it takes a good part of a second, and others wait for the event loop.
    verdict = await asyncio.to_thread(judge, before, await load_policy(session), surroundings)
    if verdict.errors:
        raise invalid(*verdict.errors)
    if edited.tell is not None:
        edited.tell(verdict)
    return verdict.warnings


def _header_text(warnings: tuple[str, ...]) -> str:
    # Only visible ASCII passes every proxy unharmed, and nothing in a name can start a header of its own.
    text = " | ".join(warnings)
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:MAX_WARNING]
