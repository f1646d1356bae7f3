"""Exceptions: one person asks to let something through for a while, another decides; both in the journal.

Used by the API and by the command line, so that both hold the same rules. Nothing here commits: the caller runs it as
an edit (``rest/edit.py``, ``bulk.py``), with the act that is returned for the journal. An approval makes the rule that
the resolver sees; whatever ends it takes the rule away.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.exception_rows import asked_of, facts_of, put_asked, scope_columns
from admin_api.exception_state import ExceptionState, in_state, state_of
from admin_api.features.rule_schemas import RuleScope, RuleTarget
from admin_api.journal import Act
from admin_api.letters import fact_of, letters_required, refuse_without_letter
from admin_api.models import ExceptionRow, RegencyRow, RuleRow, ScheduleRow
from admin_api.narrowing import scope_within, target_within
from admin_api.negative import negative_grounds
from admin_api.overrides import same_person
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.resource import new_row, require_code
from admin_api.rule_rows import put_scope, put_target
from admin_api.schemas import Basis, as_json, basis_of, put_basis
from admin_api.to_policy import load_policy
from blocklists.library import Library
from policy import model as facts
from policy.letters import LetterFor

KIND = "exception"
DAY_S = 86_400
OPEN_S = 30 * DAY_S  # a request that nobody has decided by then is void
MAX_AHEAD_S = 366 * DAY_S
MAX_OPEN_EACH = 100


class ExceptionRefusedError(Exception):
    """The state of things forbids it; the text says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks to let through. ``starts_s`` None: as soon as it is approved."""

    scope: RuleScope
    target: RuleTarget
    duration_s: int
    reason: str
    contact: str = ""
    client: str = ""
    title: str = ""
    schedule: str = ""
    starts_s: int | None = None
    basis: Basis = field(default_factory=Basis)


@dataclass(frozen=True, slots=True)
class Granted:
    """What an approver grants of it; None: as asked for."""

    scope: RuleScope | None = None
    target: RuleTarget | None = None
    duration_s: int | None = None
    schedule: str | None = None
    starts_s: int | None = None
    basis: Basis | None = None
    note: str = ""


async def request_exception(session: AsyncSession, asked: Asked, login: str, now_s: float) -> tuple[ExceptionRow, Act]:
    """A request that waits for a second person. Raises 422 problems and ``ExceptionRefusedError``."""
    now = int(now_s)
    mine = (ExceptionRow.requested_by == login) & in_state(ExceptionState.REQUESTED, now_s)
    if (await session.scalar(select(func.count()).select_from(ExceptionRow).where(mine)) or 0) >= MAX_OPEN_EACH:
        raise ExceptionRefusedError(f"{MAX_OPEN_EACH} requests of {login} wait already; withdraw some of them")
    await _require_possible(session, asked.scope, asked.target, asked.schedule)
    await require_term(session, asked.duration_s)
    if asked.starts_s is not None and asked.starts_s < now:
        expected = "an instant to come; null: as soon as it is approved"
        raise invalid(FieldError(field="starts", message="lies in the past", expected=expected))
    _require_soon(asked.starts_s, now)
    row = ExceptionRow(state=ExceptionState.REQUESTED.value, requested_by=login, requested_s=now)
    row.title = asked.title or f"Exception for {asked.target.value}"[:200]
    row.reason, row.contact, row.client = asked.reason, asked.contact, asked.client
    row.expires_s = now + OPEN_S
    row.schedule_code, row.starts_s, row.duration_s = asked.schedule, asked.starts_s, asked.duration_s
    await scope_columns(session, row, asked.scope)
    row.target_kind, row.target_value = asked.target.kind.value, asked.target.value
    put_basis(row, asked.basis)
    put_asked(row)
    session.add(row)
    await session.flush()
    return row, Act("request", KIND, row.id, row.title, after=told(row))


async def approve_exception(
    session: AsyncSession, exception_id: int, granted: Granted, login: str, now_s: float, library: Library | None
) -> tuple[ExceptionRow, Act]:
    """Approves, as another person than the one who asked, and not more than was asked for.

    Raises 422 problems, ``ExceptionRefusedError`` and ``LookupError``.
    """
    row = await find_exception(session, exception_id)
    _require(row, now_s, (ExceptionState.REQUESTED,), "approved")
    if same_person(row.requested_by, login):
        raise ExceptionRefusedError(f"{row.requested_by} asked for it: another person must approve")
    before = told(row)
    await _grant(session, row, granted, int(now_s))
    await require_letter_of(session, row, library)
    row.state = ExceptionState.APPROVED.value
    row.decided_by, row.decided_s, row.decision_note = login, int(now_s), granted.note
    row.valid_from_s = max(int(now_s), row.starts_s or 0)
    row.valid_until_s = row.valid_from_s + row.duration_s
    await write_rule(session, row, int(now_s))
    return row, Act("approve", KIND, row.id, row.title, before, told(row))


async def deny_exception(
    session: AsyncSession, exception_id: int, reason: str, login: str, now_s: float
) -> tuple[ExceptionRow, Act]:
    """Denies what was asked for. Raises ``ExceptionRefusedError`` and ``LookupError``."""
    row = await find_exception(session, exception_id)
    _require(row, now_s, (ExceptionState.REQUESTED,), "denied")
    row.state = ExceptionState.DENIED.value
    row.decided_by, row.decided_s, row.decision_note = login, int(now_s), reason
    return row, Act("deny", KIND, row.id, row.title, after={"state": row.state, "reason": reason})


async def withdraw_exception(
    session: AsyncSession, exception_id: int, reason: str, login: str, now_s: float
) -> tuple[ExceptionRow, Act]:
    """Takes one's own request back. Raises ``ExceptionRefusedError`` and ``LookupError``."""
    row = await find_exception(session, exception_id)
    _require(row, now_s, (ExceptionState.REQUESTED,), "withdrawn")
    if not same_person(row.requested_by, login):
        raise ExceptionRefusedError(f"{row.requested_by} asked for it, and alone can withdraw it; deny it instead")
    return row, _end(row, ExceptionState.WITHDRAWN, "withdraw", reason, login, int(now_s))


async def revoke_exception(
    session: AsyncSession, exception_id: int, reason: str, login: str, now_s: float
) -> tuple[ExceptionRow, Act]:
    """Takes an approved exception back, from now on. Raises ``ExceptionRefusedError`` and ``LookupError``."""
    row = await find_exception(session, exception_id)
    _require(row, now_s, (ExceptionState.APPROVED,), "revoked")
    await drop_rule(session, row)
    return row, _end(row, ExceptionState.REVOKED, "revoke", reason, login, int(now_s))


async def expire_exception(session: AsyncSession, row: ExceptionRow) -> Act:
    """Notes that time has ended it."""
    approved = row.state == ExceptionState.APPROVED.value
    ended_s = row.valid_until_s if approved else row.expires_s
    await drop_rule(session, row)
    reason = "its time is over" if approved else "nobody decided in time"
    return _end(row, ExceptionState.EXPIRED, "expire", reason, "", ended_s or 0)


async def find_exception(session: AsyncSession, exception_id: int) -> ExceptionRow:
    """The exception of this id. Raises ``LookupError``."""
    row = await session.get(ExceptionRow, exception_id)
    if row is None:
        raise LookupError(f"there is no exception {exception_id}")
    return row


async def write_rule(session: AsyncSession, row: ExceptionRow, now: int) -> None:
    """Makes the rule of an approved exception, or brings it to what the exception says now.

    Raises a 422 problem where what it names is gone.
    """
    speaks = asked_of(row)
    rule = await session.get(RuleRow, row.rule_id) if row.rule_id is not None else None
    if rule is None:
        rule = new_row(RuleRow, now)
    else:
        rule.version += 1
        rule.changed_s = now
    code = row.schedule_code
    with session.no_autoflush:
        await put_scope(session, rule, speaks.scope)
        await put_target(session, rule, speaks.target)
        rule.schedule = await require_code(session, ScheduleRow, code, "schedule") if code else None
    rule.title, rule.action = row.title, facts.Action.ALLOW.value
    rule.valid_from_s, rule.valid_until_s = row.valid_from_s, row.valid_until_s
    rule.mandatory, rule.important, rule.exception = False, False, True
    put_basis(rule, basis_of(row))
    rule.author, rule.approver = row.requested_by, row.decided_by
    session.add(rule)
    await session.flush()
    row.rule_id = rule.id


async def drop_rule(session: AsyncSession, row: ExceptionRow) -> None:
    """Takes the rule of an exception away; its number stays noted."""
    rule = await session.get(RuleRow, row.rule_id) if row.rule_id is not None else None
    if rule is not None and rule.exception:
        await session.delete(rule)


async def _grant(session: AsyncSession, row: ExceptionRow, granted: Granted, now: int) -> None:
    """Writes what is granted over what was asked for; refuses what is more than that."""
    policy = await load_policy(session)
    errors: list[FieldError] = []
    asked_scope, asked_target = facts_of(row)
    if granted.scope is not None:
        scope = facts.Scope(granted.scope.kind, granted.scope.id or 0)
        if not scope_within(policy, scope, asked_scope):
            errors.append(_wider("scope", f"is more than {asked_scope.kind} {asked_scope.id or ''}".rstrip()))
    if granted.target is not None:
        target = facts.Target(granted.target.kind, granted.target.value)
        if not target_within(policy, target, asked_target):
            errors.append(_wider("target", f"is not certainly within {asked_target.kind} {asked_target.value}"))
    if granted.duration_s is not None and granted.duration_s > row.duration_s:
        errors.append(_wider("duration_s", f"is longer than the {row.duration_s} seconds"))
    if granted.schedule is not None and row.schedule_code and granted.schedule != row.schedule_code:
        errors.append(_wider("schedule", f"is another than {row.schedule_code}, which was"))
    if granted.starts_s is not None and granted.starts_s < (row.starts_s or 0):
        errors.append(_wider("starts", "is earlier than"))
    if errors:
        raise invalid(*errors)
    scope_now = granted.scope or asked_of(row).scope
    target_now = granted.target or asked_of(row).target
    await _require_possible(session, scope_now, target_now, granted.schedule or "")
    await scope_columns(session, row, scope_now)
    row.target_kind, row.target_value = target_now.kind.value, target_now.value
    row.schedule_code = granted.schedule or row.schedule_code
    row.duration_s = granted.duration_s or row.duration_s
    row.starts_s = granted.starts_s or row.starts_s
    _require_soon(granted.starts_s, now)
    await require_term(session, row.duration_s)
    if granted.basis is not None:
        put_basis(row, granted.basis)


def _wider(field: str, message: str) -> FieldError:
    expected = "as asked for, or less; deny it and let somebody ask for more"
    return FieldError(field=field, message=f"{message} asked for", expected=expected)


async def require_letter_of(session: AsyncSession, row: ExceptionRow, library: Library | None) -> None:
    """Raises a 422 problem for what is missing of a letter: where the regency demands one, and for negative content."""
    required = await letters_required(session)
    scope, target = facts_of(row)
    rule = facts.Rule(0, scope, target, facts.Action.ALLOW, exception=True, basis=fact_of(basis_of(row)))
    policy = await load_policy(session)
    grounds = await asyncio.to_thread(negative_grounds, policy, library, target)
    if grounds:
        message = f"is missing, and this would let negative content through: {'; '.join(grounds[:3])}"
        refuse_without_letter(rule.basis, required.with_document, message)
    kind = required.why(rule)
    if kind is not None:
        what = "every rule" if kind is LetterFor.ALL else f"every {kind}"
        refuse_without_letter(rule.basis, required.with_document, f"is missing: {what} rests on a letter here")


async def _require_possible(session: AsyncSession, scope: RuleScope, target: RuleTarget, schedule: str) -> None:
    """Raises 422 problems for what names nothing. The row is never added: it is asked whether it could be."""
    probe = RuleRow()
    with session.no_autoflush:
        await put_scope(session, probe, scope)
        await put_target(session, probe, target)
        if schedule:
            await require_code(session, ScheduleRow, schedule, "schedule")


def _require_soon(starts_s: int | None, now: int) -> None:
    if starts_s is not None and starts_s > now + MAX_AHEAD_S:
        expected = "an instant within a year; ask again when it comes nearer"
        raise invalid(FieldError(field="starts", message="is more than a year ahead", expected=expected))


async def require_term(session: AsyncSession, duration_s: int) -> None:
    """Raises a 422 problem where it is longer than the regency lets exceptions hold."""
    days = (await session.execute(select(RegencyRow.exception_max_days))).scalar_one()
    if duration_s > days * DAY_S:
        message = f"an exception holds for at most {days} days here"
        expected = f"at most {days * DAY_S} seconds; what is for good is a rule"
        raise invalid(FieldError(field="duration_s", message=message, value=duration_s, expected=expected))


def _end(row: ExceptionRow, state: ExceptionState, action: str, reason: str, login: str, ended_s: int) -> Act:
    row.state = state.value
    row.ended_by, row.ended_s, row.end_reason = login, ended_s, reason
    after = {"state": row.state, "reason": reason, "rule_id": row.rule_id, "ended_s": ended_s}
    return Act(action, KIND, row.id, row.title, after=after)


def _require(row: ExceptionRow, now_s: float, states: tuple[ExceptionState, ...], what: str) -> None:
    state = state_of(row, now_s)
    if state not in states:
        raise ExceptionRefusedError(f"exception {row.id} is {state.value}; it cannot be {what}")


def told(row: ExceptionRow) -> dict[str, object]:
    """What the journal keeps of it."""
    asked = asked_of(row)
    return {
        "state": row.state,
        "scope": as_json(asked.scope),
        "target": as_json(asked.target),
        "schedule": row.schedule_code or None,
        "starts_s": row.starts_s,
        "duration_s": row.duration_s,
        "reason": row.reason,
        "contact": row.contact,
        "client": row.client,
        "basis": as_json(basis_of(row)),
        "valid_from_s": row.valid_from_s,
        "valid_until_s": row.valid_until_s,
        "rule_id": row.rule_id,
        "note": row.decision_note or "",
    }
