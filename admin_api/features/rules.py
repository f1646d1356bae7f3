"""Rules: what people decided, each with the letter it rests on.

The rules of approved exceptions are shown among them, and belong to ``exceptions.py``.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.features.rule_schemas import RuleInput, RuleOutput, RuleQuery, RuleScope, RuleTarget, SavedRule
from admin_api.features.tenant_query import tenant_conditions
from admin_api.finding_schemas import findings_of
from admin_api.letters import fact_of, require_letter
from admin_api.models import RuleRow, ScheduleRow, UnitRow
from admin_api.policy_gate import Verdict
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.paging import PageQuery
from admin_api.rest.problem import conflict
from admin_api.rest.resource import Resource, Saved, keep, require_code
from admin_api.rest.route import API, Editor
from admin_api.rule_rows import put_scope, put_target
from admin_api.schemas import (
    answer_of,
    basis_of,
    instant,
    instant_or_none,
    put_answer,
    put_basis,
    seconds_or_none,
)
from admin_api.to_policy import scope_of, target_of
from policy import model as facts
from policy.model import Action
from policy.problems import Part, Problem


async def fill(session: AsyncSession, row: RuleRow, data: RuleInput, editor: Editor) -> None:
    """Writes a body into its row."""
    if row.code is not None:
        keep(row, row.code, data.code, "code")
    row.code = data.code
    row.title = data.title
    await put_scope(session, row, data.scope)
    await put_target(session, row, data.target)
    row.action = data.action.value
    put_answer(row, data.answer)
    row.schedule = await require_code(session, ScheduleRow, data.schedule, "schedule") if data.schedule else None
    row.valid_from_s = seconds_or_none(data.valid_from)
    row.valid_until_s = seconds_or_none(data.valid_until)
    row.mandatory = data.mandatory
    row.exception = False
    row.important = data.important
    put_basis(row, data.basis)
    row.author = editor.login
    row.approver = ""
    scope = facts.Scope(data.scope.kind, data.scope.id or 0)
    target = facts.Target(data.target.kind, data.target.value)
    rule = facts.Rule(0, scope, target, data.action, mandatory=data.mandatory, basis=fact_of(data.basis))
    await require_letter(session, rule)


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
    found = tenant_conditions(RuleRow, query)
    if isinstance(query, RuleQuery):
        if query.action is not None:
            found.append(RuleRow.action == query.action.value)
        if query.exception is not None:
            found.append(RuleRow.exception == query.exception)
    return found


async def guard(_session: AsyncSession, row: RuleRow, _editor: Editor) -> None:
    """Refuses to touch the rule of an exception: what two people decided is not for one to change."""
    if row.exception:
        raise conflict(
            f"rule {row.id} is an exception's, which two people decided; revoke the exception "
            "(`GET /api/v1/exceptions?rule_id=...` finds it) and ask for another"
        )


def saved(shown: RuleOutput, verdict: Verdict | None) -> SavedRule:
    """The rule with what there is to say about it, and about others because of it."""
    problems: tuple[Problem, ...] = ()
    if verdict is not None:
        mine = [one for one in verdict.all if one.part is Part.RULE and one.key == str(shown.id)]
        problems = (*mine, *(one for one in verdict.new if one not in mine))
    return SavedRule(**shown.model_dump(), findings=findings_of(problems))


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
    guard=guard,
    saved=Saved(SavedRule, saved),
)
ROUTES = crud_routes(RESOURCE)
