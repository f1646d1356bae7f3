"""Protected names: what no downloaded list can block (government, identity providers)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import ProtectedName
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.resource import Resource, Stamped
from admin_api.rest.route import API, Editor
from admin_api.schemas import Strict, instant


class ProtectedNameInput(Strict):
    """A protected name, with every name below it."""

    name: f.DnsName
    note: f.Note = ""


class ProtectedNameOutput(ProtectedNameInput, Stamped):
    """A protected name as stored, in canonical form."""


async def fill(_session: AsyncSession, row: ProtectedName, data: ProtectedNameInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    row.name = data.name
    row.note = data.note


def show(row: ProtectedName) -> ProtectedNameOutput:
    """The row as clients see it."""
    return ProtectedNameOutput(
        id=row.id, name=row.name, note=row.note, created=instant(row.created_s), changed=instant(row.changed_s)
    )


RESOURCE = Resource(
    kind="protected name",
    plural="protected names",
    path=f"{API}/protected-names",
    row=ProtectedName,
    input=ProtectedNameInput,
    output=ProtectedNameOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.name,
    unique=(("name",),),
)
ROUTES = crud_routes(RESOURCE)
