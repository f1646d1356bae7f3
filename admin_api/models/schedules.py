"""When rules hold: schedules with their windows and periods, who reads them otherwise, and holidays."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_api.models.base import NEVER_REUSED, TITLE_LENGTH, Base, Coded, Edited

DATE_LENGTH = 10  # ISO 8601


class ScheduleRow(Coded, Base):
    """When rules hold: inside any of its windows, in the zone's local time."""

    __tablename__ = "schedule"
    __table_args__ = (UniqueConstraint("code"), NEVER_REUSED)

    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    zone: Mapped[str] = mapped_column(String(64))
    skip_holidays: Mapped[bool] = mapped_column(default=False)
    skip_joint_leave: Mapped[bool] = mapped_column(default=True, server_default=true())

    windows: Mapped[list[WindowRow]] = relationship(
        cascade="all, delete-orphan", order_by="WindowRow.position", lazy="selectin"
    )
    periods: Mapped[list[PeriodRow]] = relationship(
        cascade="all, delete-orphan", order_by="PeriodRow.position", lazy="selectin"
    )


class WindowRow(Base):
    """A span of local time on some days. ``days`` is a bit set, bit 0 is Monday."""

    __tablename__ = "schedule_window"

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    start_min: Mapped[int] = mapped_column(Integer)
    end_min: Mapped[int] = mapped_column(Integer)


class PeriodRow(Base):
    """Days, both ends included, with windows of their own instead of the schedule's, as in Ramadan."""

    __tablename__ = "schedule_period"

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    from_date: Mapped[str] = mapped_column(String(DATE_LENGTH))
    until_date: Mapped[str] = mapped_column(String(DATE_LENGTH))

    windows: Mapped[list[PeriodWindowRow]] = relationship(
        cascade="all, delete-orphan", order_by="PeriodWindowRow.position", lazy="selectin"
    )


class PeriodWindowRow(Base):
    """A window of a period; as ``WindowRow``."""

    __tablename__ = "schedule_period_window"
    __table_args__ = (
        ForeignKeyConstraint(
            ["schedule_id", "period"], ["schedule_period.schedule_id", "schedule_period.position"], ondelete="CASCADE"
        ),
    )

    schedule_id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[int] = mapped_column(primary_key=True)  # its position
    position: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    start_min: Mapped[int] = mapped_column(Integer)
    end_min: Mapped[int] = mapped_column(Integer)


class ScheduleOverrideRow(Edited, Base):
    """An agency or a unit that reads a schedule in its own way (``policy.model.ScheduleOverride``)."""

    __tablename__ = "schedule_override"
    __table_args__ = (
        UniqueConstraint("agency_id", "schedule_id"),
        UniqueConstraint("unit_id", "schedule_id"),
        CheckConstraint("(agency_id IS NULL) <> (unit_id IS NULL)", name="one_scope"),
        NEVER_REUSED,
    )

    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"), index=True)
    reading: Mapped[str] = mapped_column(String(16))  # ``policy.model.Reading``
    other_id: Mapped[int | None] = mapped_column(ForeignKey("schedule.id"), index=True)

    schedule: Mapped[ScheduleRow] = relationship(foreign_keys=[schedule_id], lazy="selectin")
    other: Mapped[ScheduleRow | None] = relationship(foreign_keys=[other_id], lazy="selectin")


class HolidayRow(Edited, Base):
    """A national holiday or joint leave. ``imported``: by the program, and not edited by anybody since."""

    __tablename__ = "holiday"
    __table_args__ = (UniqueConstraint("date"), NEVER_REUSED)

    date: Mapped[str] = mapped_column(String(DATE_LENGTH))
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    joint_leave: Mapped[bool] = mapped_column(default=False, server_default=false())
    imported: Mapped[bool] = mapped_column(default=False, server_default=false())
