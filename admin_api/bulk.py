"""Many rows in one edit: rehearsed (and rolled back) or applied, one transaction, an audit row for each, one revision.

A rehearsal runs the same code to its end, the check of the whole policy included, so that what it shows is what would
happen. Publishing is the caller's: the API publishes once, and beside the command line a running program does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import Sessions, current_revision
from admin_api.journal import Act, Actor, advance_revision, record
from admin_api.models import Revision
from admin_api.policy_gate import judge
from admin_api.rest.problem import FieldError
from admin_api.surroundings import load_surroundings
from admin_api.to_policy import load_policy
from policy.model import Policy
from policy.surroundings import OwnName

T = TypeVar("T")

Work = Callable[[AsyncSession], Awaitable[tuple[T, list[Act]]]]


class BulkRefusedError(ValueError):
    """Nothing was written; ``errors`` has every mistake that was found."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What the work returned; ``acts``: what it does to rows; ``applied``: whether that is committed.

    ``before`` and ``after``: the policy, as the database says it; ``revision``: the database's now.
    """

    result: T
    acts: tuple[Act, ...]
    warnings: tuple[str, ...]
    revision: int
    applied: bool
    before: Policy
    after: Policy


class MovedError(Exception):
    """Somebody has edited the database since; nothing was written."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            f"the database was edited meanwhile: it is at revision {found}, not {expected}. Look at it once more"
        )


async def run_bulk(
    sessions: Sessions,
    work: Work[T],
    actor: Actor,
    now_s: float,
    *,
    apply: bool,
    at_revision: int | None = None,
    own_names: Sequence[OwnName] = (),
) -> Outcome[T]:
    """Runs ``work`` under the edit lock; commits where ``apply`` and something changed, else rolls back.

    ``at_revision``: what the database must be at. Raises ``MovedError`` where it is not, ``BulkRefusedError`` where the
    policy would no longer be sound; what ``work`` raises goes through.
    """
    async with sessions() as session:
        await session.execute(update(Revision).values(number=Revision.number))  # the edit lock, as ``database.editing``
        before = await load_policy(session)
        if at_revision is not None and before.revision != at_revision:
            raise MovedError(at_revision, before.revision)
        result, acts = await work(session)
        await session.flush()
        session.expire_all()
        after = await load_policy(session)
        verdict = judge(before, after, await load_surroundings(session, now_s, own_names))
        if verdict.errors:
            raise BulkRefusedError(list(verdict.errors))
        if not (apply and acts):
            revision = await current_revision(session)
            await session.rollback()
            return Outcome(result, tuple(acts), verdict.warnings, revision, False, before, after)
        revision = await advance_revision(session)
        for act in acts:
            record(session, actor, act, now_s, revision)
        await session.commit()
    return Outcome(result, tuple(acts), verdict.warnings, revision, True, before, after)
