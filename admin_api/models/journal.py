"""The journal: every edit and every read of the query log, and the revision that edits advance."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from admin_api.models.base import CODE_LENGTH, NEVER_REUSED, TITLE_LENGTH, Base, Identified


class Audit(Identified, Base):
    """One act: who did what to which resource, when, from where. Written in the act's own transaction, never changed.

    ``login`` and ``token_id`` are copies, not references: the journal outlives users and tokens.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_kind_resource_id", "kind", "resource_id"), NEVER_REUSED)

    at_us: Mapped[int] = mapped_column(BigInteger, index=True)
    login: Mapped[str] = mapped_column(String(CODE_LENGTH))
    token_id: Mapped[int] = mapped_column(Integer, default=0)
    action: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(32))
    resource_id: Mapped[int | None] = mapped_column(Integer)
    label: Mapped[str] = mapped_column(String(TITLE_LENGTH), default="")
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    request_id: Mapped[str] = mapped_column(String(64), default="")
    remote: Mapped[str] = mapped_column(String(64), default="")


class Revision(Base):
    """How often what the policy is made of was edited: one row, id 1.

    Every edit locks it first, so that edits queue here.
    """

    __tablename__ = "revision"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
