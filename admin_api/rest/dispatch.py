"""From an aiohttp request to a feature's handler. The order of checks is the security policy:

1. who is calling (401, 429), 2. what that token may do (403), 3. the path (404), 4. the query parameters (422),
5. the body's type, size and form (415, 413, 400). A handler then checks the body's fields (422) and its own rules.
Nobody learns from an error message whether a resource exists before having shown a token that may read it.
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel

from admin_api.rest.auth import ANONYMOUS, FailedAttempts, Principal, authenticate
from admin_api.rest.problem import Problem
from admin_api.rest.request_state import PRINCIPAL, REQUEST_ID
from admin_api.rest.route import JSON_TYPE, Call, Reply, Route
from admin_api.rest.validation import check_path, check_query, parse_json
from admin_api.services import Services


class Endpoint:
    """One route as aiohttp calls it."""

    def __init__(self, route: Route, services: Services, attempts: FailedAttempts) -> None:
        self._route = route
        self._services = services
        self._attempts = attempts

    async def serve(self, request: web.Request) -> web.Response:
        """Runs the checks in their order, then the handler. Raises ``Problem``."""
        route = self._route
        principal = await self._caller(request)
        request[PRINCIPAL] = principal
        path = check_path(route.path_schema, request.match_info)
        query = check_query(route.query_schema, request.query)
        body = await self._body(request) if route.body is not None or route.text_body else b""
        call = Call(
            services=self._services,
            principal=principal,
            request_id=request[REQUEST_ID],
            remote=request.remote or "",
            path=path,
            query=query,
            raw_query=request.query,
            body=body,
            if_match=request.headers.get("If-Match"),
            address=request.path,
        )
        try:
            return _response(route, await route.handle(call))
        except Problem as problem:
            if route.limited and problem.status is HTTPStatus.FORBIDDEN:
                self._attempts.failed(call.remote, self._services.clock())
            raise

    async def _caller(self, request: web.Request) -> Principal:
        route = self._route
        if route.limited:
            self._attempts.refuse_if_too_many(request.remote or "", self._services.clock())
        if route.scope is None:
            return ANONYMOUS
        principal = await authenticate(
            self._services.sessions,
            self._attempts,
            request.headers.get("Authorization"),
            request.remote or "",
            self._services.clock(),
        )
        if not principal.may(route.scope):
            raise Problem(HTTPStatus.FORBIDDEN, f"the token lacks the scope {route.scope.value}")
        if principal.agency_id is not None and not route.for_agencies:
            raise Problem(HTTPStatus.FORBIDDEN, "the token is restricted to one agency, and this concerns all")
        return principal

    async def _body(self, request: web.Request) -> bytes:
        wanted = self._route.text_body or JSON_TYPE
        if request.content_type != wanted or (request.charset or "utf-8").lower() != "utf-8":
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body must be {wanted} in UTF-8")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            # A compressed body can unfold to far more than the size limit.
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed")
        if self._route.max_body_size_bytes is not None:
            request = request.clone(client_max_size=self._route.max_body_size_bytes)
        body = await request.read()
        if not self._route.text_body:
            parse_json(body, self._services.limits.max_body_depth)
        return body


def _response(route: Route, reply: Reply) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status.value, headers=reply.headers)
    body = reply.body
    content = body.model_dump_json(by_alias=True).encode() if isinstance(body, BaseModel) else body
    headers = {"Content-Type": route.media_type, **reply.headers}
    return web.Response(status=reply.status.value, body=content, headers=headers)
