"""Regency, agencies, units, their networks, and the forwarders and devices by which clients are told apart."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, String, Table, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_api.models.base import NEVER_REUSED, TITLE_LENGTH, Answering, Base, Coded, Edited

DEVICE_LENGTH = 100


class RegencyRow(Edited, Answering, Base):
    """Settings of the regency: exactly one row, whose id is 1. Its ``answer_kind`` is never null."""

    __tablename__ = "regency"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    name: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    zone: Mapped[str] = mapped_column(String(64), default="Asia/Jakarta")
    language: Mapped[str] = mapped_column(String(8), default="id")
    unknown_clients: Mapped[str] = mapped_column(String(16), default="private_only")
    allow_list_only: Mapped[bool] = mapped_column(default=False)
    admin_networks: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    exception_max_days: Mapped[int] = mapped_column(Integer, default=90, server_default="90")
    pause_max_minutes: Mapped[int] = mapped_column(Integer, default=30, server_default="30")
    letters_for: Mapped[list[str]] = mapped_column(default=list, server_default="[]")  # ``policy.letters.LetterFor``
    letters_with_document: Mapped[bool] = mapped_column(default=False, server_default=false())


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


forwarder_agency = Table(
    "forwarder_agency",
    Base.metadata,
    Column("forwarder_id", ForeignKey("forwarder.id", ondelete="CASCADE"), primary_key=True),
    Column("agency_id", ForeignKey("agency.id"), primary_key=True, index=True),
)


class ForwarderRow(Edited, Base):
    """A router or resolver that asks for many clients, and what it is believed in (``policy.model.Forwarder``)."""

    __tablename__ = "forwarder"
    __table_args__ = (UniqueConstraint("cidr"), NEVER_REUSED)

    cidr: Mapped[str] = mapped_column(String(50))
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    trusts: Mapped[list[str]]  # of ``policy.model.Identification``

    agencies: Mapped[list[AgencyRow]] = relationship(secondary=forwarder_agency, order_by=AgencyRow.id, lazy="selectin")


class DeviceRow(Edited, Base):
    """A client known by what a forwarder calls it: a MAC address (lower case, colons) or a CPE's text."""

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("kind", "value"), NEVER_REUSED)

    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(DEVICE_LENGTH))
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH), default="")
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
