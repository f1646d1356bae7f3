"""What belongs to an agency, and how it goes to another: every table that says whose its rows are, whoever added it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.models import (
    AgencyRow,
    Base,
    ForwarderRow,
    NetworkRow,
    PauseRow,
    RuleRow,
    ScheduleOverrideRow,
    SuccessionPartRow,
    UnitRow,
)
from admin_api.models.base import CODE_LENGTH
from admin_api.reorganise.ledger import Ledger
from admin_api.rest.resource import new_row

_OF_ITS_OWN = frozenset({"id", "code", "version", "created_s", "changed_s", "agency_id"})


def owned() -> list[Any]:
    """Every kind of row that says whose it is. The history's own are left out: they are copies of what was."""
    models = {mapper.class_ for mapper in Base.registry.mappers if "agency_id" in mapper.columns}
    return sorted(models - {SuccessionPartRow}, key=lambda model: str(model.__tablename__))


class Belongings:
    """Moves what agencies have, and tells the ledger."""

    def __init__(self, session: AsyncSession, ledger: Ledger, login: str) -> None:
        self._session = session
        self._ledger = ledger
        self._login = login

    async def give_all(self, source: AgencyRow, heir: AgencyRow, unit_codes: dict[str, str]) -> None:
        """All that ``source`` has; then it is deleted. ``unit_codes``: by ``agency/unit``, for codes that are taken."""
        await self._free_unit_codes(source, heir, unit_codes)
        await self._settle_readings(source, heir)
        self._ledger.refuse()
        await self._end_pauses(source)
        for rule in await self._session.scalars(select(RuleRow).where(RuleRow.agency_id == source.id)):
            self._ledger.warnings.append(
                f"rule {rule.id} ({rule.title}) of {source.code} now holds for all of {heir.code}"
            )
        for model in owned():
            for row in (await self._session.scalars(select(model).where(model.agency_id == source.id))).all():
                self._move(row, source, heir)
        for forwarder in await self._forwarders(source):
            others = [row for row in forwarder.agencies if row is not source]
            forwarder.agencies = others if heir in others else [*others, heir]
            self._ledger.moved(forwarder, source.code, heir.code)
        await self._session.flush()
        self._ledger.deleted(source, {"name": source.name})
        await self._session.delete(source)
        await self._session.flush()

    async def give_unit(self, unit: UnitRow, source: AgencyRow, heir: AgencyRow) -> None:
        """A unit with its networks, devices and whatever else is the unit's."""
        taken = select(UnitRow.id).where(UnitRow.agency_id == heir.id, UnitRow.code == unit.code)
        if await self._session.scalar(taken) is not None:
            self._ledger.wrong("parts", f"{heir.code} has a unit of that code already", unit.code, "other units")
            return
        self._ledger.units.append((f"{source.code}/{unit.code}", f"{heir.code}/{unit.code}"))
        for model in owned():
            if "unit_id" not in model.__table__.c:
                continue
            of_unit = select(model).where(model.unit_id == unit.id, model.agency_id == source.id)
            for row in (await self._session.scalars(of_unit)).all():
                self._move(row, source, heir)
        self._move(unit, source, heir)
        await self._session.flush()

    def give(self, row: NetworkRow | RuleRow, source: AgencyRow, heir: AgencyRow) -> None:
        """A network or a rule of the agency itself."""
        self._move(row, source, heir)

    async def share_rules(self, parent: AgencyRow, parts: Sequence[AgencyRow]) -> None:
        """What holds for the agency goes on to hold for its new parts. Exceptions do not: they were approved for it."""
        rules = (await self._session.scalars(select(RuleRow).where(RuleRow.agency_id == parent.id))).all()
        if parts and any(rule.exception for rule in rules):
            self._ledger.warnings.append(f"exceptions of {parent.code} stay with it; its parts ask for their own")
        overrides = select(ScheduleOverrideRow).where(ScheduleOverrideRow.agency_id == parent.id)
        rows: list[RuleRow | ScheduleOverrideRow] = [
            *(rule for rule in rules if not rule.exception),
            *(await self._session.scalars(overrides)).all(),
        ]
        for part in parts:
            for row in rows:
                copy: Any = new_row(type(row), self._ledger.now_s)
                for column in row.__table__.columns:
                    if column.key not in _OF_ITS_OWN:
                        setattr(copy, column.key, getattr(row, column.key))
                copy.agency_id = part.id
                self._session.add(copy)
                await self._session.flush()
                self._ledger.created(copy, {"agency": part.code, "copy_of": row.id})

    async def share_forwarders(self, parent: AgencyRow, parts: Sequence[AgencyRow]) -> None:
        """Who spoke for the agency's clients speaks for those of its new parts: they are the same machines."""
        for forwarder in await self._forwarders(parent):
            forwarder.agencies = [*forwarder.agencies, *parts]
            self._ledger.changed(forwarder, {}, {"agencies": [part.code for part in parts]})

    def _move(self, row: Any, source: AgencyRow, heir: AgencyRow) -> None:
        row.agency_id = heir.id
        self._ledger.moved(row, source.code, heir.code)

    async def _forwarders(self, agency: AgencyRow) -> Sequence[ForwarderRow]:
        of = select(ForwarderRow).where(ForwarderRow.agencies.any(AgencyRow.id == agency.id))
        return (await self._session.scalars(of)).all()

    async def _free_unit_codes(self, source: AgencyRow, heir: AgencyRow, unit_codes: dict[str, str]) -> None:
        """A code for each unit that is free in its new agency: its own, the one asked for, or with the old agency's."""
        taken = set(await self._session.scalars(select(UnitRow.code).where(UnitRow.agency_id == heir.id)))
        for unit in (await self._session.scalars(select(UnitRow).where(UnitRow.agency_id == source.id))).all():
            label = f"{source.code}/{unit.code}"
            code = unit_codes.get(label) or unit.code
            if code in taken and label not in unit_codes:
                code = f"{unit.code}-{source.code}"[:CODE_LENGTH].rstrip("-_")
            if code in taken:
                self._ledger.wrong("units", f"{heir.code} has a unit {code} already", label, "a free code for it")
            taken.add(code)
            self._ledger.units.append((label, f"{heir.code}/{code}"))
            unit.code = code

    async def _settle_readings(self, source: AgencyRow, heir: AgencyRow) -> None:
        """One reading of each schedule: where both agencies have one, it must be the same."""
        both = select(ScheduleOverrideRow).where(ScheduleOverrideRow.agency_id.in_([source.id, heir.id]))
        rows = (await self._session.scalars(both)).all()
        theirs = {row.schedule_id: row for row in rows if row.agency_id == heir.id}
        for row in rows:
            other = theirs.get(row.schedule_id)
            if row.agency_id == heir.id or other is None:
                continue
            if (row.reading, row.other_id) != (other.reading, other.other_id):
                message = f"{source.code} and {heir.code} read the schedule {row.schedule.code} differently"
                self._ledger.wrong("agencies", message, source.code, "change or delete one of the overrides first")
                continue
            self._ledger.deleted(row, {"agency": source.code})
            await self._session.delete(row)
        await self._session.flush()

    async def _end_pauses(self, source: AgencyRow) -> None:
        """A pause was given to the people of one agency: it does not go over to all of another."""
        running = select(PauseRow).where(PauseRow.agency_id == source.id, PauseRow.ended_s.is_(None))
        for pause in (await self._session.scalars(running)).all():
            pause.ended_s, pause.ended_by = self._ledger.now_s, self._login
            self._ledger.warnings.append(f"a pause of {source.code} ends here")
