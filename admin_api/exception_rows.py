"""An exception's row and what it speaks of: to and from the shapes of rules."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.features.rule_schemas import RuleScope, RuleTarget
from admin_api.models import ExceptionRow, UnitRow
from admin_api.schemas import as_json
from policy import model as facts
from policy.model import ScopeKind, TargetKind


@dataclass(frozen=True, slots=True)
class Speaks:
    """Whose exception it is, and of what."""

    scope: RuleScope
    target: RuleTarget


def asked_of(row: ExceptionRow) -> Speaks:
    """What the row's columns say."""
    kind = ScopeKind(row.scope_kind)
    scope = RuleScope(kind=kind, id=row.unit_id if kind is ScopeKind.UNIT else row.agency_id)
    return Speaks(scope, RuleTarget(kind=TargetKind(row.target_kind), value=row.target_value))


def facts_of(row: ExceptionRow) -> tuple[facts.Scope, facts.Target]:
    """The same as policy speaks of it."""
    speaks = asked_of(row)
    scope = facts.Scope(speaks.scope.kind, speaks.scope.id or 0)
    return scope, facts.Target(speaks.target.kind, speaks.target.value)


async def scope_columns(session: AsyncSession, row: ExceptionRow, scope: RuleScope) -> None:
    """Writes whose it is; of a unit also its agency, by which people find it."""
    row.scope_kind = scope.kind.value
    row.agency_id = scope.id if scope.kind is ScopeKind.AGENCY else None
    row.unit_id = None
    if scope.kind is ScopeKind.UNIT:
        unit = await session.get(UnitRow, scope.id)
        row.unit_id = scope.id
        row.agency_id = unit.agency_id if unit is not None else None


def put_asked(row: ExceptionRow) -> None:
    """Keeps what the columns say now as what was asked for."""
    speaks = asked_of(row)
    row.asked = {
        "scope": as_json(speaks.scope),
        "target": as_json(speaks.target),
        "schedule": row.schedule_code or None,
        "starts_s": row.starts_s,
        "duration_s": row.duration_s,
    }
