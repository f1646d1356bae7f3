"""Reading the query log leaves a trace: who looked, when, for what (UU PDP 27/2022; DESIGN 7)."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from admin_api.history import History, load_history
from admin_api.journal import Act, record
from saring.config_schema import Config
from saring.control import open_control
from saring.people import local_actor
from saring.state_dir import StateDir


def journal_reading(
    config: Config, state: StateDir, what: str, chosen: dict[str, Any], now_s: float
) -> tuple[History, str]:
    """Writes the audit row; returns what became of agencies, and why the row could not be written (``""``: it was).

    The reading goes on in either case, without history if need be: the log must be readable while the database is
    being repaired.
    """

    async def write() -> History:
        async with open_control(config, state) as control, control.sessions.begin() as session:
            record(session, local_actor(), Act("read", "query", label=f"log {what}", after=chosen), now_s)
            return await load_history(session)

    try:
        return asyncio.run(write()), ""
    except (SQLAlchemyError, OSError) as error:
        return History(), (str(error).splitlines() or [""])[0]
