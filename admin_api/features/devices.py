"""Devices: clients known by what a forwarder calls them (a MAC address, a CPE's identifier)."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.features.tenant_query import TenantQuery, tenant_conditions
from admin_api.models import DeviceRow
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.paging import PageQuery
from admin_api.rest.resource import Resource, Stamped
from admin_api.rest.route import API, Editor
from admin_api.rest.tenant import require_tenant
from admin_api.schemas import DeviceName, Id, instant
from policy.model import Identification


class DeviceInput(DeviceName):
    """A client known by what a forwarder calls it."""

    title: f.Short = ""
    agency_id: Id
    unit_id: Id | None = None
    """A unit of that agency; null: the agency as a whole."""


class DeviceOutput(DeviceInput, Stamped):
    """A device as stored, in canonical form."""


async def fill(session: AsyncSession, row: DeviceRow, data: DeviceInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    await require_tenant(session, data.agency_id, data.unit_id)
    row.kind = data.kind.value
    row.value = data.value
    row.title = data.title
    row.agency_id = data.agency_id
    row.unit_id = data.unit_id


def show(row: DeviceRow) -> DeviceOutput:
    """The row as clients see it."""
    return DeviceOutput(
        id=row.id,
        kind=Identification(row.kind),
        value=row.value,
        title=row.title,
        agency_id=row.agency_id,
        unit_id=row.unit_id,
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


def conditions(query: PageQuery) -> list[ColumnElement[bool]]:
    """The filters that a query asks for."""
    return tenant_conditions(DeviceRow, query)


RESOURCE = Resource(
    kind="device",
    plural="devices",
    path=f"{API}/devices",
    row=DeviceRow,
    input=DeviceInput,
    output=DeviceOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: f"{row.kind} {row.value}",
    unique=(("kind", "value"),),
    query=TenantQuery,
    conditions=conditions,
    visible=lambda agency_id: DeviceRow.agency_id == agency_id,
)
ROUTES = crud_routes(RESOURCE)
