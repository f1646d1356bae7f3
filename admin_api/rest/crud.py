"""The six routes of a resource: list, create, read, replace, change, delete."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Generic

from pydantic import BaseModel, create_model
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import reading
from admin_api.policy_gate import Verdict
from admin_api.rest.edit import WARNING_HEADER, Edited, edit
from admin_api.rest.etag import etag, require_match
from admin_api.rest.paging import PageQuery, decode_cursor, encode_cursor, next_link
from admin_api.rest.problem import not_found
from admin_api.rest.resource import InT, OutT, Resource, RowT
from admin_api.rest.route import Call, ItemPath, Reply, Route
from admin_api.rest.rows import change_row, create_row, delete_row
from admin_api.rest.validation import check_body, merge_body
from admin_api.schemas import as_json

log = logging.getLogger("admin_api.crud")


def crud_routes(resource: Resource[RowT, InT, OutT]) -> tuple[Route, ...]:
    """The routes of a resource, in the order of a manual."""
    handlers = Crud(resource)
    kind, plural, item = resource.kind, resource.plural, f"{resource.path}/{{id}}"
    tag = plural
    operation = kind.replace(" ", "_").replace("-", "_")
    page = page_of(resource.output)
    edits: dict[str, Any] = {
        "scope": resource.write,
        "tag": tag,
        "publishes": resource.in_policy,
        "errors": (HTTPStatus.CONFLICT,),
    }
    reads: dict[str, Any] = {"scope": resource.read, "tag": tag, "for_agencies": resource.for_agencies}
    one: dict[str, Any] = {"path_schema": ItemPath}
    shown: dict[str, Any] = {"response": resource.output, "etag": True}
    saved = shown if resource.saved is None else shown | {"response": resource.saved.output}
    return (
        Route("GET", resource.path, summary=f"List {plural}", handle=handlers.list, response=page, paged=True,
              query_schema=resource.query, operation=f"list_{operation}", **reads),
        Route("POST", resource.path, summary=f"Create a {kind}", handle=handlers.create, body=resource.input,
              status=HTTPStatus.CREATED, operation=f"create_{operation}", **edits, **saved),
        Route("GET", item, summary=f"Read a {kind}", handle=handlers.get, operation=f"get_{operation}",
              **one, **reads, **shown),
        Route("PUT", item, summary=f"Replace a {kind}", handle=handlers.replace, body=resource.input,
              preconditioned=True, operation=f"replace_{operation}",
              **one, **edits, **saved),
        Route("PATCH", item, summary=f"Change fields of a {kind}", handle=handlers.change, body=resource.input,
              partial=True, preconditioned=True, operation=f"change_{operation}",
              description="Each field that is given replaces that field; what is left out stays.",
              **one, **edits, **saved),
        Route("DELETE", item, summary=f"Delete a {kind}", handle=handlers.delete, status=HTTPStatus.NO_CONTENT,
              preconditioned=True, operation=f"delete_{operation}", **one, **edits),
    )  # fmt: skip


def page_of(item: type[BaseModel]) -> type[BaseModel]:
    """The model of one page of a collection of ``item``."""
    name = f"{item.__name__.removesuffix('Output')}Page"
    return create_model(name, items=(list[item], ...), next_cursor=(str | None, ...))  # type: ignore[valid-type]  # made at run time


class Crud(Generic[RowT, InT, OutT]):
    """The handlers of one resource."""

    def __init__(self, resource: Resource[RowT, InT, OutT]) -> None:
        self._resource = resource
        self._page = page_of(resource.output)

    async def list(self, call: Call) -> Reply:
        """A page, in the order of identifiers."""
        resource = self._resource
        query = call.query_as(PageQuery)
        conditions = [resource.row.id > decode_cursor(query.cursor), *resource.conditions(query)]
        if resource.visible is not None and call.principal.agency_id is not None:
            conditions.append(resource.visible(call.principal.agency_id))
        statement = select(resource.row).where(*conditions).order_by(resource.row.id).limit(query.limit + 1)
        async with reading(call.services.sessions) as session:
            rows = list((await session.scalars(statement)).all())
            page_rows = rows[: query.limit]
            items = [resource.show(row) for row in self._arranged(query, page_rows)]
        cursor = encode_cursor(rows[query.limit - 1].id) if len(rows) > query.limit else None
        page = self._page(items=items, next_cursor=cursor)
        return Reply(page, headers=next_link(call.address, call.raw_query, cursor))

    def _arranged(self, query: PageQuery, rows: Sequence[RowT]) -> Sequence[RowT]:
        arrange = self._resource.arrange
        return rows if arrange is None else arrange(query, rows)

    async def get(self, call: Call) -> Reply:
        """One resource with its ETag."""
        async with reading(call.services.sessions) as session:
            row = await self._find(session, call)
            return self._shown(row, self._resource.show(row), {})

    async def create(self, call: Call) -> Reply:
        """A new resource; Location says where."""
        resource = self._resource
        data = check_body(resource.input, call.body)
        told: list[Verdict] = []

        async def work(session: AsyncSession) -> tuple[tuple[RowT, OutT], Edited]:
            row, act = await create_row(session, resource, data, call.editor)
            return (row, resource.show(row)), Edited(act, resource.in_policy, told.append)

        (row, shown), headers = await edit(call, work)
        headers |= await self._settled(call, shown)
        location = {"Location": f"{call.address}/{row.id}"}
        return self._shown(row, self._saved(shown, told), headers | location, HTTPStatus.CREATED)

    async def replace(self, call: Call) -> Reply:
        """All fields anew; those left out take their defaults."""
        data = check_body(self._resource.input, call.body)
        return await self._update(call, data, None)

    async def change(self, call: Call) -> Reply:
        """The given fields anew."""
        return await self._update(call, None, json.loads(call.body))

    async def delete(self, call: Call) -> Reply:
        """The resource is gone, unless something refers to it."""
        resource = self._resource

        async def work(session: AsyncSession) -> tuple[None, Edited]:
            row = await self._find(session, call)
            require_match(call.if_match, etag(resource.kind, row.id, row.version))
            act = await delete_row(session, resource, row, call.editor)
            return None, Edited(act, resource.in_policy)

        _, headers = await edit(call, work)
        return Reply(status=HTTPStatus.NO_CONTENT, headers=headers)

    async def _update(self, call: Call, whole: InT | None, part: object) -> Reply:
        resource = self._resource
        told: list[Verdict] = []

        async def work(session: AsyncSession) -> tuple[tuple[RowT, OutT], Edited]:
            row = await self._find(session, call)
            require_match(call.if_match, etag(resource.kind, row.id, row.version))
            data = whole if whole is not None else merge_body(resource.input, as_json(resource.show(row)), part)
            act = await change_row(session, resource, row, data, call.editor)
            return (row, resource.show(row)), Edited(act, resource.in_policy, told.append if act else None)

        (row, shown), headers = await edit(call, work)
        if headers or not resource.in_policy:
            headers |= await self._settled(call, shown)
        return self._shown(row, self._saved(shown, told), headers)

    def _saved(self, shown: OutT, told: Sequence[Verdict]) -> BaseModel:
        saved = self._resource.saved
        return shown if saved is None else saved.show(shown, told[-1] if told else None)

    async def _settled(self, call: Call, shown: OutT) -> dict[str, str]:
        if self._resource.settled is None:
            return {}
        try:
            await self._resource.settled(call, shown)
        except Exception:  # the edit is committed: what follows it may fail, and is then told, not undone
            log.exception("what should follow an edit failed", extra={"request_id": call.request_id})
            return {WARNING_HEADER: "saved, but what should follow (a sync) could not be started; start it by hand"}
        return {}

    async def _find(self, session: AsyncSession, call: Call) -> RowT:
        resource = self._resource
        statement = select(resource.row).where(resource.row.id == call.item_id)
        if resource.visible is not None and call.principal.agency_id is not None:
            statement = statement.where(resource.visible(call.principal.agency_id))
        row = await session.scalar(statement)
        if row is None:
            raise not_found(f"{resource.kind} {call.item_id}")
        return row

    def _shown(self, row: RowT, shown: BaseModel, headers: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> Reply:
        tag = etag(self._resource.kind, row.id, row.version)
        return Reply(shown, status, headers | {"ETag": tag})
