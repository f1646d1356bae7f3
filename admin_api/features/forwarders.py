"""Forwarders: routers and resolvers of ours that ask for many clients, and what they are believed in."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import AgencyRow, ForwarderRow
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.resource import Resource, Stamped, require
from admin_api.rest.route import API, Editor
from admin_api.schemas import Id, Strict, instant
from policy.model import Identification


class ForwarderInput(Strict):
    """A router or resolver that asks for many clients. Nobody else is believed in what a query says of its client."""

    cidr: f.Cidr
    """Its own address (or range), as this resolver sees it."""
    title: f.Title
    agency_ids: Annotated[
        list[Id], AfterValidator(f.distinct), Field(min_length=1, max_length=f.MAX_FORWARDED_AGENCIES)
    ]
    """The agencies whose clients it may speak for; about all others it is not believed."""
    trusts: Annotated[list[Identification], AfterValidator(f.distinct), Field(min_length=1, max_length=3)]
    """client_subnet: EDNS client subnet with a whole address; mac: dnsmasq's add-mac; cpe_id: its add-cpe-id."""


class ForwarderOutput(ForwarderInput, Stamped):
    """A forwarder as stored, its address in canonical form."""


async def fill(session: AsyncSession, row: ForwarderRow, data: ForwarderInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    row.agencies = [
        await require(session, AgencyRow, agency_id, f"agency_ids[{position}]")
        for position, agency_id in enumerate(data.agency_ids)
    ]
    row.cidr = data.cidr
    row.title = data.title
    row.trusts = sorted(trust.value for trust in data.trusts)


def show(row: ForwarderRow) -> ForwarderOutput:
    """The row as clients see it."""
    return ForwarderOutput(
        id=row.id,
        cidr=row.cidr,
        title=row.title,
        agency_ids=sorted(agency.id for agency in row.agencies),
        trusts=[Identification(trust) for trust in row.trusts],
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


RESOURCE = Resource(
    kind="forwarder",
    plural="forwarders",
    path=f"{API}/forwarders",
    row=ForwarderRow,
    input=ForwarderInput,
    output=ForwarderOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.cidr,
    unique=(("cidr",),),
    for_agencies=False,
)
ROUTES = crud_routes(RESOURCE)
