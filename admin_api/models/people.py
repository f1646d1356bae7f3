"""Who may use the API: users, their tokens, and the code that makes the first token."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_api.models.base import CODE_LENGTH, NEVER_REUSED, TITLE_LENGTH, Base, Edited, Identified

HASH_LENGTH = 64  # SHA-256 in hexadecimal


class User(Edited, Base):
    """A person (or program) that edits or reads; tokens act in a user's name."""

    __tablename__ = "user_account"  # "user" is a reserved word of PostgreSQL
    __table_args__ = (UniqueConstraint("login"), NEVER_REUSED)

    login: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    active: Mapped[bool] = mapped_column(default=True)


class Token(Edited, Base):
    """A bearer token. Only the SHA-256 of its 256 random bits is kept, so the table lets nobody in."""

    __tablename__ = "token"
    __table_args__ = (UniqueConstraint("secret_sha256"), NEVER_REUSED)

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    secret_sha256: Mapped[str] = mapped_column(String(HASH_LENGTH))
    scopes: Mapped[list[str]]
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"), index=True)
    expires_s: Mapped[int | None] = mapped_column(BigInteger)
    last_used_s: Mapped[int | None] = mapped_column(BigInteger)

    user: Mapped[User] = relationship(lazy="joined")


class SetupCode(Identified, Base):
    """The one-time code for the first administrator's token; one row, id 1, rewritten when a new code is issued."""

    __tablename__ = "setup_code"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    code_sha256: Mapped[str] = mapped_column(String(HASH_LENGTH))
    expires_s: Mapped[int] = mapped_column(BigInteger)
    attempts_left: Mapped[int] = mapped_column(Integer)
    used_s: Mapped[int | None] = mapped_column(BigInteger)
