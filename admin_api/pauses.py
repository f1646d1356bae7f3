"""Pauses: an agency or a unit is let off for some minutes, and never for longer.

Used by the API and by the command line. Nothing here commits: the caller runs it as an edit, with the act that is
returned for the journal.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.journal import Act
from admin_api.models import AgencyRow, PauseRow, RegencyRow, UnitRow
from admin_api.rest.problem import FieldError, invalid

KIND = "pause"


class PauseRefusedError(Exception):
    """The state of things forbids it; the text says why and what would be right."""


async def begin_pause(
    session: AsyncSession, tenant: AgencyRow | UnitRow, minutes: int, reason: str, login: str, now_s: float
) -> tuple[PauseRow, Act]:
    """Lets the agency (with its units) or the unit off from now on.

    Raises a 422 problem for more minutes than the regency allows, ``PauseRefusedError`` where one is running.
    """
    at_most = (await session.execute(select(RegencyRow.pause_max_minutes))).scalar_one()
    if minutes > at_most:
        message = f"a pause lasts at most {at_most} minutes here"
        expected = "less; what is to last longer is asked for as an exception"
        raise invalid(FieldError(field="minutes", message=message, value=minutes, expected=expected))
    now = int(now_s)
    column = PauseRow.unit_id if isinstance(tenant, UnitRow) else PauseRow.agency_id
    running = select(PauseRow).where(column == tenant.id, PauseRow.ended_s.is_(None), PauseRow.until_s > now)
    other = await session.scalar(running.limit(1))
    if other is not None:
        left_s = other.until_s - now
        raise PauseRefusedError(
            f"{tenant.code} is let off already, by {other.author} and for {left_s} s more; end pause {other.id} first"
        )
    row = PauseRow(from_s=now, until_s=now + minutes * 60, reason=reason, author=login)
    if isinstance(tenant, UnitRow):
        row.unit_id = tenant.id
    else:
        row.agency_id = tenant.id
    session.add(row)
    await session.flush()
    after = {"minutes": minutes, "until_s": row.until_s, "reason": reason}
    return row, Act("begin", KIND, row.id, await label_of(session, tenant), after=after)


async def end_pause(session: AsyncSession, pause_id: int, login: str, now_s: float) -> tuple[PauseRow, Act]:
    """Ends it early. Raises ``PauseRefusedError`` where it is over, ``LookupError`` where there is none."""
    row = await find_pause(session, pause_id)
    if is_over(row, now_s):
        raise PauseRefusedError(f"pause {pause_id} is over already")
    act = await close_pause(session, row, login, int(now_s), "end")
    return row, act


async def close_pause(session: AsyncSession, row: PauseRow, login: str, ended_s: int, action: str) -> Act:
    """Notes that it has ended, by somebody or (``login`` empty) by itself."""
    row.ended_s, row.ended_by = ended_s, login
    after = {"ended_s": ended_s, "until_s": row.until_s, "author": row.author}
    return Act(action, KIND, row.id, await label_of(session, await tenant_of(session, row)), after=after)


def is_over(row: PauseRow, now_s: float) -> bool:
    """Whether it has no effect any more."""
    return row.ended_s is not None or row.until_s <= now_s


async def find_pause(session: AsyncSession, pause_id: int) -> PauseRow:
    """The pause of this id. Raises ``LookupError``."""
    row = await session.get(PauseRow, pause_id)
    if row is None:
        raise LookupError(f"there is no pause {pause_id}")
    return row


async def tenant_of(session: AsyncSession, row: PauseRow) -> AgencyRow | UnitRow:
    """Who is let off."""
    if row.unit_id is not None:
        return await session.get_one(UnitRow, row.unit_id)
    return await session.get_one(AgencyRow, row.agency_id)


async def label_of(session: AsyncSession, tenant: AgencyRow | UnitRow) -> str:
    """``agency`` or ``agency/unit``, in codes."""
    if isinstance(tenant, AgencyRow):
        return tenant.code
    agency = await session.get_one(AgencyRow, tenant.agency_id)
    return f"{agency.code}/{tenant.code}"
