"""The audit: who did what, when, from where. Read only; rows are written by the acts themselves."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import ColumnElement, select

from admin_api import fields as f
from admin_api.database import reading
from admin_api.models import Audit
from admin_api.rest.auth import Scope
from admin_api.rest.paging import PageQuery, decode_cursor, encode_cursor, next_link
from admin_api.rest.route import API, Call, Reply, Route
from admin_api.schemas import Id, Instant, QueryId, QueryInstant, instant_us

Text = Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=40)]


class AuditOutput(BaseModel):
    """One act."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    id: Id
    at: Instant
    login: str
    """Who; the login at that time."""
    token_id: int
    action: str
    kind: str
    """Of the resource."""
    resource_id: int | None
    label: str
    """What the resource was called."""
    before: dict[str, Any] | None
    """The fields that changed, as they were; everything for a deletion."""
    after: dict[str, Any] | None
    """The fields that changed, as they became; everything for a creation."""
    revision: int
    """Of the policy, after the act."""
    request_id: str
    remote: str


class AuditPage(BaseModel):
    """Acts, the newest first."""

    items: list[AuditOutput]
    next_cursor: str | None


class AuditQuery(PageQuery):
    """Which acts."""

    login: Text | None = None
    action: Text | None = None
    kind: Text | None = None
    resource_id: QueryId | None = None
    since: QueryInstant | None = None
    until: Annotated[QueryInstant, Field(description="Exclusive.")] | None = None


async def search(call: Call) -> Reply:
    """A page of acts, the newest first."""
    query = call.query_as(AuditQuery)
    conditions = _conditions(query)
    before = decode_cursor(query.cursor)
    if before:
        conditions.append(Audit.id < before)
    statement = select(Audit).where(*conditions).order_by(Audit.id.desc()).limit(query.limit + 1)
    async with reading(call.services.sessions) as session:
        rows = list((await session.scalars(statement)).all())
    cursor = encode_cursor(rows[query.limit - 1].id) if len(rows) > query.limit else None
    page = AuditPage(items=[_show(row) for row in rows[: query.limit]], next_cursor=cursor)
    return Reply(page, headers=next_link(call.address, call.raw_query, cursor))


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (Audit.login, query.login),
        (Audit.action, query.action),
        (Audit.kind, query.kind),
        (Audit.resource_id, query.resource_id),
    ):
        if value is not None:
            found.append(column == value)
    if query.since is not None:
        found.append(Audit.at_us >= int(query.since.timestamp() * 1_000_000))
    if query.until is not None:
        found.append(Audit.at_us < int(query.until.timestamp() * 1_000_000))
    return found


def _show(row: Audit) -> AuditOutput:
    return AuditOutput(
        id=row.id,
        at=instant_us(row.at_us),
        login=row.login,
        token_id=row.token_id,
        action=row.action,
        kind=row.kind,
        resource_id=row.resource_id,
        label=row.label,
        before=row.before,
        after=row.after,
        revision=row.revision,
        request_id=row.request_id,
        remote=row.remote,
    )


ROUTES = (
    Route("GET", f"{API}/audit", "audit", "Search the audit", search, Scope.AUDIT_READ, "search_audit",
          response=AuditPage, query_schema=AuditQuery, paged=True),
)  # fmt: skip
