"""The application: a table of contents of what the API offers, and nothing else."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic_core import to_json

from admin_api.features import (
    agencies,
    audit,
    blocklist_versions,
    blocklists,
    cache,
    catalog_services,
    catalogue,
    categories,
    check,
    devices,
    exceptions,
    forwarders,
    generation_versions,
    generations,
    health,
    holiday_import,
    holidays,
    list_insight,
    list_overrides,
    must_resolve_names,
    networks,
    pauses,
    policy_file,
    policy_findings,
    protected_names,
    queries,
    regency,
    replays,
    rules,
    schedule_overrides,
    schedules,
    setup,
    status,
    successions,
    tenant_import,
    tokens,
    units,
    users,
)
from admin_api.replays import Replays
from admin_api.rest.auth import FailedAttempts
from admin_api.rest.dispatch import Endpoint
from admin_api.rest.middleware import surround
from admin_api.rest.openapi import openapi_document
from admin_api.rest.route import API, Route
from admin_api.services import Services

DOCUMENT_PATH = f"{API}/openapi.json"


def feature_routes(replays_kept: Replays, metrics_need_token: bool) -> tuple[Route, ...]:
    """Every route but the document's, in the order of a manual."""
    return (
        *setup.ROUTES,
        # who
        *regency.ROUTES,
        *agencies.ROUTES,
        *units.ROUTES,
        *networks.ROUTES,
        *forwarders.ROUTES,
        *devices.ROUTES,
        *tenant_import.ROUTES,
        *successions.ROUTES,
        # what
        *categories.ROUTES,
        *catalog_services.ROUTES,
        *blocklists.ROUTES,
        *blocklist_versions.ROUTES,
        *list_insight.ROUTES,
        *list_overrides.ROUTES,
        *protected_names.ROUTES,
        *must_resolve_names.ROUTES,
        *catalogue.ROUTES,
        # when, and what becomes of it
        *schedules.ROUTES,
        *schedule_overrides.ROUTES,
        *holidays.ROUTES,
        *holiday_import.ROUTES,
        *rules.ROUTES,
        *exceptions.ROUTES,
        *pauses.ROUTES,
        *policy_findings.ROUTES,
        *check.ROUTES,
        *generations.ROUTES,
        *generation_versions.ROUTES,
        *policy_file.ROUTES,
        *replays.replay_routes(replays_kept),
        # what was
        *queries.ROUTES,
        *audit.ROUTES,
        # by whom
        *users.ROUTES,
        *tokens.ROUTES,
        # how it is
        *status.ROUTES,
        *cache.ROUTES,
        *health.health_routes(metrics_need_token),
    )


def all_routes(version: str, replays_kept: Replays, metrics_need_token: bool) -> tuple[Route, ...]:
    """Every route; the OpenAPI document is made of the same, its own route included."""
    document: list[bytes] = []
    routes = (
        *feature_routes(replays_kept, metrics_need_token),
        health.document_route(DOCUMENT_PATH, lambda: document[0]),
    )
    document.append(to_json(openapi_document(routes, version)))
    return routes


def openapi_of(version: str, metrics_need_token: bool = False) -> dict[str, Any]:
    """The OpenAPI document without a running application."""
    return openapi_document(all_routes(version, Replays(), metrics_need_token), version)


def _close_literal_paths(app: web.Application, routes: tuple[Route, ...]) -> None:
    """``/blocklists/insight`` is no list of that code: what it does not declare is 405, not ``/blocklists/{code}``."""
    declared: dict[str, set[str]] = {}
    for route in routes:
        if "{" not in route.path:
            declared.setdefault(route.path, set()).add(route.method)

    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, declared[request.path])

    for path in declared:
        app.router.add_route("*", path, refuse)


def create_app(services: Services) -> web.Application:
    """The application that serves the API with these services."""
    app = web.Application(
        middlewares=[surround(services)],
        client_max_size=services.limits.max_body_size_bytes,
    )
    attempts = FailedAttempts(services.limits.failed_auth_per_minute, services.limits.tracked_addresses)
    replays_kept = Replays()
    routes = all_routes(services.version, replays_kept, services.metrics_need_token)
    for route in routes:
        app.router.add_route(route.method, route.path, Endpoint(route, services, attempts).serve)
    _close_literal_paths(app, routes)

    async def close(_app: web.Application) -> None:
        await replays_kept.close()

    app.on_cleanup.append(close)
    return app
