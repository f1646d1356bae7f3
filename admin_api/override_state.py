"""What an override of a refusal is worth at a moment."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ColumnElement, and_

from admin_api.models import ListOverride


class OverrideState(StrEnum):
    """Where an override stands."""

    PENDING = "pending"  # waits for a second person
    APPROVED = "approved"  # the next sync that finds this content lets it in
    USED = "used"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


def state_of(row: ListOverride, now_s: float) -> OverrideState:
    """The state at ``now_s``, Unix seconds."""
    if row.used_s is not None:
        return OverrideState.USED
    if row.withdrawn_s is not None:
        return OverrideState.WITHDRAWN
    if row.expires_s <= now_s:
        return OverrideState.EXPIRED
    return OverrideState.PENDING if row.approved_s is None else OverrideState.APPROVED


def open_overrides(now_s: float) -> ColumnElement[bool]:
    """The condition for those that are pending or approved."""
    return and_(ListOverride.used_s.is_(None), ListOverride.withdrawn_s.is_(None), ListOverride.expires_s > int(now_s))
