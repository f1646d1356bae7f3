"""Rules: what people decided, each with the letter it rests on; and the approval of exceptions."""

from __future__ import annotations

from http import HTTPStatus

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.features.rule_schemas import RuleInput, RuleOutput, RuleQuery, RuleScope, RuleTarget
from admin_api.journal import Act, changed
from admin_api.models import AgencyRow, Blocklist, Category, RuleRow, ScheduleRow, Service, UnitRow
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.edit import Edited, edit
from admin_api.rest.etag import etag, require_match
from admin_api.rest.paging import PageQuery
from admin_api.rest.problem import conflict, not_found
from admin_api.rest.resource import Resource, keep, require, require_code
from admin_api.rest.route import API, Call, Editor, ItemPath, Reply, Route
from admin_api.schemas import (
    answer_of,
    as_json,
    basis_of,
    instant,
    instant_or_none,
    put_answer,
    put_basis,
    seconds_or_none,
)
from admin_api.to_policy import scope_of, target_of
from policy.model import Action, ScopeKind, TargetKind


async def fill(session: AsyncSession, row: RuleRow, data: RuleInput, editor: Editor) -> None:
    """Writes a body into its row. A change takes an approval away: it was given to what the rule said before."""
    if row.code is not None:
        keep(row, row.code, data.code, "code")
    row.code = data.code
    row.title = data.title
    await _put_scope(session, row, data.scope)
    await _put_target(session, row, data.target)
    row.action = data.action.value
    put_answer(row, data.answer)
    row.schedule = await require_code(session, ScheduleRow, data.schedule, "schedule") if data.schedule else None
    row.valid_from_s = seconds_or_none(data.valid_from)
    row.valid_until_s = seconds_or_none(data.valid_until)
    row.mandatory = data.mandatory
    row.exception = data.exception
    row.important = data.important
    put_basis(row, data.basis)
    row.author = editor.login
    row.approver = ""


async def _put_scope(session: AsyncSession, row: RuleRow, scope: RuleScope) -> None:
    row.agency_id = row.unit_id = None
    if scope.kind is ScopeKind.AGENCY and scope.id is not None:
        row.agency_id = (await require(session, AgencyRow, scope.id, "scope.id")).id
    elif scope.kind is ScopeKind.UNIT and scope.id is not None:
        row.unit_id = (await require(session, UnitRow, scope.id, "scope.id")).id


async def _put_target(session: AsyncSession, row: RuleRow, target: RuleTarget) -> None:
    row.target_kind = target.kind.value
    row.category = row.blocklist = row.service = row.target_text = None
    if target.kind is TargetKind.CATEGORY:
        row.category = await require_code(session, Category, target.value, "target.value")
    elif target.kind is TargetKind.LIST:
        row.blocklist = await require_code(session, Blocklist, target.value, "target.value")
    elif target.kind is TargetKind.SERVICE:
        row.service = await require_code(session, Service, target.value, "target.value")
    else:
        row.target_text = target.value


def show(row: RuleRow) -> RuleOutput:
    """The row as clients see it."""
    scope, target = scope_of(row), target_of(row)
    return RuleOutput(
        id=row.id,
        code=row.code,
        title=row.title,
        scope=RuleScope(kind=scope.kind, id=scope.id or None),
        target=RuleTarget(kind=target.kind, value=target.value),
        action=Action(row.action),
        answer=answer_of(row),
        schedule=row.schedule.code if row.schedule else None,
        valid_from=instant_or_none(row.valid_from_s),
        valid_until=instant_or_none(row.valid_until_s),
        mandatory=row.mandatory,
        exception=row.exception,
        important=row.important,
        basis=basis_of(row),
        author=row.author,
        approver=row.approver,
        created=instant(row.created_s),
        changed=instant(row.changed_s),
    )


def visible(agency_id: int) -> ColumnElement[bool]:
    """What binds an agency: the regency's rules, its own, and its units'."""
    units = select(UnitRow.id).where(UnitRow.agency_id == agency_id)
    of_regency = and_(RuleRow.agency_id.is_(None), RuleRow.unit_id.is_(None))
    return or_(of_regency, RuleRow.agency_id == agency_id, RuleRow.unit_id.in_(units))


def conditions(query: PageQuery) -> list[ColumnElement[bool]]:
    """The filters that a query asks for."""
    found: list[ColumnElement[bool]] = []
    if isinstance(query, RuleQuery):
        if query.agency_id is not None:
            found.append(RuleRow.agency_id == query.agency_id)
        if query.unit_id is not None:
            found.append(RuleRow.unit_id == query.unit_id)
        if query.action is not None:
            found.append(RuleRow.action == query.action.value)
        if query.exception is not None:
            found.append(RuleRow.exception == query.exception)
    return found


async def approve(call: Call) -> Reply:
    """Approves an exception, in the version that If-Match names, by another person than its author."""

    async def work(session: AsyncSession) -> tuple[tuple[RuleRow, RuleOutput], Edited]:
        row = await session.get(RuleRow, call.item_id)
        if row is None:
            raise not_found(f"rule {call.item_id}")
        require_match(call.if_match, etag(RESOURCE.kind, row.id, row.version))
        if not row.exception:
            raise conflict("only exceptions are approved; this rule is none")
        if row.author == call.principal.login:
            raise conflict("an exception is approved by another person than the one who wrote it")
        if row.approver:
            raise conflict(f"the exception is approved already, by {row.approver}")
        before = as_json(show(row))
        row.approver = call.principal.login
        row.version += 1
        row.changed_s = int(call.now_s())
        await session.flush()
        shown = show(row)
        was, is_now = changed(before, as_json(shown))
        return (row, shown), Edited(Act("approve", RESOURCE.kind, row.id, RESOURCE.label(row), was, is_now))

    (row, shown), headers = await edit(call, work)
    return Reply(shown, headers=headers | {"ETag": etag(RESOURCE.kind, row.id, row.version)})


RESOURCE = Resource(
    kind="rule",
    plural="rules",
    path=f"{API}/rules",
    row=RuleRow,
    input=RuleInput,
    output=RuleOutput,
    read=Scope.POLICY_READ,
    write=Scope.POLICY_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.title,
    unique=(("code",),),
    query=RuleQuery,
    conditions=conditions,
    visible=visible,
)
ROUTES = (
    *crud_routes(RESOURCE),
    Route(
        "POST",
        f"{API}/rules/{{id}}/approval",
        tag="rules",
        summary="Approve an exception",
        handle=approve,
        scope=Scope.POLICY_WRITE,
        operation="approve_rule",
        response=RuleOutput,
        path_schema=ItemPath,
        preconditioned=True,
        etag=True,
        publishes=True,
        errors=(HTTPStatus.CONFLICT,),
        description="Approves exactly the version that If-Match names; not possible for its author.",
    ),
)
