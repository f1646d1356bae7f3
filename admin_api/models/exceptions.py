"""Exceptions: what one person asked to let through and another decided, from the request to the end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from admin_api.models.base import (
    CODE_LENGTH,
    NAME_LENGTH,
    NEVER_REUSED,
    NOTE_LENGTH,
    TITLE_LENGTH,
    Base,
    Identified,
    Lettered,
)

CLIENT_LENGTH = 45


class ExceptionRow(Identified, Lettered, Base):
    """One request and what became of it (``exception_state.py``). Logins, tenants and codes are copies, as in the
    journal: the row outlives what it speaks of.

    While it is approved it owns a ``RuleRow``, whose id is ``rule_id``: that is what the resolver sees, and what logs
    and reports name. The rule goes with the approval's end; the id stays here and is never given again.

    ``asked`` is the request as it came. Scope, target, schedule and ``duration_s`` are those in force: the approver
    may narrow them. Times are Unix seconds; ``expires_s``: until when it can be decided.
    """

    __tablename__ = "exception"
    __table_args__ = (UniqueConstraint("code"), UniqueConstraint("rule_id"), NEVER_REUSED)

    code: Mapped[str | None] = mapped_column(String(CODE_LENGTH))  # what import documents call it
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    state: Mapped[str] = mapped_column(String(16), index=True)
    asked: Mapped[dict[str, Any]]
    scope_kind: Mapped[str] = mapped_column(String(16))
    agency_id: Mapped[int | None] = mapped_column(Integer, index=True)  # a unit's agency, too
    unit_id: Mapped[int | None] = mapped_column(Integer)
    target_kind: Mapped[str] = mapped_column(String(16))
    target_value: Mapped[str] = mapped_column(String(NAME_LENGTH))
    schedule_code: Mapped[str] = mapped_column(String(CODE_LENGTH), default="")
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    contact: Mapped[str] = mapped_column(String(TITLE_LENGTH), default="")
    client: Mapped[str] = mapped_column(String(CLIENT_LENGTH), default="")
    starts_s: Mapped[int | None] = mapped_column(BigInteger)
    duration_s: Mapped[int] = mapped_column(BigInteger)
    requested_by: Mapped[str] = mapped_column(String(CODE_LENGTH))
    requested_s: Mapped[int] = mapped_column(BigInteger)
    expires_s: Mapped[int] = mapped_column(BigInteger)
    decided_by: Mapped[str] = mapped_column(String(CODE_LENGTH), default="")
    decided_s: Mapped[int | None] = mapped_column(BigInteger)
    decision_note: Mapped[str] = mapped_column(String(NOTE_LENGTH), default="")
    valid_from_s: Mapped[int | None] = mapped_column(BigInteger)
    valid_until_s: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(String(CODE_LENGTH), default="")
    ended_s: Mapped[int | None] = mapped_column(BigInteger)
    end_reason: Mapped[str] = mapped_column(String(NOTE_LENGTH), default="")
    rule_id: Mapped[int | None] = mapped_column(Integer)
