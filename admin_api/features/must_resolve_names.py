"""Names that must resolve: a list's update that would block one is held back, and says which.

They are weaker than protected names: policy does not know them, so that a list that people let in all the same blocks
them like any other name.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import MustResolveName
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.resource import Resource, Stamped
from admin_api.rest.route import API, Editor
from admin_api.schemas import Strict, instant


class MustResolveNameInput(Strict):
    """A name that must resolve."""

    name: f.DnsName
    note: f.Note = ""


class MustResolveNameOutput(MustResolveNameInput, Stamped):
    """A name that must resolve as stored, in canonical form."""


async def fill(_session: AsyncSession, row: MustResolveName, data: MustResolveNameInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    row.name = data.name
    row.note = data.note


def show(row: MustResolveName) -> MustResolveNameOutput:
    """The row as clients see it."""
    return MustResolveNameOutput(
        id=row.id, name=row.name, note=row.note, created=instant(row.created_s), changed=instant(row.changed_s)
    )


RESOURCE = Resource(
    kind="must-resolve name",
    plural="must-resolve names",
    path=f"{API}/must-resolve-names",
    row=MustResolveName,
    input=MustResolveNameInput,
    output=MustResolveNameOutput,
    read=Scope.LISTS_READ,
    write=Scope.LISTS_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.name,
    unique=(("name",),),
    for_agencies=False,
    in_policy=False,
)
ROUTES = crud_routes(RESOURCE)
