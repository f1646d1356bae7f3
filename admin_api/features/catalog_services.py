"""Services (YouTube, TikTok, ...): named sets of names inside a category, each with the names below it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import Category, RuleRow, Service, ServiceName
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.resource import Reference, Resource, Stamped, keep, require_code
from admin_api.rest.route import API, Editor
from admin_api.schemas import Strict, instant


class ServiceInput(Strict):
    """A service."""

    code: f.Code
    """For good: rules, logs and documents refer to it."""
    title: f.Title
    category: f.Code
    """The category that it belongs to."""
    names: Annotated[list[f.DnsName], AfterValidator(f.distinct), Field(min_length=1, max_length=f.MAX_SERVICE_NAMES)]
    """Its names, each with every name below."""


class ServiceOutput(ServiceInput, Stamped):
    """A service as stored, its names in canonical form."""


async def fill(session: AsyncSession, row: Service, data: ServiceInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    keep(row, row.code, data.code, "code")
    row.category = await require_code(session, Category, data.category, "category")
    row.code = data.code
    row.title = data.title
    put_names(row, data.names)


def put_names(row: Service, names: list[str]) -> None:
    """Gives a service these names, in their order; rows that fit are kept (positions are part of their key)."""
    for position, name in enumerate(names):
        if position < len(row.names):
            row.names[position].name = name
        else:
            row.names.append(ServiceName(position=position, name=name))
    del row.names[len(names) :]


def show(row: Service) -> ServiceOutput:
    """The row as clients see it."""
    return ServiceOutput(
        id=row.id,
        code=row.code,
        title=row.title,
        category=row.category.code,
        names=[entry.name for entry in row.names],
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


RESOURCE = Resource(
    kind="service",
    plural="services",
    path=f"{API}/services",
    row=Service,
    input=ServiceInput,
    output=ServiceOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.code,
    unique=(("code",),),
    references=(Reference("rule", RuleRow.service_id, RuleRow.id),),
)
ROUTES = crud_routes(RESOURCE)
