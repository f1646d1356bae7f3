"""What people decide about the admission of lists: names that must resolve, and overrides of refusals."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_api.models.base import CODE_LENGTH, NAME_LENGTH, NEVER_REUSED, NOTE_LENGTH, Base, Edited, Identified
from admin_api.models.catalog import Blocklist
from admin_api.models.people import HASH_LENGTH

SENTENCE_LENGTH = 4000


class MustResolveName(Edited, Base):
    """A name that no list may block: an update that would is held back, and says which."""

    __tablename__ = "must_resolve_name"
    __table_args__ = (UniqueConstraint("name"), NEVER_REUSED)

    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH), default="")


class ListOverride(Identified, Base):
    """One content of one list, by its checksum, that two people let in although the gate refused it.

    Asked for by one, approved by another, before ``expires_s``; then it counts for the next sync that finds exactly
    this content. Nothing but the columns behind ``expires_s`` ever changes. Logins are copies, as in the journal.
    """

    __tablename__ = "list_override"
    __table_args__ = (NEVER_REUSED,)

    blocklist_id: Mapped[int] = mapped_column(ForeignKey("blocklist.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[str] = mapped_column(String(HASH_LENGTH))
    refusal_code: Mapped[str] = mapped_column(String(32))
    refusal: Mapped[str] = mapped_column(String(SENTENCE_LENGTH))
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    requested_by: Mapped[str] = mapped_column(String(CODE_LENGTH))
    requested_s: Mapped[int] = mapped_column(BigInteger)
    expires_s: Mapped[int] = mapped_column(BigInteger)
    approved_by: Mapped[str] = mapped_column(String(CODE_LENGTH), default="")
    approved_s: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_by: Mapped[str] = mapped_column(String(CODE_LENGTH), default="")
    withdrawn_s: Mapped[int | None] = mapped_column(BigInteger)
    used_s: Mapped[int | None] = mapped_column(BigInteger)
    used_version: Mapped[int] = mapped_column(Integer, default=0)

    blocklist: Mapped[Blocklist] = relationship(lazy="joined")
