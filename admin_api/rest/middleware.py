"""Around every request: identifier, limits, headers, log line; and no failure leaves without a problem."""

from __future__ import annotations

import asyncio
import logging
import time
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from admin_api.rest.problem import Problem, problem_response
from admin_api.rest.request_state import PRINCIPAL, REQUEST_ID
from admin_api.services import Services

log = logging.getLogger("admin_api.request")

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "saring",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
RETRY = {"Retry-After": "5"}
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


def surround(services: Services) -> Middleware:
    """The one middleware."""
    surroundings = Surroundings(services)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await surroundings.around(request, handler)

    return middleware


class Surroundings:
    """What one application knows of the requests under way."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running = 0

    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serves one request inside its limits."""
        request_id = self._services.random_bytes(8).hex()
        request[REQUEST_ID] = request_id
        started = time.perf_counter()
        self._running += 1
        try:
            response = await self._limited(request, handler)
        finally:
            self._running -= 1
        response.headers.update(SECURITY_HEADERS)
        response.headers["X-Request-ID"] = request_id
        _log(request, response, time.perf_counter() - started)
        return response

    async def _limited(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        limits = self._services.limits
        try:
            if self._running > limits.concurrent_requests:
                raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at once; try again", headers=RETRY)
            async with asyncio.timeout(limits.request_timeout_s):
                return await handler(request)
        except Exception as error:  # the last guard: whatever happens, the client gets a problem, not a trace
            return problem_response(_problem(error, request), request[REQUEST_ID])


def _problem(error: Exception, request: web.Request) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, web.HTTPException):
        return _http_problem(error)
    if isinstance(error, IntegrityError):
        log.warning("refused by a constraint", extra={"error": str(error.orig), "request_id": request[REQUEST_ID]})
        return Problem(HTTPStatus.CONFLICT, "the database refused the edit: it contradicts what is stored")
    if isinstance(error, TimeoutError):
        log.error("request timed out", extra={"request_id": request[REQUEST_ID]})
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the request took too long; try again", headers=RETRY)
    if isinstance(error, SQLAlchemyError | OSError):
        log.error(
            "a dependency failed",
            extra={"error": f"{type(error).__name__}: {error}", "request_id": request[REQUEST_ID]},
        )
        detail = "what the API depends on (database, files) cannot be reached; DNS goes on; try again"
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=RETRY)
    log.error("request failed", exc_info=error, extra={"request_id": request[REQUEST_ID]})
    detail = "an error of Saring; the log has it under this request's identifier"
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def _http_problem(error: web.HTTPException) -> Problem:
    status = HTTPStatus(error.status)
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(status, f"{error.method} is not possible here; allowed: {allowed}", headers={"Allow": allowed})
    if isinstance(error, web.HTTPNotFound):
        return Problem(status, "there is nothing at this address; see /api/v1/openapi.json")
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return Problem(status, "the body is larger than the API takes")
    return Problem(status, status.phrase)


def _log(request: web.Request, response: web.StreamResponse, elapsed_s: float) -> None:
    principal = request.get(PRINCIPAL)
    # Probes come every few seconds for ever; only a failing one is news.
    level = logging.DEBUG if request.path in PROBES and response.status < HTTPStatus.BAD_REQUEST else logging.INFO
    # The query string stays out: it can hold names that a client looked up.
    log.log(
        level,
        "request",
        extra={
            "request_id": request[REQUEST_ID],
            "method": request.method,
            "path": request.path[:300],
            "status": response.status,
            "elapsed_ms": round(elapsed_s * 1000, 2),
            "remote": request.remote,
            "login": principal.login if principal else "",
            "token_id": principal.token_id if principal else 0,
        },
    )
