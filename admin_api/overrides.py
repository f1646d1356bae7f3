"""Letting in what the gate refused: one person asks, naming the content by its checksum; another person approves.

Used by the API and by the command line, so that both hold the same rules. Nothing here admits anything: the next sync
that fetches exactly this content does, once, and marks the override used.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import current_revision
from admin_api.journal import Act, Actor, record
from admin_api.models import Blocklist, ListOverride
from admin_api.models.admission import SENTENCE_LENGTH
from admin_api.override_state import OverrideState, open_overrides, state_of
from blocklists.state import RefusalNote

DEFAULT_VALID_S = 3 * 86_400
MIN_VALID_S = 3_600
MAX_VALID_S = 14 * 86_400
KIND = "list override"
_TYPED = "cli:"


class OverrideRefusedError(Exception):
    """It cannot be done; the text says why and what would be right."""


async def request_override(
    session: AsyncSession,
    blocklist: Blocklist,
    refusal: RefusalNote | None,
    sha256: str | None,
    reason: str,
    actor: Actor,
    now_s: float,
    valid_s: int = DEFAULT_VALID_S,
) -> ListOverride:
    """Asks for the content that ``refusal`` (the list's last) speaks of. ``sha256``: what the caller has seen of it;
    None for whatever it is. Raises ``OverrideRefusedError``.
    """
    code = blocklist.code
    if refusal is None:
        raise OverrideRefusedError(f"no update of {code} is refused at present: there is nothing to let in")
    if sha256 is not None and sha256 != refusal.sha256:
        raise OverrideRefusedError(f"the content of {code} that is refused at present is {refusal.sha256}: look again")
    if refusal.final:
        raise OverrideRefusedError(f"nobody can let this in, there is nothing to serve: {refusal.sentence}")
    same = (ListOverride.blocklist_id == blocklist.id) & (ListOverride.sha256 == refusal.sha256)
    other = await session.scalar(select(ListOverride).where(same, open_overrides(now_s)).limit(1))
    if other is not None:
        by = other.requested_by
        raise OverrideRefusedError(f"{by} has asked for this content already: override {other.id} waits or is approved")
    row = ListOverride(
        blocklist=blocklist,
        sha256=refusal.sha256,
        refusal_code=refusal.code,
        refusal=(refusal.cause or refusal.sentence)[:SENTENCE_LENGTH],
        reason=reason,
        requested_by=actor.login,
        requested_s=int(now_s),
        expires_s=int(now_s) + valid_s,
    )
    session.add(row)
    await session.flush()
    after = {"sha256": row.sha256, "refusal": row.refusal, "reason": reason, "expires_s": row.expires_s}
    await _journal(session, row, "request", actor, now_s, after)
    return row


async def approve_override(session: AsyncSession, override_id: int, actor: Actor, now_s: float) -> ListOverride:
    """Approves, as another person than the one who asked. Raises ``OverrideRefusedError``, ``LookupError``."""
    row = await find_override(session, override_id)
    _require(row, now_s, (OverrideState.PENDING,), "approved")
    if same_person(row.requested_by, actor.login):
        raise OverrideRefusedError(f"{row.requested_by} asked for it: another person must approve")
    row.approved_by = actor.login
    row.approved_s = int(now_s)
    await _journal(session, row, "approve", actor, now_s, {"sha256": row.sha256, "requested_by": row.requested_by})
    return row


async def withdraw_override(session: AsyncSession, override_id: int, actor: Actor, now_s: float) -> ListOverride:
    """Takes it back, whoever asked or approved. Raises ``OverrideRefusedError``, ``LookupError``."""
    row = await find_override(session, override_id)
    _require(row, now_s, (OverrideState.PENDING, OverrideState.APPROVED), "withdrawn")
    row.withdrawn_by = actor.login
    row.withdrawn_s = int(now_s)
    await _journal(session, row, "withdraw", actor, now_s, {"sha256": row.sha256})
    return row


async def find_override(session: AsyncSession, override_id: int) -> ListOverride:
    """The override of this id. Raises ``LookupError``."""
    row = await session.get(ListOverride, override_id)
    if row is None:
        raise LookupError(f"there is no override {override_id}")
    return row


def same_person(one: str, other: str) -> bool:
    """Whether two logins are one person's: whoever types commands acts under the name that he has in the system."""
    return one.removeprefix(_TYPED) == other.removeprefix(_TYPED)


def _require(row: ListOverride, now_s: float, states: tuple[OverrideState, ...], what: str) -> None:
    state = state_of(row, now_s)
    if state not in states:
        raise OverrideRefusedError(f"override {row.id} is {state.value}; it cannot be {what} any more")


async def _journal(
    session: AsyncSession, row: ListOverride, action: str, actor: Actor, now_s: float, after: dict[str, object]
) -> None:
    act = Act(action, KIND, row.id, row.blocklist.code, after=after)
    record(session, actor, act, now_s, await current_revision(session))
