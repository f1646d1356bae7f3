"""The application: a table of contents of what the API offers, and nothing else."""

from __future__ import annotations

from aiohttp import web
from pydantic_core import to_json

from admin_api.current_generation import CurrentGeneration
from admin_api.features import (
    agencies,
    audit,
    blocklist_versions,
    blocklists,
    catalog_services,
    categories,
    check,
    generations,
    health,
    holidays,
    networks,
    protected_names,
    queries,
    regency,
    rules,
    schedules,
    setup,
    status,
    tokens,
    units,
    users,
)
from admin_api.rest.auth import FailedAttempts
from admin_api.rest.dispatch import Endpoint
from admin_api.rest.middleware import surround
from admin_api.rest.openapi import openapi_document
from admin_api.rest.route import API, Route
from admin_api.services import Services

DOCUMENT_PATH = f"{API}/openapi.json"


def all_routes(services: Services, current: CurrentGeneration) -> tuple[Route, ...]:
    """Every route, in the order of a manual; the OpenAPI document is made of the same."""
    served = (
        *setup.ROUTES,
        # who
        *regency.ROUTES,
        *agencies.ROUTES,
        *units.ROUTES,
        *networks.ROUTES,
        # what
        *categories.ROUTES,
        *catalog_services.ROUTES,
        *blocklists.ROUTES,
        *blocklist_versions.ROUTES,
        *protected_names.ROUTES,
        # when, and what becomes of it
        *schedules.ROUTES,
        *holidays.ROUTES,
        *rules.ROUTES,
        *check.check_routes(current),
        *generations.ROUTES,
        # what was
        *queries.ROUTES,
        *audit.ROUTES,
        # by whom
        *users.ROUTES,
        *tokens.ROUTES,
        # how it is
        *status.ROUTES,
        *health.health_routes(services.metrics_need_token),
    )
    document: list[bytes] = []
    served = (*served, health.document_route(DOCUMENT_PATH, lambda: document[0]))
    document.append(to_json(openapi_document(served, services.version)))
    return served


def create_app(services: Services) -> web.Application:
    """The application that serves the API with these services."""
    current = CurrentGeneration(services.snapshots_root)
    app = web.Application(
        middlewares=[surround(services)],
        client_max_size=services.limits.max_body_size_bytes,
    )
    attempts = FailedAttempts(services.limits.failed_auth_per_minute, services.limits.tracked_addresses)
    for route in all_routes(services, current):
        app.router.add_route(route.method, route.path, Endpoint(route, services, attempts).serve)

    async def close(_app: web.Application) -> None:
        await current.close()

    app.on_cleanup.append(close)
    return app
