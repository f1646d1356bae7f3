"""One row of a resource created, changed or deleted, inside somebody's transaction: what every edit of it goes through.

Each returns the act for the journal. Raises 409 and 422 problems where the row cannot be so.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.journal import Act, changed
from admin_api.rest.resource import InT, OutT, Resource, RowT, new_row, refuse_duplicates, refuse_referenced
from admin_api.rest.route import Editor
from admin_api.schemas import as_json


async def create_row(
    session: AsyncSession, resource: Resource[RowT, InT, OutT], data: InT, editor: Editor
) -> tuple[RowT, Act]:
    """A new row of a checked body."""
    row = new_row(resource.row, int(editor.now_s))
    await resource.fill(session, row, data, editor)
    await refuse_duplicates(session, resource, row)
    session.add(row)
    await session.flush()
    return row, Act("create", resource.kind, row.id, resource.label(row), after=as_json(resource.show(row)))


async def change_row(
    session: AsyncSession, resource: Resource[RowT, InT, OutT], row: RowT, data: InT, editor: Editor
) -> Act | None:
    """The row with a checked body; None, and nothing done, where it says so already."""
    before = as_json(resource.show(row))
    if all(before[name] == value for name, value in as_json(data).items()):
        return None
    if resource.guard is not None:
        await resource.guard(session, row, editor)
    await resource.fill(session, row, data, editor)
    await refuse_duplicates(session, resource, row)
    row.version += 1
    row.changed_s = int(editor.now_s)
    await session.flush()
    was, is_now = changed(before, as_json(resource.show(row)))
    return Act("update", resource.kind, row.id, resource.label(row), was, is_now)


async def delete_row(session: AsyncSession, resource: Resource[RowT, InT, OutT], row: RowT, editor: Editor) -> Act:
    """The row is gone, unless something refers to it."""
    if resource.guard is not None:
        await resource.guard(session, row, editor)
    await refuse_referenced(session, resource, row.id)
    act = Act("delete", resource.kind, row.id, resource.label(row), before=as_json(resource.show(row)))
    await session.delete(row)
    return act
