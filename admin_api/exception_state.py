"""Where an exception stands at a moment."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_

from admin_api.models import ExceptionRow


class ExceptionState(StrEnum):
    """From request to end. What is stored says what people did; that time has run out follows from the clock."""

    REQUESTED = "requested"  # waits for a second person
    APPROVED = "approved"  # in force from ``valid_from`` until ``valid_until``
    DENIED = "denied"
    REVOKED = "revoked"  # taken back before its time
    EXPIRED = "expired"  # its time is over, or nobody decided in time
    WITHDRAWN = "withdrawn"  # by whoever asked, before it was decided


def state_of(row: ExceptionRow, now_s: float) -> ExceptionState:
    """The state at ``now_s``, Unix seconds."""
    stored = ExceptionState(row.state)
    if stored is ExceptionState.REQUESTED and row.expires_s <= now_s:
        return ExceptionState.EXPIRED
    if stored is ExceptionState.APPROVED and row.valid_until_s is not None and row.valid_until_s <= now_s:
        return ExceptionState.EXPIRED
    return stored


def has_passed(now_s: float) -> ColumnElement[bool]:
    """The condition for those that time has ended and nobody has noted."""
    now = int(now_s)
    return or_(
        and_(ExceptionRow.state == ExceptionState.REQUESTED.value, ExceptionRow.expires_s <= now),
        and_(ExceptionRow.state == ExceptionState.APPROVED.value, ExceptionRow.valid_until_s <= now),
    )


def in_state(state: ExceptionState, now_s: float) -> ColumnElement[bool]:
    """The condition for those in that state at ``now_s``."""
    stored = ExceptionRow.state == state.value
    if state is ExceptionState.EXPIRED:
        return or_(stored, has_passed(now_s))
    if state in (ExceptionState.REQUESTED, ExceptionState.APPROVED):
        return and_(stored, ~has_passed(now_s))
    return stored
