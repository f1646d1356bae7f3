"""What became of agencies and their units, read from the control database; and whose rows of the log are whose."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.lineage import Before, Kind, Lineage, Succession
from admin_api.models import AgencyRow, SuccessionPartRow, SuccessionRow
from querylog.store import Filter

Tenants = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class History:
    """Successions of agencies, by code, and of units, by ``agency/unit``. A unit always goes on as one."""

    agencies: Lineage = field(default_factory=Lineage)
    units: Lineage = field(default_factory=Lineage)

    def tenants(self, agency: str, unit: str | None) -> Tenants:
        """Whose rows are an agency's or a unit's: for ``querylog.store.Filter``."""
        if unit is None:
            return tuple((code, None) for code in self.agencies.codes(agency))
        found = (label.partition("/") for label in self.units.codes(f"{agency}/{unit}"))
        return tuple((before, part) for before, _, part in found)


def rows_before(asked: Filter, before: Before) -> Filter:
    """Of what is asked, the rows of the time before a split."""
    until_us = before.until_s * 1_000_000
    if asked.until_us is not None:
        until_us = min(until_us, asked.until_us)
    return replace(asked, until_us=until_us, tenants=tuple((code, None) for code in before.codes))


async def load_history(session: AsyncSession) -> History:
    """The whole history, in the order in which it happened."""
    rows = (await session.scalars(select(SuccessionRow).order_by(SuccessionRow.id))).all()
    return History(
        Lineage(succession_of(row) for row in rows),
        Lineage(Succession(Kind.RENAME, row.at_s, (unit.before,), (unit.after,)) for row in rows for unit in row.units),
    )


async def load_successions(session: AsyncSession) -> tuple[Succession, ...]:
    """What became of agencies, in the order in which it happened."""
    rows = await session.scalars(select(SuccessionRow).order_by(SuccessionRow.id))
    return tuple(succession_of(row) for row in rows)


def succession_of(row: SuccessionRow) -> Succession:
    """A succession by the codes of its agencies."""
    before = tuple(part.code for part in row.parts if not part.heir)
    return Succession(Kind(row.kind), row.at_s, before, tuple(part.code for part in row.parts if part.heir))


async def why_retired(session: AsyncSession, code: str) -> str:
    """Why no new agency can have this code; ``""`` where one can. An agency that has it is none of its business."""
    ended = select(SuccessionRow).join(SuccessionRow.parts)
    ended = ended.where(SuccessionPartRow.code == code, SuccessionPartRow.heir.is_(False))
    row = await session.scalar(ended.order_by(SuccessionRow.id.desc()).limit(1))
    if row is None or await session.scalar(select(AgencyRow.id).where(AgencyRow.code == code)) is not None:
        return ""
    heirs = ", ".join(part.code for part in row.parts if part.heir)
    letter = f" (letter {row.basis_number})" if row.basis_number else ""
    return f"was the code of an agency that became {heirs}{letter}; rows of the query log keep it"
