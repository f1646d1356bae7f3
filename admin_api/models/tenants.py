"""Regency, agencies, units and their networks."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from admin_api.models.base import NEVER_REUSED, TITLE_LENGTH, Answering, Base, Coded, Edited


class RegencyRow(Edited, Answering, Base):
    """Settings of the regency: exactly one row, whose id is 1. Its ``answer_kind`` is never null."""

    __tablename__ = "regency"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    name: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    zone: Mapped[str] = mapped_column(String(64), default="Asia/Jakarta")
    language: Mapped[str] = mapped_column(String(8), default="id")
    unknown_clients: Mapped[str] = mapped_column(String(16), default="private_only")
    allow_list_only: Mapped[bool] = mapped_column(default=False)


class AgencyRow(Coded, Base):
    """An agency (*perangkat daerah*)."""

    __tablename__ = "agency"
    __table_args__ = (UniqueConstraint("code"), NEVER_REUSED)

    name: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    allow_list_only: Mapped[bool] = mapped_column(default=False)


class UnitRow(Coded, Base):
    """A part of an agency; its code is unique within the agency."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("agency_id", "code"), NEVER_REUSED)

    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    allow_list_only: Mapped[bool] = mapped_column(default=False)


class NetworkRow(Edited, Base):
    """An address range, as canonical CIDR, of an agency or of one of its units."""

    __tablename__ = "network"
    __table_args__ = (UniqueConstraint("cidr"), NEVER_REUSED)

    cidr: Mapped[str] = mapped_column(String(50))
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
