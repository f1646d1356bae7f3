"""What became of agencies: renamed, merged, split. Rows are only ever added: they are what old reports are read by."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_api.models.base import CODE_LENGTH, NEVER_REUSED, TITLE_LENGTH, Base, Identified, Lettered


class SuccessionRow(Identified, Lettered, Base):
    """One rename, merge or split (``admin_api/lineage.py``), with the letter it rests on.

    ``at_s``: when it took effect in the log. A code that it ended is never given to another agency.
    """

    __tablename__ = "succession"
    __table_args__ = (NEVER_REUSED,)

    kind: Mapped[str] = mapped_column(String(16))
    at_s: Mapped[int] = mapped_column(BigInteger)
    author: Mapped[str] = mapped_column(String(CODE_LENGTH), default="")

    parts: Mapped[list[SuccessionPartRow]] = relationship(
        cascade="all, delete-orphan", order_by="SuccessionPartRow.position", lazy="selectin"
    )
    units: Mapped[list[SuccessionUnitRow]] = relationship(
        cascade="all, delete-orphan", order_by="SuccessionUnitRow.position", lazy="selectin"
    )


class SuccessionPartRow(Base):
    """An agency before (``heir`` false) or after a succession; code, name and id are copies that outlive it."""

    __tablename__ = "succession_part"
    __table_args__ = (UniqueConstraint("succession_id", "heir", "code"),)

    succession_id: Mapped[int] = mapped_column(ForeignKey("succession.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    heir: Mapped[bool]
    agency_id: Mapped[int]
    code: Mapped[str] = mapped_column(String(CODE_LENGTH), index=True)
    name: Mapped[str] = mapped_column(String(TITLE_LENGTH))


class SuccessionUnitRow(Base):
    """A unit that goes on under another agency or code: ``agency/unit`` before and after."""

    __tablename__ = "succession_unit"

    succession_id: Mapped[int] = mapped_column(ForeignKey("succession.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    before: Mapped[str] = mapped_column(String(2 * CODE_LENGTH + 1))
    after: Mapped[str] = mapped_column(String(2 * CODE_LENGTH + 1))
