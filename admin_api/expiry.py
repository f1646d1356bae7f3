"""Noting what time has ended: exceptions, requests that nobody decided, pauses.

Nothing waits for this. The resolver ends an exception or a pause to the second by the times in its snapshot; here the
journal gets its last entry, and what is over leaves the policy.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import Sessions, current_revision, editing, reading
from admin_api.exception_state import ExceptionState, has_passed
from admin_api.exceptions import expire_exception
from admin_api.journal import Act, Actor, advance_revision, record
from admin_api.models import ExceptionRow, PauseRow
from admin_api.pauses import close_pause

CLOCK = Actor("clock")


async def note_what_has_passed(sessions: Sessions, now_s: float) -> int:
    """How many were noted. Without any, one short look at the database is all it costs."""
    async with reading(sessions) as session:
        if not await _anything(session, now_s):
            return 0
    async with editing(sessions) as session:
        acts, in_policy = await _close(session, now_s)
        await session.flush()
        revision = await advance_revision(session) if in_policy else await current_revision(session)
        for act in acts:
            record(session, CLOCK, act, now_s, revision)
    return len(acts)


async def _anything(session: AsyncSession, now_s: float) -> bool:
    exceptions = select(ExceptionRow.id).where(has_passed(now_s)).limit(1)
    pauses = select(PauseRow.id).where(PauseRow.ended_s.is_(None), PauseRow.until_s <= int(now_s)).limit(1)
    return await session.scalar(exceptions) is not None or await session.scalar(pauses) is not None


async def _close(session: AsyncSession, now_s: float) -> tuple[list[Act], bool]:
    acts: list[Act] = []
    in_policy = False
    passed = select(ExceptionRow).where(has_passed(now_s)).order_by(ExceptionRow.id)
    for exception in (await session.scalars(passed)).all():
        in_policy = in_policy or exception.state == ExceptionState.APPROVED.value
        acts.append(await expire_exception(session, exception))
    over = select(PauseRow).where(PauseRow.ended_s.is_(None), PauseRow.until_s <= int(now_s)).order_by(PauseRow.id)
    for pause in (await session.scalars(over)).all():
        in_policy = True
        acts.append(await close_pause(session, pause, "", pause.until_s, "expire"))
    return acts, in_policy
