"""Rules and protected names."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_api.models.base import (
    CODE_LENGTH,
    NAME_LENGTH,
    NEVER_REUSED,
    NOTE_LENGTH,
    TITLE_LENGTH,
    Answering,
    Base,
    Edited,
    Lettered,
)
from admin_api.models.catalog import Blocklist, Category, Service
from admin_api.models.schedules import ScheduleRow


class ProtectedName(Edited, Base):
    """A name that, with all below it, no downloaded list can block."""

    __tablename__ = "protected_name"
    __table_args__ = (UniqueConstraint("name"), NEVER_REUSED)

    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH), default="")


class RuleRow(Edited, Answering, Lettered, Base):
    """One decision of a person, with the letter it rests on. Its scope is the regency where both ids are null.

    ``exception``: it belongs to an ``ExceptionRow`` and is there as long as that is approved; nobody else edits it.
    """

    __tablename__ = "rule"
    __table_args__ = (
        UniqueConstraint("code"),
        CheckConstraint("agency_id IS NULL OR unit_id IS NULL", name="one_scope"),
        NEVER_REUSED,
    )

    code: Mapped[str | None] = mapped_column(String(CODE_LENGTH))  # what import documents call it
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    # Exactly one of the next four holds the target; a category, list or service that rules speak of cannot be deleted.
    target_kind: Mapped[str] = mapped_column(String(16))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    blocklist_id: Mapped[int | None] = mapped_column(ForeignKey("blocklist.id"), index=True)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"), index=True)
    target_text: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    action: Mapped[str] = mapped_column(String(16))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedule.id"), index=True)
    valid_from_s: Mapped[int | None] = mapped_column(BigInteger)
    valid_until_s: Mapped[int | None] = mapped_column(BigInteger)
    mandatory: Mapped[bool] = mapped_column(default=False)
    exception: Mapped[bool] = mapped_column(default=False)
    important: Mapped[bool] = mapped_column(default=False)
    author: Mapped[str] = mapped_column(String(TITLE_LENGTH), default="")
    approver: Mapped[str] = mapped_column(String(TITLE_LENGTH), default="")

    category: Mapped[Category | None] = relationship(lazy="selectin")
    blocklist: Mapped[Blocklist | None] = relationship(lazy="selectin")
    service: Mapped[Service | None] = relationship(lazy="selectin")
    schedule: Mapped[ScheduleRow | None] = relationship(lazy="selectin")
