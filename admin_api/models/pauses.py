"""Pauses: an agency or a unit let off for some minutes."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from admin_api.models.base import CODE_LENGTH, NEVER_REUSED, NOTE_LENGTH, Base, Identified


class PauseRow(Identified, Base):
    """One pause (``policy.model.Pause``). ``ended_s``: since when it has no effect; null while it lasts.

    It ends at ``until_s`` by itself, in the resolver to the second; the row is marked some seconds later.
    """

    __tablename__ = "pause"
    __table_args__ = (CheckConstraint("(agency_id IS NULL) <> (unit_id IS NULL)", name="one_scope"), NEVER_REUSED)

    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id", ondelete="CASCADE"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id", ondelete="CASCADE"), index=True)
    from_s: Mapped[int] = mapped_column(BigInteger)
    until_s: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    author: Mapped[str] = mapped_column(String(CODE_LENGTH))
    ended_s: Mapped[int | None] = mapped_column(BigInteger, index=True)
    ended_by: Mapped[str] = mapped_column(String(CODE_LENGTH), default="")
