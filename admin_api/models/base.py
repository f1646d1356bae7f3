"""What all tables share: names of constraints, keys that are never reused, the version that ETags are made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, MetaData, String
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# Named constraints: SQLite can only alter what has a name, and a refusal can say which constraint it was.
NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite hands a deleted row's key out again unless told otherwise; PostgreSQL's sequences never do.
NEVER_REUSED = {"sqlite_autoincrement": True}

CODE_LENGTH = 40
TITLE_LENGTH = 200
NAME_LENGTH = 1004  # 255 octets, each written as \DDD at worst
NOTE_LENGTH = 1000
SHA256_LENGTH = 64  # in hexadecimal


class Base(AsyncAttrs, DeclarativeBase):
    """Root of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy reads it on the class


class Identified:
    """A row with an identifier that is stable, positive and never reused."""

    id: Mapped[int] = mapped_column(Integer, primary_key=True)


class Edited(Identified):
    """A row that people edit: ``version`` counts its changes (it is the ETag), times are Unix seconds."""

    version: Mapped[int] = mapped_column(Integer, nullable=False)
    created_s: Mapped[int] = mapped_column(BigInteger, default=0)
    changed_s: Mapped[int] = mapped_column(BigInteger, default=0)


class Coded(Edited):
    """An edited row with a code: what logs, documents and rules call it. A code is never changed."""

    code: Mapped[str] = mapped_column(String(CODE_LENGTH))


class Answering:
    """The columns of a ``BlockAnswer``; ``answer_kind`` is null where the next wider answer holds."""

    answer_kind: Mapped[str | None] = mapped_column(String(16))
    answer_ttl_s: Mapped[int] = mapped_column(Integer, default=60)
    answer_address4: Mapped[str] = mapped_column(String(15), default="")
    answer_address6: Mapped[str] = mapped_column(String(45), default="")
    answer_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")


class Lettered:
    """The columns of a ``Basis``: the official letter that a decision rests on, empty where there is none."""

    basis_number: Mapped[str] = mapped_column(String(TITLE_LENGTH), default="")
    basis_date: Mapped[str] = mapped_column(String(10), default="")
    basis_signer: Mapped[str] = mapped_column(String(TITLE_LENGTH), default="")
    basis_note: Mapped[str] = mapped_column(String(NOTE_LENGTH), default="")
    basis_document_sha256: Mapped[str] = mapped_column(String(SHA256_LENGTH), default="", server_default="")
