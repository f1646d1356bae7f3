"""Exceptions of an import document: approved already, so only what fills a database may bring them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.exception_rows import put_asked, scope_columns
from admin_api.exception_state import ExceptionState
from admin_api.exceptions import KIND, drop_rule, require_letter_of, require_term, told, write_rule
from admin_api.features.rule_schemas import RuleScope, RuleTarget
from admin_api.journal import Act, changed
from admin_api.models import ExceptionRow
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.validation import check_body
from admin_api.schemas import put_basis
from admin_api.seed_document import ExceptionEntry
from policy.model import ScopeKind


async def import_exception(
    session: AsyncSession, entry: ExceptionEntry, scope: Mapping[str, Any], begins: datetime, ends: datetime, now: int
) -> Act | None:
    """Writes it; the act for the journal, None where nothing changed. What people have ended stays ended.

    Raises 422 problems.
    """
    row = await session.scalar(select(ExceptionRow).where(ExceptionRow.code == entry.code))
    if row is not None and row.state != ExceptionState.APPROVED.value:
        return None
    before = told(row) if row is not None else None
    if row is None:
        row = ExceptionRow(code=entry.code, requested_s=now, expires_s=now, rule_id=None, client="")
    duration_s = int(ends.timestamp()) - int(begins.timestamp())
    if duration_s <= 0:
        raise invalid(FieldError(field="valid_until", message="must be later than valid_from"))
    await require_term(session, duration_s)
    await _put(session, row, entry, scope)
    row.valid_from_s, row.valid_until_s, row.duration_s = int(begins.timestamp()), int(ends.timestamp()), duration_s
    row.starts_s = row.valid_from_s
    put_basis(row, entry.basis)
    await require_letter_of(session, row, None)
    if before is None:
        put_asked(row)
    row.state = ExceptionState.APPROVED.value
    row.decided_by, row.decided_s = entry.approved_by, row.decided_s or now
    if row.valid_until_s <= now:
        await drop_rule(session, row)
        row.state, row.ended_s, row.end_reason = ExceptionState.EXPIRED.value, row.valid_until_s, "its time is over"
    elif before is None or before != told(row):
        await write_rule(session, row, now)
    session.add(row)
    await session.flush()
    after = told(row)
    if before is None:
        return Act("create", KIND, row.id, row.title, after=after)
    was, is_now = changed(before, after)
    return Act("update", KIND, row.id, row.title, was, is_now) if is_now else None


async def _put(session: AsyncSession, row: ExceptionRow, entry: ExceptionEntry, scope: Mapping[str, Any]) -> None:
    kind, _, value = entry.target.partition(":")
    target = check_body(RuleTarget, json.dumps({"kind": kind, "value": value}).encode())
    await scope_columns(session, row, RuleScope(kind=ScopeKind(scope["kind"]), id=scope.get("id")))
    row.target_kind, row.target_value = target.kind.value, target.value
    row.title, row.reason, row.contact = entry.title, entry.reason, entry.contact
    row.schedule_code = entry.schedule or ""
    row.requested_by = entry.requested_by
