"""Writing whose a rule is and what it speaks of into its row: for rules, and for the rules of exceptions."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.features.rule_schemas import RuleScope, RuleTarget
from admin_api.models import AgencyRow, Blocklist, Category, RuleRow, Service, UnitRow
from admin_api.rest.resource import require, require_code
from policy.model import ScopeKind, TargetKind


async def put_scope(session: AsyncSession, row: RuleRow, scope: RuleScope) -> None:
    """Raises a 422 problem where there is no such agency or unit."""
    row.agency_id = row.unit_id = None
    if scope.kind is ScopeKind.AGENCY and scope.id is not None:
        row.agency_id = (await require(session, AgencyRow, scope.id, "scope.id")).id
    elif scope.kind is ScopeKind.UNIT and scope.id is not None:
        row.unit_id = (await require(session, UnitRow, scope.id, "scope.id")).id


async def put_target(session: AsyncSession, row: RuleRow, target: RuleTarget) -> None:
    """Raises a 422 problem where there is no such category, list or service."""
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
