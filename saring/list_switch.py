"""Switching a list on or off from the command line, in the control database itself, journalled like any edit."""

from __future__ import annotations

from sqlalchemy import select

from admin_api.database import Sessions, editing
from admin_api.journal import Act, advance_revision, record
from admin_api.models import Blocklist
from saring.people import local_actor


async def switch_list(sessions: Sessions, code: str, enabled: bool, now_s: float) -> bool:
    """Whether anything changed. Raises ``LookupError`` where there is no such list."""
    async with editing(sessions) as session:
        row = await session.scalar(select(Blocklist).where(Blocklist.code == code))
        if row is None:
            raise LookupError(f"there is no list {code}; `saring lists list` shows all")
        if row.enabled == enabled:
            return False
        row.enabled = enabled
        row.version += 1
        row.changed_s = int(now_s)
        act = Act("update", "blocklist", row.id, code, {"enabled": not enabled}, {"enabled": enabled})
        record(session, local_actor(), act, now_s, await advance_revision(session))
    return True
