"""Having workers forget what upstreams said."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from http import HTTPStatus
from typing import Self

from pydantic import model_validator

from admin_api import fields as f
from admin_api.database import current_revision, editing
from admin_api.journal import Act, record
from admin_api.rest.auth import Scope
from admin_api.rest.route import API, Call, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Strict


class FlushWhat(StrEnum):
    """What is forgotten."""

    NAME = "name"
    SUFFIX = "suffix"
    ALL = "all"


class FlushInput(Strict):
    """What all workers forget: a name, a name with all below it, or everything."""

    what: FlushWhat
    name: f.DnsName | None = None

    @model_validator(mode="after")
    def _names_what_it_means(self) -> Self:
        if (self.what is FlushWhat.ALL) != (self.name is None):
            raise ValueError("name is given exactly when what is name or suffix")
        return self


class FlushOutput(Strict):
    """The order that was given. A worker has carried it out when its ``cache.orders_done`` is at least this."""

    order: int


async def flush(call: Call) -> Reply:
    """Gives the order; workers carry it out within a fifth of a second."""
    data = check_body(FlushInput, call.body)
    async with editing(call.services.sessions) as session:
        act = Act("flush", "cache", None, data.name or "everything")
        record(session, call.actor, act, call.now_s(), await current_revision(session))
    order = await asyncio.to_thread(call.services.flush_cache, data.what.value, data.name or "")
    return Reply(FlushOutput(order=order), status=HTTPStatus.ACCEPTED)


ROUTES = (
    Route("POST", f"{API}/cache/flushes", "status", "Have cached answers forgotten", flush, Scope.ADMIN, "flush_cache",
          body=FlushInput, response=FlushOutput, status=HTTPStatus.ACCEPTED),
)  # fmt: skip
