"""How the program is, and what an operator asks of it: to reload."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from pydantic import RootModel

from admin_api.database import current_revision, editing
from admin_api.journal import Act, record
from admin_api.rest.auth import Scope
from admin_api.rest.route import API, Call, Reply, Route
from admin_api.services import Status


class StatusOutput(RootModel[Status]):
    """The program at this moment."""


async def status(call: Call) -> Reply:
    """The state of workers and processes."""
    return Reply(StatusOutput(await asyncio.to_thread(call.services.status)))


async def reload(call: Call) -> Reply:
    """Does what SIGHUP does; recorded before it is done."""
    async with editing(call.services.sessions) as session:
        record(session, call.actor, Act("reload", "program"), call.now_s(), await current_revision(session))
    await call.services.reload()
    return Reply(status=HTTPStatus.NO_CONTENT)


ROUTES = (
    Route("GET", f"{API}/status", "status", "Read the program's state", status, Scope.STATUS_READ, "get_status",
          response=StatusOutput),
    Route("POST", f"{API}/reload", "status", "Reload, as SIGHUP does", reload, Scope.ADMIN, "reload",
          status=HTTPStatus.NO_CONTENT),
)  # fmt: skip
