"""Tokens: made by administrators, shown once, then known only by their hash."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Self

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.features.last_admin import refuse_if_last_admin
from admin_api.journal import Act
from admin_api.models import AgencyRow, Token, User
from admin_api.rest.auth import AGENCY_SCOPES, SECRET_SIZE_BYTES, Scope, hash_secret, new_secret
from admin_api.rest.crud import crud_routes
from admin_api.rest.edit import Edited, edit
from admin_api.rest.etag import etag
from admin_api.rest.paging import PageQuery
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.resource import Resource, Stamped, keep, require
from admin_api.rest.route import API, Call, Editor, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Id, Instant, QueryId, Strict, as_json, instant, instant_or_none, seconds_or_none

PATH = f"{API}/tokens"


class TokenInput(Strict):
    """A token."""

    user_id: Id
    """For good: in whose name it acts."""
    title: f.Title
    """What it is for."""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    agency_id: Id | None = None
    """Restricts the token to one agency: it sees nothing of the others, and may only read."""
    expires: Instant | None = None
    """null: never."""

    @model_validator(mode="after")
    def _fits_its_restriction(self) -> Self:
        if len(set(self.scopes)) != len(self.scopes):
            raise ValueError("scopes names a scope twice")
        if self.agency_id is not None and not AGENCY_SCOPES.issuperset(self.scopes):
            possible = ", ".join(sorted(AGENCY_SCOPES))
            raise ValueError(f"a token restricted to an agency can hold only {possible}")
        return self


class TokenOutput(TokenInput, Stamped):
    """A token as stored; never its secret."""

    last_used: Instant | None
    """To the minute."""


class NewTokenOutput(TokenOutput):
    """A token just made, with its secret: shown this once, it cannot be read again."""

    secret: str


class TokenQuery(PageQuery):
    """Which tokens."""

    user_id: QueryId | None = None


async def fill(session: AsyncSession, row: Token, data: TokenInput, editor: Editor) -> None:
    """Writes a body into its row."""
    keep(row, row.user_id, data.user_id, "user_id")
    row.user = await require(session, User, data.user_id, "user_id")
    if data.agency_id is not None:
        await require(session, AgencyRow, data.agency_id, "agency_id")
    expires_s = seconds_or_none(data.expires)
    if expires_s is not None and expires_s <= editor.now_s:
        expected = "an instant to come; to end a token now, delete it"
        raise invalid(FieldError(field="expires", message="has passed", value=str(data.expires), expected=expected))
    row.title = data.title
    row.scopes = [scope.value for scope in data.scopes]
    row.agency_id = data.agency_id
    row.expires_s = expires_s


async def guard(session: AsyncSession, row: Token, editor: Editor) -> None:
    """Refuses to change or delete the last administrator's token."""
    if Scope.ADMIN in row.scopes:
        await refuse_if_last_admin(session, Token.id != row.id, editor)


def show(row: Token) -> TokenOutput:
    """The row as clients see it."""
    return TokenOutput(
        id=row.id,
        user_id=row.user_id,
        title=row.title,
        scopes=[Scope(scope) for scope in row.scopes],
        agency_id=row.agency_id,
        expires=instant_or_none(row.expires_s),
        last_used=instant_or_none(row.last_used_s),
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


def conditions(query: PageQuery) -> list[ColumnElement[bool]]:
    """The filter that a query asks for."""
    if isinstance(query, TokenQuery) and query.user_id is not None:
        return [Token.user_id == query.user_id]
    return []


async def create(call: Call) -> Reply:
    """A new token; the one time that its secret is shown."""
    data = check_body(TokenInput, call.body)
    secret = new_secret(call.services.random_bytes(SECRET_SIZE_BYTES))

    async def work(session: AsyncSession) -> tuple[tuple[Token, TokenOutput], Edited]:
        now_s = int(call.now_s())
        row = Token(version=1, created_s=now_s, changed_s=now_s, secret_sha256=hash_secret(secret))
        await fill(session, row, data, call.editor)
        session.add(row)
        await session.flush()
        shown = show(row)
        act = Act("create", RESOURCE.kind, row.id, row.title, after=as_json(shown))
        return (row, shown), Edited(act, in_policy=False)

    (row, shown), headers = await edit(call, work)
    body = NewTokenOutput.model_validate({**shown.model_dump(), "secret": secret})
    where = {"Location": f"{PATH}/{row.id}", "ETag": etag(RESOURCE.kind, row.id, row.version)}
    return Reply(body, HTTPStatus.CREATED, headers | where)


RESOURCE = Resource(
    kind="token",
    plural="tokens",
    path=PATH,
    row=Token,
    input=TokenInput,
    output=TokenOutput,
    read=Scope.ADMIN,
    write=Scope.ADMIN,
    fill=fill,
    show=show,
    label=lambda row: row.title,
    query=TokenQuery,
    conditions=conditions,
    for_agencies=False,
    in_policy=False,
    guard=guard,
)
ROUTES = (
    *(route for route in crud_routes(RESOURCE) if route.method != "POST"),
    Route(
        "POST",
        PATH,
        tag="tokens",
        summary="Create a token",
        handle=create,
        scope=Scope.ADMIN,
        operation="create_token",
        response=NewTokenOutput,
        status=HTTPStatus.CREATED,
        body=TokenInput,
        etag=True,
        description="The secret is in this response and nowhere else.",
    ),
)
