"""Writing the journal: an audit row beside each act, in the act's own transaction, and the revision's next number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.models import Audit, Revision

MAX_LABEL = 200


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``login`` is empty where nobody is known yet (setup)."""

    login: str
    token_id: int = 0
    request_id: str = ""
    remote: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done to which resource. ``before`` is None for a creation, ``after`` for a deletion."""

    action: str
    kind: str
    resource_id: int | None = None
    label: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def changed(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only the fields that differ, as they were and as they are."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


async def advance_revision(session: AsyncSession) -> int:
    """Counts an edit of what policy is made of; returns the new revision."""
    statement = update(Revision).values(number=Revision.number + 1).returning(Revision.number)
    return (await session.execute(statement)).scalar_one()


def record(session: AsyncSession, actor: Actor, act: Act, at_s: float, revision: int = 0) -> None:
    """Adds the audit row to the session, so that the act and its row are committed together or not at all."""
    session.add(
        Audit(
            at_us=int(at_s * 1_000_000),
            login=actor.login,
            token_id=actor.token_id,
            action=act.action,
            kind=act.kind,
            resource_id=act.resource_id,
            label=act.label[:MAX_LABEL],
            before=act.before,
            after=act.after,
            revision=revision,
            request_id=actor.request_id,
            remote=actor.remote,
        )
    )
