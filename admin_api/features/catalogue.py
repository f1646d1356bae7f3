"""The catalogue: services and lists to choose from. Adopting enters one; nothing of it does anything before."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.catalogue.adopt import Adopted, Adopter, RowT
from admin_api.catalogue.read import CatalogueService, CatalogueSource, catalogue
from admin_api.database import current_revision, reading
from admin_api.features import blocklists, catalog_services
from admin_api.features.blocklists import BlocklistOutput
from admin_api.features.catalog_services import ServiceOutput
from admin_api.journal import record
from admin_api.models import Blocklist, Service
from admin_api.rest.auth import Scope
from admin_api.rest.edit import WARNING_HEADER, Edited, edit
from admin_api.rest.etag import etag
from admin_api.rest.problem import not_found
from admin_api.rest.route import API, Call, Parameters, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Strict

PATH = f"{API}/catalogue"

log = logging.getLogger("admin_api.catalogue")


class CodePath(Parameters):
    """The path of one entry."""

    code: f.Code


class CategoryQuery(Parameters):
    """Which entries."""

    category: f.Code | None = None


class ServiceEntry(CatalogueService):
    """A service of the catalogue."""

    adopted: bool
    """There is a service of this code in the database."""


class SourceEntry(CatalogueSource):
    """A list of the catalogue."""

    adopted: bool
    """There is a blocklist of this code in the database."""


class ServiceEntries(Strict):
    """The catalogue's services, by category."""

    items: list[ServiceEntry]


class SourceEntries(Strict):
    """The catalogue's lists."""

    items: list[SourceEntry]


class SourceAdoption(Strict):
    """How to take a list."""

    enabled: bool = False
    """Fetch it and block by it at once; false: it waits until somebody switches it on."""
    mirror: Annotated[int, Field(ge=0, le=10)] = 0
    """0: its publisher's own address; from 1 on: one of its mirrors."""


async def services(call: Call) -> Reply:
    """Services to choose from."""
    wanted = call.query_as(CategoryQuery).category
    async with reading(call.services.sessions) as session:
        known = set((await session.scalars(select(Service.code))).all())
    items = [
        ServiceEntry(**entry.model_dump(), adopted=entry.code in known)
        for entry in catalogue().services.values()
        if wanted in (None, entry.category)
    ]
    return Reply(ServiceEntries(items=items))


async def sources(call: Call) -> Reply:
    """Lists to choose from."""
    wanted = call.query_as(CategoryQuery).category
    async with reading(call.services.sessions) as session:
        known = set((await session.scalars(select(Blocklist.code))).all())
    items = [
        SourceEntry(**entry.model_dump(), adopted=entry.code in known)
        for entry in catalogue().sources.values()
        if wanted is None or wanted in entry.categories
    ]
    return Reply(SourceEntries(items=items))


async def adopt_service(call: Call) -> Reply:
    """Enters a service, and its category where there is none of that code yet."""
    code = call.path_as(CodePath).code
    entry = catalogue().services.get(code)
    if entry is None:
        raise not_found(f"service {code} in the catalogue")

    async def work(session: AsyncSession) -> tuple[Service, Edited]:
        return await _entered(call, session, await _adopter(call).service(session, entry))

    row, headers = await edit(call, work)
    headers |= {"Location": f"{API}/services/{row.id}", "ETag": etag("service", row.id, row.version)}
    return Reply(catalog_services.show(row), HTTPStatus.CREATED, headers)


async def adopt_source(call: Call) -> Reply:
    """Enters a list, switched off unless asked otherwise, and its categories where they are not there yet."""
    code = call.path_as(CodePath).code
    entry = catalogue().sources.get(code)
    if entry is None:
        raise not_found(f"list {code} in the catalogue")
    how = check_body(SourceAdoption, call.body)

    async def work(session: AsyncSession) -> tuple[Blocklist, Edited]:
        adopted = await _adopter(call).source(session, entry, how.enabled, how.mirror)
        return await _entered(call, session, adopted)

    row, headers = await edit(call, work)
    headers |= {"Location": f"{API}/blocklists/{row.id}", "ETag": etag("blocklist", row.id, row.version)}
    if how.enabled:
        try:
            await call.services.sync_now(code)
        except Exception:  # the list is entered, and the scheduler finds it by itself
            log.exception(
                "the sync that should follow an adoption could not be started", extra={"request_id": call.request_id}
            )
            headers[WARNING_HEADER] = "saved, but the sync could not be started; start it by hand"
    return Reply(blocklists.show(row), HTTPStatus.CREATED, headers)


def _adopter(call: Call) -> Adopter:
    return Adopter(catalogue(), call.editor, call.principal.may(Scope.POLICY_WRITE))


async def _entered(call: Call, session: AsyncSession, adopted: Adopted[RowT]) -> tuple[RowT, Edited]:
    revision = await current_revision(session) + 1  # the one that this edit will have
    for act in adopted.before:
        record(session, call.actor, act, call.now_s(), revision)
    return adopted.row, Edited(adopted.act)


CONFLICT = (HTTPStatus.CONFLICT,)
ROUTES = (
    Route("GET", f"{PATH}/services", "catalogue", "List services to choose from", services, Scope.POLICY_READ,
          "list_catalogue_services", response=ServiceEntries, query_schema=CategoryQuery),
    Route("GET", f"{PATH}/sources", "catalogue", "List blocklists to choose from", sources, Scope.LISTS_READ,
          "list_catalogue_sources", response=SourceEntries, query_schema=CategoryQuery),
    Route("POST", f"{PATH}/services/{{code}}/adoption", "catalogue", "Enter a service of the catalogue",
          adopt_service, Scope.POLICY_WRITE, "adopt_catalogue_service", response=ServiceOutput,
          status=HTTPStatus.CREATED, path_schema=CodePath, etag=True, publishes=True, errors=CONFLICT),
    Route("POST", f"{PATH}/sources/{{code}}/adoption", "catalogue", "Enter a blocklist of the catalogue",
          adopt_source, Scope.LISTS_WRITE, "adopt_catalogue_source", response=BlocklistOutput,
          status=HTTPStatus.CREATED, path_schema=CodePath, body=SourceAdoption, etag=True, publishes=True,
          errors=CONFLICT,
          description="It is switched off unless ``enabled`` is true. Categories are made by holders of policy:write."),
)  # fmt: skip
