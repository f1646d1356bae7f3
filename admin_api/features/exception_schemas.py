"""The shapes of exceptions: what is asked for, what is decided, what is shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from admin_api import fields as f
from admin_api.exception_rows import asked_of
from admin_api.exception_state import ExceptionState, state_of
from admin_api.features.blocklist_schemas import Shown
from admin_api.features.rule_schemas import RuleScope, RuleTarget
from admin_api.finding_schemas import Finding
from admin_api.models import ExceptionRow
from admin_api.rest.paging import PageQuery
from admin_api.schemas import Address, Basis, Id, Instant, QueryId, Strict, basis_of, instant, instant_or_none
from policy.model import ScopeKind, TargetKind

MIN_DURATION_S = 300

Duration = Annotated[int, Field(ge=MIN_DURATION_S, le=f.MAX_EXCEPTION_DAYS * 86_400)]
Reason = Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=1000)]
Contact = Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=200)]


class ExceptionInput(Strict):
    """What is to be let through, for whom, for how long, and why."""

    title: f.Title | None = None
    """null: made of what is asked for."""
    target: RuleTarget
    scope: RuleScope | None = None
    """For whom; null: for the unit or agency of the client (of the token, where it is one agency's)."""
    client: Address | None = None
    """The address from which it was missed."""
    schedule: f.Code | None = None
    """The code of the schedule in which alone it is to hold."""
    starts: Instant | None = None
    """null: as soon as it is approved."""
    duration_s: Duration
    """For how long, in seconds; at most what the regency's settings allow."""
    reason: Reason
    """What for; the second person reads it."""
    contact: Contact
    """How to reach whoever asks: a telephone, an e-mail address, a room."""
    basis: Basis = Basis()
    """The letter it rests on, where there is one already."""


class ApprovalInput(Strict):
    """What is granted: as asked for where null, and never more than that."""

    scope: RuleScope | None = None
    target: RuleTarget | None = None
    schedule: f.Code | None = None
    starts: Instant | None = None
    duration_s: Duration | None = None
    basis: Basis | None = None
    """The letter; needed where the regency demands one, and always where negative content is let through."""
    note: f.Note = ""
    """For whoever asked."""


class DecisionInput(Strict):
    """Why it is denied, withdrawn or revoked."""

    reason: Reason


class AskedOutput(Shown):
    """The request as it came."""

    scope: RuleScope
    target: RuleTarget
    schedule: str | None = None
    starts: Instant | None = None
    duration_s: int


class ExceptionOutput(Shown):
    """An exception; times are null for not yet."""

    id: Id
    code: str | None
    title: str
    state: ExceptionState
    """requested (waits for a second person), approved, denied, revoked, expired or withdrawn."""
    agency_id: Id | None
    """Whose it is; of a unit's, the unit's agency."""
    scope: RuleScope
    target: RuleTarget
    schedule: str | None
    starts: Instant | None
    duration_s: int
    asked: AskedOutput
    """Where it was narrowed, more than the fields above say."""
    reason: str
    contact: str
    client: str
    basis: Basis
    requested_by: str
    requested: Instant
    expires: Instant
    """Until when it can be decided."""
    decided_by: str
    decided: Instant | None
    decision_note: str
    valid_from: Instant | None
    valid_until: Instant | None
    """Exclusive."""
    ended_by: str
    """Empty where time ended it."""
    ended: Instant | None
    end_reason: str
    rule_id: Id | None
    """The rule that it was in force as: what the query log names."""


class ExceptionDetail(ExceptionOutput):
    """An exception, and what there is to consider about it."""

    negative: list[str]
    """What makes it let negative content through: then a letter is needed."""
    letter_required: bool
    findings: list[Finding]
    """What there is to say about its rule: that a mandatory rule always wins, say."""


class ExceptionPage(Shown):
    """A page of exceptions."""

    items: list[ExceptionOutput]
    next_cursor: str | None


class ExceptionQuery(PageQuery):
    """Which exceptions."""

    state: ExceptionState | None = None
    agency_id: QueryId | None = None
    rule_id: QueryId | None = None


def show(row: ExceptionRow, now_s: float) -> ExceptionOutput:
    """The row as clients see it."""
    speaks = asked_of(row)
    return ExceptionOutput(
        id=row.id,
        code=row.code,
        title=row.title,
        state=state_of(row, now_s),
        agency_id=row.agency_id,
        scope=speaks.scope,
        target=speaks.target,
        schedule=row.schedule_code or None,
        starts=instant_or_none(row.starts_s),
        duration_s=row.duration_s,
        asked=_asked(row),
        reason=row.reason,
        contact=row.contact,
        client=row.client,
        basis=basis_of(row),
        requested_by=row.requested_by,
        requested=instant(row.requested_s),
        expires=instant(row.expires_s),
        decided_by=row.decided_by,
        decided=instant_or_none(row.decided_s),
        decision_note=row.decision_note,
        valid_from=instant_or_none(row.valid_from_s),
        valid_until=instant_or_none(row.valid_until_s),
        ended_by=row.ended_by,
        ended=instant_or_none(row.ended_s),
        end_reason=row.end_reason,
        rule_id=row.rule_id,
    )


def _asked(row: ExceptionRow) -> AskedOutput:
    asked = row.asked
    scope, target = asked["scope"], asked["target"]
    return AskedOutput(
        scope=RuleScope(kind=ScopeKind(scope["kind"]), id=scope.get("id")),
        target=RuleTarget(kind=TargetKind(target["kind"]), value=target["value"]),
        schedule=asked.get("schedule"),
        starts=instant_or_none(asked.get("starts_s")),
        duration_s=asked.get("duration_s", row.duration_s),
    )
