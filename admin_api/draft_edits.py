"""A draft as edits: what a person would send to the API one by one, tried together.

The edits go through what every edit of a row goes through (``rest/rows.py``), so a draft can be nothing that the API
would refuse. An agency's contact may try rules of the own agency and its units, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.features import (
    agencies,
    blocklists,
    catalog_services,
    categories,
    devices,
    forwarders,
    holidays,
    networks,
    protected_names,
    rules,
    schedule_overrides,
    schedules,
    units,
)
from admin_api.journal import Act
from admin_api.models import UnitRow
from admin_api.rest.auth import Principal
from admin_api.rest.problem import FieldError, Problem, invalid
from admin_api.rest.resource import Resource
from admin_api.rest.route import Editor
from admin_api.rest.rows import change_row, create_row, delete_row
from admin_api.rest.validation import check_body, merge_body
from admin_api.schemas import Id, Strict, as_json
from admin_api.to_policy import scope_of
from policy.model import ScopeKind

MAX_EDITS: Final = 500


class DraftKind(StrEnum):
    """What can be tried."""

    RULE = "rule"
    SCHEDULE = "schedule"
    SCHEDULE_OVERRIDE = "schedule_override"
    HOLIDAY = "holiday"
    CATEGORY = "category"
    SERVICE = "service"
    BLOCKLIST = "blocklist"
    PROTECTED_NAME = "protected_name"
    AGENCY = "agency"
    UNIT = "unit"
    NETWORK = "network"
    FORWARDER = "forwarder"
    DEVICE = "device"


RESOURCES: Final[dict[DraftKind, Resource[Any, Any, Any]]] = {
    DraftKind.RULE: rules.RESOURCE,
    DraftKind.SCHEDULE: schedules.RESOURCE,
    DraftKind.SCHEDULE_OVERRIDE: schedule_overrides.RESOURCE,
    DraftKind.HOLIDAY: holidays.RESOURCE,
    DraftKind.CATEGORY: categories.RESOURCE,
    DraftKind.SERVICE: catalog_services.RESOURCE,
    DraftKind.BLOCKLIST: blocklists.RESOURCE,
    DraftKind.PROTECTED_NAME: protected_names.RESOURCE,
    DraftKind.AGENCY: agencies.RESOURCE,
    DraftKind.UNIT: units.RESOURCE,
    DraftKind.NETWORK: networks.RESOURCE,
    DraftKind.FORWARDER: forwarders.RESOURCE,
    DraftKind.DEVICE: devices.RESOURCE,
}


class DraftAction(StrEnum):
    """What an edit does."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


class DraftEdit(Strict):
    """One edit, as POST, PATCH or DELETE of its kind takes it."""

    action: DraftAction
    kind: DraftKind
    id: Id | None = None
    """Of what is changed or deleted."""
    fields: dict[str, Any] | None = None
    """For create and change: the body."""

    @model_validator(mode="after")
    def _names_what_it_is_about(self) -> Self:
        if (self.action is DraftAction.CREATE) != (self.id is None):
            raise ValueError("id is given exactly where something is changed or deleted")
        if (self.action is DraftAction.DELETE) != (self.fields is None):
            raise ValueError("fields are given exactly where something is created or changed")
        return self


Edits = Annotated[list[DraftEdit], Field(min_length=1, max_length=MAX_EDITS)]


async def apply_edits(
    session: AsyncSession, edits: Sequence[DraftEdit], editor: Editor, agency_id: int | None
) -> list[Act]:
    """Makes the edits, one after another. ``agency_id``: the only agency whose rules may be touched; None: no limit.

    Raises 403, 404, 409 and 422 problems; the mistakes name the edit.
    """
    acts: list[Act] = []
    for position, edit in enumerate(edits):
        try:
            act = await _apply(session, edit, editor, agency_id)
        except Problem as problem:
            where = f"edits[{position}]"
            errors = [one.model_copy(update={"field": f"{where}.fields.{one.field}"}) for one in problem.errors]
            raise Problem(problem.status, f"{where}: {problem.detail}", errors=errors) from None
        if act is not None:
            acts.append(act)
    return acts


async def _apply(session: AsyncSession, edit: DraftEdit, editor: Editor, agency_id: int | None) -> Act | None:
    resource = RESOURCES[edit.kind]
    if agency_id is not None and edit.kind is not DraftKind.RULE:
        raise Problem(HTTPStatus.FORBIDDEN, "the token is restricted to one agency, and may try rules alone")
    if edit.action is DraftAction.CREATE:
        data = check_body(resource.input, json.dumps(edit.fields).encode())
        await _refuse_foreign(session, data, agency_id)
        return (await create_row(session, resource, data, editor))[1]
    row = await session.get(resource.row, edit.id)
    if row is None or not await _is_own(session, scope_of(row) if agency_id is not None else None, agency_id):
        raise invalid(FieldError(field="id", message="there is no such resource", value=edit.id, expected="an id"))
    if edit.action is DraftAction.DELETE:
        act = await delete_row(session, resource, row, editor)
        await session.flush()
        return act
    data = merge_body(resource.input, as_json(resource.show(row)), edit.fields)
    await _refuse_foreign(session, data, agency_id)
    return await change_row(session, resource, row, data, editor)


async def _refuse_foreign(session: AsyncSession, data: Any, agency_id: int | None) -> None:
    """Before the body is looked at any further: what a token may not see does not exist for it."""
    if agency_id is not None and not await _is_own(session, data.scope, agency_id):
        raise Problem(HTTPStatus.FORBIDDEN, "the token may try rules of its own agency and its units alone")


async def _is_own(session: AsyncSession, scope: Any, agency_id: int | None) -> bool:
    if agency_id is None:
        return True
    if scope.kind is ScopeKind.UNIT:
        unit = await session.get(UnitRow, scope.id)
        return unit is not None and unit.agency_id == agency_id
    return scope.kind is ScopeKind.AGENCY and scope.id == agency_id


def missing_scopes(principal: Principal, edits: Sequence[DraftEdit]) -> list[str]:
    """What a token lacks to make these edits true."""
    wanted = {RESOURCES[edit.kind].write for edit in edits}
    return sorted(scope.value for scope in wanted if not principal.may(scope))
