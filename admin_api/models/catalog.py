"""What rules can speak of: categories, blocklists and services."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, String, Table, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_api.models.base import (
    NAME_LENGTH,
    NEVER_REUSED,
    TITLE_LENGTH,
    Answering,
    Base,
    Coded,
)
from blocklists.source import MAX_LANDING, MAX_MEMBER
from blocklists.transfer.tsig import ALGORITHMS

LOCATION_LENGTH = 2000
SECRET_LENGTH = 200
LANDING_LENGTH = MAX_LANDING * 254
DEFAULT_MAX_AGE_S = 3 * 86_400


class Category(Coded, Answering, Base):
    """A kind of content; *negative* ones are blocked for everybody."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("code"), NEVER_REUSED)

    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    negative: Mapped[bool] = mapped_column(default=False)
    observe: Mapped[bool] = mapped_column(default=False, server_default=false())


blocklist_category = Table(
    "blocklist_category",
    Base.metadata,
    Column("blocklist_id", ForeignKey("blocklist.id", ondelete="CASCADE"), primary_key=True),
    Column("category_id", ForeignKey("category.id"), primary_key=True, index=True),
)


class Blocklist(Coded, Base):
    """A published list of names, where it is fetched from, and what it may not do (``blocklists.source.Source``)."""

    __tablename__ = "blocklist"
    __table_args__ = (UniqueConstraint("code"), NEVER_REUSED)

    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    location: Mapped[str] = mapped_column(String(LOCATION_LENGTH))
    format: Mapped[str] = mapped_column(String(16), default="auto")
    subdomains: Mapped[bool | None]
    member: Mapped[str] = mapped_column(String(MAX_MEMBER), default="", server_default="")
    landing: Mapped[str] = mapped_column(String(LANDING_LENGTH), default="", server_default="")  # blanks between
    sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # Of a zone that is transferred. The secret is never shown; it is not hashed, for it must sign.
    tsig_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="", server_default="")
    tsig_algorithm: Mapped[str] = mapped_column(String(16), default=ALGORITHMS[0], server_default=ALGORITHMS[0])
    tsig_secret: Mapped[str] = mapped_column(String(SECRET_LENGTH), default="", server_default="")
    tsig_secret_file: Mapped[str] = mapped_column(String(LOCATION_LENGTH), default="", server_default="")
    national: Mapped[bool] = mapped_column(default=False)
    licence: Mapped[str] = mapped_column(String(TITLE_LENGTH), default="")
    enabled: Mapped[bool] = mapped_column(default=True)
    observe: Mapped[bool] = mapped_column(default=False, server_default=false())
    rewrites: Mapped[bool] = mapped_column(default=False, server_default=false())
    max_size_bytes: Mapped[int] = mapped_column(BigInteger)
    shrink_limit: Mapped[float] = mapped_column(Float)
    min_entries: Mapped[int] = mapped_column(default=1)
    allow_private: Mapped[bool] = mapped_column(default=False)
    max_age_s: Mapped[int] = mapped_column(
        Integer, default=DEFAULT_MAX_AGE_S, server_default=str(DEFAULT_MAX_AGE_S)
    )  # no good answer of the source for longer: an alarm

    categories: Mapped[list[Category]] = relationship(
        secondary=blocklist_category, order_by=Category.id, lazy="selectin"
    )


class Service(Coded, Base):
    """A named set of names inside a category (YouTube, TikTok, ...)."""

    __tablename__ = "service"
    __table_args__ = (UniqueConstraint("code"), NEVER_REUSED)

    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)

    category: Mapped[Category] = relationship(lazy="selectin")
    names: Mapped[list[ServiceName]] = relationship(
        cascade="all, delete-orphan", order_by="ServiceName.position", lazy="selectin"
    )


class ServiceName(Base):
    """One name of a service, with every name below it."""

    __tablename__ = "service_name"

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
