"""Users: in whose name tokens act."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.features.last_admin import refuse_if_last_admin
from admin_api.models import Token, User
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.resource import Reference, Resource, Stamped, keep
from admin_api.rest.route import API, Editor
from admin_api.schemas import Strict, instant


class UserInput(Strict):
    """A user."""

    login: f.Code
    """For good: the audit refers to it."""
    name: f.Title
    active: bool = True
    """The tokens of a user who is not active do not count."""


class UserOutput(UserInput, Stamped):
    """A user as stored."""


async def fill(session: AsyncSession, row: User, data: UserInput, editor: Editor) -> None:
    """Writes a body into its row."""
    keep(row, row.login, data.login, "login")
    if row.id is not None and row.active and not data.active:
        await refuse_if_last_admin(session, Token.user_id != row.id, editor)
    row.login = data.login
    row.name = data.name
    row.active = data.active


def show(row: User) -> UserOutput:
    """The row as clients see it."""
    return UserOutput(
        id=row.id,
        login=row.login,
        name=row.name,
        active=row.active,
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


RESOURCE = Resource(
    kind="user",
    plural="users",
    path=f"{API}/users",
    row=User,
    input=UserInput,
    output=UserOutput,
    read=Scope.ADMIN,
    write=Scope.ADMIN,
    fill=fill,
    show=show,
    label=lambda row: row.login,
    unique=(("login",),),
    references=(Reference("token", Token.user_id, Token.id),),
    for_agencies=False,
    in_policy=False,
)
ROUTES = crud_routes(RESOURCE)
