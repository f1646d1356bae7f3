"""What a replay is asked to do and what it tells: plain facts, which travel to a process of its own as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.history import load_history
from admin_api.models import SuccessionPartRow, SuccessionUnitRow
from admin_api.to_policy import SourceRow
from policy.difference_words import ChangeWords
from policy.model import Policy
from policy.replay import ReplayResult

MAX_PERIOD_S = 366 * 86_400


class ReplayError(Exception):
    """The replay could not be done; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Heirs:
    """Under which codes rows of earlier agencies count, and of earlier units (``agency/unit``)."""

    agencies: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def heir(self, agency: str, unit: str) -> tuple[str, str]:
        """The tenant of now."""
        path = self.units.get(f"{agency}/{unit}", "") if unit else ""
        owner, slash, part = path.partition("/")
        return (owner, part) if slash else (self.agencies.get(agency, agency), unit)


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """``draft``: the policy as the database would have it. ``disabled``: lists that are switched off in it.

    Times are Unix microseconds, ``until_us`` exclusive. ``tenants``: only rows of these, as in
    ``querylog.store.Filter``.
    """

    draft: Policy
    disabled: tuple[str, ...]
    from_us: int
    until_us: int
    tenants: tuple[tuple[str, str | None], ...] | None = None
    heirs: Heirs = Heirs()


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """``generation``: what was in force, against which the draft was held. ``changes``: what the draft changes in it.

    ``notes``: what this replay cannot know, in sentences.
    """

    generation: int
    from_us: int
    until_us: int
    changes: tuple[ChangeWords, ...]
    result: ReplayResult
    notes: tuple[str, ...]


def disabled_lists(sources: tuple[SourceRow, ...]) -> tuple[str, ...]:
    """The codes of the lists that are switched off."""
    return tuple(row.code for row in sources if not row.enabled)


async def load_heirs(session: AsyncSession) -> Heirs:
    """Every code that ended, with the one that its rows count under."""
    history = await load_history(session)
    ended = await session.scalars(select(SuccessionPartRow.code).where(SuccessionPartRow.heir.is_(False)))
    moved = await session.scalars(select(SuccessionUnitRow.before))
    agencies = {code: history.agencies.heir(code) for code in ended}
    return Heirs(agencies, {path: history.units.heir(path) for path in moved})
