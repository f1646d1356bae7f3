"""What machines ask: alive, ready, metrics, and the document of this API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from admin_api.rest.auth import Scope
from admin_api.rest.problem import FieldError, Problem
from admin_api.rest.route import Call, Reply, Route
from admin_api.services import Services, StaleList, Status

PROBE_TIMEOUT_S = 5.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Alive(BaseModel):
    """The API's process answers."""

    alive: bool


class Ready(BaseModel):
    """Everything that was asked is well."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    ready: bool
    generation: int
    stale_lists: list[StaleList]
    """Lists that are older than they may get. They are served all the same, and readiness does not depend on them."""


async def alive(_call: Call) -> Reply:
    """Whether this process answers at all; looks at nothing else, so that nothing else can make it restart."""
    return Reply(Alive(alive=True))


async def ready(call: Call) -> Reply:
    """Whether a generation is published, workers answer, and database and store can be reached.

    Raises a 503 problem that names everything that is not.
    """
    services = call.services
    state, *faults = await asyncio.gather(_status(services), _database(services), _store(services))
    found = [fault for fault in faults if fault is not None]
    if isinstance(state, FieldError):
        found.append(state)
    else:
        found += _worker_faults(state)
    if found or isinstance(state, FieldError):
        names = ", ".join(fault.field for fault in found)
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"not ready: {names}", errors=found)
    return Reply(Ready(ready=True, generation=state.generation, stale_lists=list(state.stale_lists)))


async def metrics(call: Call) -> Reply:
    """Prometheus metrics; labels are agencies, categories and lists, never names."""
    return Reply(await asyncio.to_thread(call.services.metrics))


async def _status(services: Services) -> Status | FieldError:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await asyncio.to_thread(services.status)
    except Exception as error:  # whatever it is, it is why we are not ready
        return _fault("status", "cannot be read", error)


async def _database(services: Services) -> FieldError | None:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S), services.sessions() as session:
            await session.execute(text("SELECT number FROM revision"))
    except Exception as error:  # whatever it is, it is why we are not ready
        return _fault("database", "cannot be reached; DNS goes on, edits do not", error)
    return None


async def _store(services: Services) -> FieldError | None:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await asyncio.to_thread(services.store.positions)
    except Exception as error:  # whatever it is, it is why we are not ready
        return _fault("store", "the query log cannot be reached; DNS goes on, the spool holds", error)
    return None


def _worker_faults(status: Status) -> list[FieldError]:
    faults = []
    if status.generation == 0:
        faults.append(FieldError(field="generation", message="none is published", expected="a published generation"))
    if not status.workers:
        faults.append(FieldError(field="workers", message="none is known", expected="at least one that answers"))
    for worker in status.workers:
        if not worker.answering:
            message = f"worker {worker.number} does not answer (silent for {worker.age_s:.0f} s)"
            faults.append(FieldError(field=f"workers[{worker.number}]", message=message, expected="answering"))
        elif worker.generation == 0:
            message = f"worker {worker.number} has opened no generation"
            faults.append(FieldError(field=f"workers[{worker.number}]", message=message, expected="an open generation"))
    return faults


def _fault(field: str, message: str, error: Exception) -> FieldError:
    # The error's type only: its text can hold addresses and paths, and this route is open to everybody.
    return FieldError(field=field, message=f"{message} ({type(error).__name__})", expected="reachable")


def health_routes(metrics_need_token: bool) -> tuple[Route, ...]:
    """The routes outside ``/api``; metrics need a token with status:read where the program says so."""
    scope = Scope.STATUS_READ if metrics_need_token else None
    unready = (HTTPStatus.SERVICE_UNAVAILABLE,)
    return (
        Route("GET", "/healthz", "health", "Is the API alive?", alive, None, "healthz", response=Alive),
        Route("GET", "/readyz", "health", "Is Saring ready? If not, what is not?", ready, None, "readyz",
              response=Ready, errors=unready),
        Route("GET", "/metrics", "health", "Metrics in Prometheus text format", metrics, scope, "metrics",
              media_type=METRICS_TYPE),
    )  # fmt: skip


def document_route(path: str, document: Callable[[], bytes]) -> Route:
    """The route that serves the OpenAPI document."""

    async def serve(_call: Call) -> Reply:
        return Reply(document())

    return Route("GET", path, "health", "This document", serve, None, "openapi", free_form=True)
