"""What middleware and dispatch keep on a request while it is served."""

from __future__ import annotations

from aiohttp import web

from admin_api.rest.auth import Principal

REQUEST_ID = web.RequestKey("saring_request_id", str)
PRINCIPAL = web.RequestKey("saring_principal", Principal)
