"""Exceptions: asked for by one person (an agency's contact, say), decided by another, ended by time or by anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import reading
from admin_api.exception_rows import facts_of
from admin_api.exception_state import ExceptionState, in_state, state_of
from admin_api.exceptions import (
    Asked,
    ExceptionRefusedError,
    Granted,
    approve_exception,
    deny_exception,
    request_exception,
    revoke_exception,
    withdraw_exception,
)
from admin_api.features.exception_schemas import (
    ApprovalInput,
    DecisionInput,
    ExceptionDetail,
    ExceptionInput,
    ExceptionOutput,
    ExceptionPage,
    ExceptionQuery,
    show,
)
from admin_api.features.rule_schemas import RuleScope
from admin_api.finding_schemas import findings_of
from admin_api.journal import Act
from admin_api.letters import fact_of
from admin_api.models import ExceptionRow, UnitRow
from admin_api.negative import negative_grounds
from admin_api.rest.auth import Scope
from admin_api.rest.edit import Edited, edit
from admin_api.rest.paging import decode_cursor, encode_cursor, next_link
from admin_api.rest.problem import FieldError, Problem, conflict, invalid, not_found
from admin_api.rest.route import API, Call, ItemPath, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import basis_of, seconds_or_none
from admin_api.surroundings import load_surroundings
from admin_api.tenant_of_client import scope_of_client
from admin_api.to_policy import load_policy
from policy import model as facts
from policy import problems
from policy.model import ScopeKind
from policy.review import review

PATH = f"{API}/exceptions"
TAG = "exceptions"

ShownT = TypeVar("ShownT", bound=ExceptionOutput)
Decide = Callable[[AsyncSession, int, str, str, float], Awaitable[tuple[ExceptionRow, Act]]]


async def listed(call: Call) -> Reply:
    """A page of exceptions, the oldest first."""
    query = call.query_as(ExceptionQuery)
    conditions = [ExceptionRow.id > decode_cursor(query.cursor), *_visible(call)]
    if query.state is not None:
        conditions.append(in_state(query.state, call.now_s()))
    if query.agency_id is not None:
        conditions.append(ExceptionRow.agency_id == query.agency_id)
    if query.rule_id is not None:
        conditions.append(ExceptionRow.rule_id == query.rule_id)
    statement = select(ExceptionRow).where(*conditions).order_by(ExceptionRow.id).limit(query.limit + 1)
    async with reading(call.services.sessions) as session:
        rows = list((await session.scalars(statement)).all())
    items = [show(row, call.now_s()) for row in rows[: query.limit]]
    cursor = encode_cursor(items[-1].id) if len(rows) > query.limit else None
    page = ExceptionPage(items=items, next_cursor=cursor)
    return Reply(page, headers=next_link(call.address, call.raw_query, cursor))


async def get(call: Call) -> Reply:
    """One exception, with what there is to consider about it."""
    async with reading(call.services.sessions) as session:
        row = await _find(session, call)
        return Reply(await _detail(session, call, row))


async def request(call: Call) -> Reply:
    """Asks; another person decides."""
    data = check_body(ExceptionInput, call.body)

    async def work(session: AsyncSession) -> tuple[ExceptionDetail, Edited]:
        asked = Asked(
            scope=await _scope(session, call, data),
            target=data.target,
            duration_s=data.duration_s,
            reason=data.reason,
            contact=data.contact,
            client=data.client or "",
            title=data.title or "",
            schedule=data.schedule or "",
            starts_s=seconds_or_none(data.starts),
            basis=data.basis,
        )
        row, act = await request_exception(session, asked, call.principal.login, call.now_s())
        return await _detail(session, call, row), Edited(act, in_policy=False)

    shown, _ = await _run(call, work)
    return Reply(shown, HTTPStatus.CREATED, headers={"Location": f"{PATH}/{shown.id}"})


async def approve(call: Call) -> Reply:
    """Approves, perhaps less than was asked for; in force when the response arrives (or from its start on)."""
    data = check_body(ApprovalInput, call.body)
    granted = Granted(
        scope=data.scope,
        target=data.target,
        duration_s=data.duration_s,
        schedule=data.schedule,
        starts_s=seconds_or_none(data.starts),
        basis=data.basis,
        note=data.note,
    )

    async def work(session: AsyncSession) -> tuple[ExceptionDetail, Edited]:
        library = call.services.library
        row, act = await approve_exception(session, call.item_id, granted, call.principal.login, call.now_s(), library)
        return await _detail(session, call, row), Edited(act)

    shown, headers = await _run(call, work)
    return Reply(shown, headers=headers)


async def deny(call: Call) -> Reply:
    """Denies it."""
    return await _decided(call, deny_exception, in_policy=False)


async def withdraw(call: Call) -> Reply:
    """Takes one's own request back."""
    return await _decided(call, withdraw_exception, in_policy=False)


async def revoke(call: Call) -> Reply:
    """Takes an approved exception back, at once."""
    return await _decided(call, revoke_exception, in_policy=True)


async def _decided(call: Call, decide: Decide, *, in_policy: bool) -> Reply:
    data = check_body(DecisionInput, call.body)

    async def work(session: AsyncSession) -> tuple[ExceptionOutput, Edited]:
        await _find(session, call)
        row, act = await decide(session, call.item_id, data.reason, call.principal.login, call.now_s())
        return show(row, call.now_s()), Edited(act, in_policy)

    shown, headers = await _run(call, work)
    return Reply(shown, headers=headers)


async def _run(
    call: Call, work: Callable[[AsyncSession], Awaitable[tuple[ShownT, Edited]]]
) -> tuple[ShownT, dict[str, str]]:
    try:
        return await edit(call, work)
    except LookupError:
        raise not_found(f"exception {call.item_id}") from None
    except ExceptionRefusedError as error:
        raise conflict(str(error)) from None


def _visible(call: Call) -> list[ColumnElement[bool]]:
    """What a contact sees: what was asked for his agency and its units."""
    agency_id = call.principal.agency_id
    return [] if agency_id is None else [ExceptionRow.agency_id == agency_id]


async def _find(session: AsyncSession, call: Call) -> ExceptionRow:
    statement = select(ExceptionRow).where(ExceptionRow.id == call.item_id, *_visible(call))
    row = await session.scalar(statement)
    if row is None:
        raise not_found(f"exception {call.item_id}")
    return row


async def _scope(session: AsyncSession, call: Call, data: ExceptionInput) -> RuleScope:
    """For whom it is asked; a contact asks for his agency or its units alone."""
    own = call.principal.agency_id
    scope = data.scope
    if scope is None and data.client is not None:
        scope = await scope_of_client(session, data.client)
        if scope is None and own is None:
            expected = "an address of a registered network, or the scope itself"
            message = "is in no registered network, so nobody knows whose it is"
            raise invalid(FieldError(field="client", message=message, value=data.client, expected=expected))
    elif scope is None and own is not None:
        scope = RuleScope(kind=ScopeKind.AGENCY, id=own)
    elif scope is None:
        raise invalid(FieldError(field="scope", message="is missing", expected="scope or client: for whom it is"))
    if own is not None and (scope is None or await _agency_of(session, scope) != own):
        raise Problem(HTTPStatus.FORBIDDEN, "the token asks for its own agency and that agency's units only")
    assert scope is not None
    return scope


async def _agency_of(session: AsyncSession, scope: RuleScope) -> int | None:
    if scope.kind is not ScopeKind.UNIT:
        return scope.id
    unit = await session.get(UnitRow, scope.id)
    return unit.agency_id if unit is not None else None


async def _detail(session: AsyncSession, call: Call, row: ExceptionRow) -> ExceptionDetail:
    services = call.services
    policy = await load_policy(session)
    surroundings = await load_surroundings(session, call.now_s(), services.own_names, services.library)
    state = state_of(row, call.now_s())
    rule = _rule(row)

    def look() -> tuple[tuple[str, ...], list[problems.Problem]]:
        grounds = negative_grounds(policy, services.library, rule.target)
        if state not in (ExceptionState.REQUESTED, ExceptionState.APPROVED):
            return grounds, []
        others = tuple(one for one in policy.rules if one.id != rule.id)
        found = review(replace(policy, rules=(*others, rule)), surroundings)
        mine = [one for one in found if one.part is problems.Part.RULE and one.key == str(rule.id)]
        return grounds, [one for one in mine if one.field != "basis"]  # of the letter ``letter_required`` tells

    grounds, found = await asyncio.to_thread(look)
    required = bool(grounds) or surroundings.letters.why(rule) is not None
    shown = show(row, call.now_s())
    return ExceptionDetail(
        **dict(shown),
        negative=list(grounds),
        letter_required=required,
        findings=findings_of(found),
    )


def _rule(row: ExceptionRow) -> facts.Rule:
    """The rule that it is, or would be were it approved now."""
    scope, target = facts_of(row)
    return facts.Rule(
        id=row.rule_id or 2**31 - 1,
        scope=scope,
        target=target,
        action=facts.Action.ALLOW,
        title=row.title,
        valid_from_s=row.valid_from_s,
        valid_until_s=row.valid_until_s,
        exception=True,
        basis=fact_of(basis_of(row)),
        author=row.requested_by,
        approver=row.decided_by or "-",
    )


CONFLICT = (HTTPStatus.CONFLICT,)
ROUTES = (
    Route("POST", PATH, TAG, "Ask for an exception", request, Scope.EXCEPTIONS_REQUEST, "request_exception",
          response=ExceptionDetail, status=HTTPStatus.CREATED, body=ExceptionInput, for_agencies=True, errors=CONFLICT,
          description="An agency's token asks for its own agency and its units. Nothing is let through yet."),
    Route("GET", PATH, TAG, "List exceptions", listed, Scope.POLICY_READ, "list_exceptions",
          response=ExceptionPage, query_schema=ExceptionQuery, paged=True, for_agencies=True),
    Route("GET", f"{PATH}/{{id}}", TAG, "Read an exception", get, Scope.POLICY_READ, "get_exception",
          response=ExceptionDetail, path_schema=ItemPath, for_agencies=True),
    Route("POST", f"{PATH}/{{id}}/approval", TAG, "Approve an exception", approve, Scope.POLICY_WRITE,
          "approve_exception", response=ExceptionDetail, path_schema=ItemPath, body=ApprovalInput, publishes=True,
          errors=CONFLICT, description="Not possible for whoever asked. Fields narrow what was asked for."),
    Route("POST", f"{PATH}/{{id}}/denial", TAG, "Deny an exception", deny, Scope.POLICY_WRITE, "deny_exception",
          response=ExceptionOutput, path_schema=ItemPath, body=DecisionInput, errors=CONFLICT),
    Route("POST", f"{PATH}/{{id}}/withdrawal", TAG, "Withdraw a request", withdraw, Scope.EXCEPTIONS_REQUEST,
          "withdraw_exception", response=ExceptionOutput, path_schema=ItemPath, body=DecisionInput, for_agencies=True,
          errors=CONFLICT, description="Only by whoever asked, before it is decided."),
    Route("POST", f"{PATH}/{{id}}/revocation", TAG, "Revoke an exception", revoke, Scope.POLICY_WRITE,
          "revoke_exception", response=ExceptionOutput, path_schema=ItemPath, body=DecisionInput, publishes=True,
          errors=CONFLICT, description="At once: it is in force no more when the response arrives."),
)  # fmt: skip
