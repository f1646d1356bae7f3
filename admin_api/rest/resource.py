"""What a feature declares about one kind of row that people edit; ``crud.py`` makes its six routes from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from admin_api.models.base import Edited
from admin_api.policy_gate import Verdict
from admin_api.rest.auth import Scope
from admin_api.rest.paging import PageQuery
from admin_api.rest.problem import FieldError, conflict, invalid
from admin_api.rest.route import Call, Editor
from admin_api.schemas import Id, Instant, Strict

RowT = TypeVar("RowT", bound=Edited)
OtherT = TypeVar("OtherT", bound=Edited)
InT = TypeVar("InT", bound=Strict)
OutT = TypeVar("OutT", bound=BaseModel)

MAX_NAMED = 5


class Stamped(Strict):
    """What every resource shows besides its own fields."""

    id: Id
    created: Instant
    changed: Instant


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows of another kind that keep a resource from being deleted while their ``column`` points to it."""

    kind: str
    column: ColumnElement[Any] | InstrumentedAttribute[Any]
    key: ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Saved(Generic[OutT]):
    """What is answered where a row was saved: the row with what there is to say about the policy that it makes.

    ``verdict`` is None where nothing was changed.
    """

    output: type[BaseModel]
    show: Callable[[OutT, Verdict | None], BaseModel]


def no_conditions(_query: PageQuery) -> list[ColumnElement[bool]]:
    """A collection without filters."""
    return []


@dataclass(frozen=True, slots=True)
class Resource(Generic[RowT, InT, OutT]):
    """One kind of row that people edit.

    ``fill`` writes a checked body into a row (new where ``row.id`` is None) and raises 422 problems for references that
    lead nowhere. ``show`` is the row as clients see it: the fields of ``input`` and those of ``Stamped``, the same for
    equal versions. ``visible``: what a token of that agency sees; None: everything. ``unique``: attributes whose
    combination exists once, the first named in the refusal.
    """

    kind: str
    plural: str
    path: str
    row: type[RowT]
    input: type[InT]
    output: type[OutT]
    read: Scope
    write: Scope
    fill: Callable[[AsyncSession, RowT, InT, Editor], Awaitable[None]]
    show: Callable[[RowT], OutT]
    label: Callable[[RowT], str]
    unique: tuple[tuple[str, ...], ...] = ()
    references: tuple[Reference, ...] = ()
    query: type[PageQuery] = PageQuery
    conditions: Callable[[PageQuery], list[ColumnElement[bool]]] = no_conditions
    arrange: Callable[[PageQuery, Sequence[RowT]], Sequence[RowT]] | None = None  # the rows of a page in another order
    visible: Callable[[int], ColumnElement[bool]] | None = None
    for_agencies: bool = True
    in_policy: bool = True
    saved: Saved[OutT] | None = None  # what a creation or change answers; None: ``output``
    settled: Callable[[Call, OutT], Awaitable[None]] | None = None  # told of each creation and change, once committed
    guard: Callable[[AsyncSession, RowT, Editor], Awaitable[None]] | None = None  # may refuse an edit or deletion


def new_row(model: type[OtherT], now_s: int) -> OtherT:
    """A row in its first version."""
    row = model()
    row.version = 1
    row.created_s = row.changed_s = now_s
    return row


async def require(session: AsyncSession, model: type[OtherT], item_id: int, field: str) -> OtherT:
    """The row that a body's field points to. Raises a 422 problem where there is none."""
    found = await session.get(model, item_id)
    if found is None:
        raise invalid(FieldError(field=field, message="there is no such resource", value=item_id, expected="an id"))
    return found


async def require_code(session: AsyncSession, model: type[OtherT], code: str, field: str) -> OtherT:
    """The row of the code that a body's field names. Raises a 422 problem where there is none."""
    column: InstrumentedAttribute[str] = model.code  # type: ignore[attr-defined]  # callers pass rows with codes
    found = await session.scalar(select(model).where(column == code))
    if found is None:
        raise invalid(FieldError(field=field, message="there is no such resource", value=code, expected="a code"))
    return found


def keep(row: Edited, current: object, wanted: object, field: str) -> None:
    """Raises a 422 problem where an edit would change what is for good (codes: logs and documents hold them)."""
    if row.id is not None and current != wanted:
        message = "is for good: the query log and documents refer to it; create another resource instead"
        raise invalid(FieldError(field=field, message=message, value=wanted, expected=str(current)))


async def refuse_duplicates(session: AsyncSession, resource: Resource[RowT, InT, OutT], row: RowT) -> None:
    """Raises a 409 problem where another row holds what is unique. Edits queue, so that nothing comes in between."""
    columns = resource.row
    for names in resource.unique:
        values = [getattr(row, name) for name in names]
        if None in values:
            continue
        same = [getattr(columns, name) == value for name, value in zip(names, values, strict=True)]
        with session.no_autoflush:
            other = await session.scalar(select(columns.id).where(*same, columns.id != (row.id or 0)).limit(1))
        if other is not None:
            error = FieldError(field=names[-1], message="is taken", value=values[-1], expected="another value")
            raise conflict(f"{resource.kind} {other} already has this {names[-1]}", error)


async def refuse_referenced(session: AsyncSession, resource: Resource[RowT, InT, OutT], item_id: int) -> None:
    """Raises a 409 problem that names what still refers to the resource."""
    named: list[str] = []
    for reference in resource.references:
        statement = select(reference.key).where(reference.column == item_id).order_by(reference.key)
        found = list((await session.scalars(statement.limit(MAX_NAMED + 1))).all())
        if found:
            shown = ", ".join(str(number) for number in found[:MAX_NAMED])
            named.append(f"{reference.kind} {shown}{', ...' if len(found) > MAX_NAMED else ''}")
    if named:
        raise conflict(f"the {resource.kind} is still referred to by {'; '.join(named)}; change or delete those first")
