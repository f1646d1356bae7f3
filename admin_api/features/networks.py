"""Networks: the address ranges by which a client's agency and unit are known (the longest prefix wins)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.features.tenant_query import TenantQuery, tenant_conditions
from admin_api.models import NetworkRow
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.paging import PageQuery
from admin_api.rest.resource import Resource, Stamped
from admin_api.rest.route import API, Editor
from admin_api.rest.tenant import require_tenant
from admin_api.schemas import Address, Id, Strict, instant


class NetworkInput(Strict):
    """An address range of an agency or one of its units."""

    cidr: f.Cidr
    agency_id: Id
    unit_id: Id | None = None
    """A unit of that agency; null: the agency as a whole."""


class NetworkOutput(NetworkInput, Stamped):
    """A network as stored, in canonical form."""


class NetworkQuery(TenantQuery):
    """Which networks."""

    containing: Address | None = None
    """Only those that hold this address, the longest prefix (whose the address is) first."""


async def fill(session: AsyncSession, row: NetworkRow, data: NetworkInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    await require_tenant(session, data.agency_id, data.unit_id)
    row.cidr = data.cidr
    row.agency_id = data.agency_id
    row.unit_id = data.unit_id


def show(row: NetworkRow) -> NetworkOutput:
    """The row as clients see it."""
    return NetworkOutput(
        id=row.id,
        cidr=row.cidr,
        agency_id=row.agency_id,
        unit_id=row.unit_id,
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


def conditions(query: PageQuery) -> list[ColumnElement[bool]]:
    """The filters that a query asks for."""
    found = tenant_conditions(NetworkRow, query)
    if isinstance(query, NetworkQuery) and query.containing is not None:
        found.append(NetworkRow.cidr.in_(ranges_around(query.containing)))
    return found


def ranges_around(address: str) -> list[str]:
    """Every range that holds the address, as it would be stored: a database need not know of prefixes."""
    single = ipaddress.ip_network(address)
    if isinstance(single, ipaddress.IPv6Network) and single.network_address.ipv4_mapped is not None:
        single = ipaddress.ip_network(single.network_address.ipv4_mapped)
    return [str(single.supernet(new_prefix=length)) for length in range(single.max_prefixlen + 1)]


def arrange(query: PageQuery, rows: Sequence[NetworkRow]) -> Sequence[NetworkRow]:
    """The longest prefix first where an address was asked for; else as they come."""
    if isinstance(query, NetworkQuery) and query.containing is not None:
        return sorted(rows, key=lambda row: int(row.cidr.partition("/")[2]), reverse=True)
    return rows


RESOURCE = Resource(
    kind="network",
    plural="networks",
    path=f"{API}/networks",
    row=NetworkRow,
    input=NetworkInput,
    output=NetworkOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.cidr,
    unique=(("cidr",),),
    query=NetworkQuery,
    conditions=conditions,
    arrange=arrange,
    visible=lambda agency_id: NetworkRow.agency_id == agency_id,
)
ROUTES = crud_routes(RESOURCE)
