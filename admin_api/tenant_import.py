"""Writing a file of agencies, units and networks: the steps of ``tenant_plan.py`` on the rows.

Rows are read at once and written kind by kind, so that thousands of networks are one edit of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.features import agencies, networks, units
from admin_api.history import why_retired
from admin_api.journal import Act, changed
from admin_api.models import AgencyRow, NetworkRow, UnitRow
from admin_api.rest.problem import FieldError, Problem
from admin_api.rest.resource import new_row, refuse_referenced
from admin_api.schemas import as_json
from admin_api.tenant_csv import CsvError, Line, mistake
from admin_api.tenant_plan import About, Fate, Kind, Plan, Step, Tenant, Tenants, plan, tenant_of

Row = AgencyRow | UnitRow | NetworkRow


async def import_tenants(
    session: AsyncSession, lines: Sequence[Line], now_s: int, *, prune: bool
) -> tuple[Plan, list[Act]]:
    """Writes what the lines say; the acts are for the journal. Raises ``CsvError`` with every mistake."""
    rows = TenantRows(session)
    await rows.load()
    found = plan(rows.tenants(), lines, prune=prune)
    await _refuse_retired(session, lines, found)
    acts = [act for kind in Kind for act in await rows.write(found.steps, kind, now_s)]
    return found, acts + await rows.delete(found.steps)


async def _refuse_retired(session: AsyncSession, lines: Sequence[Line], found: Plan) -> None:
    errors: list[FieldError] = []
    for step in found.steps:
        if (step.fate, step.kind) == (Fate.CREATE, Kind.AGENCY) and (why := await why_retired(session, step.label)):
            number = next(line.number for line in lines if line.agency == step.label)
            errors.append(mistake(number, "agency", why, step.label, "the code of today"))
    if errors:
        raise CsvError(errors)


class TenantRows:
    """The rows of all agencies, units and networks, by their codes."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._of_tenants: dict[Tenant, AgencyRow | UnitRow] = {}
        self._of_networks: dict[str, NetworkRow] = {}

    async def load(self) -> None:
        """Reads them all."""
        codes: dict[int, str] = {}
        for agency in await self._session.scalars(select(AgencyRow)):
            codes[agency.id] = agency.code
            self._of_tenants[agency.code, ""] = agency
        for unit in await self._session.scalars(select(UnitRow)):
            self._of_tenants[codes[unit.agency_id], unit.code] = unit
        self._of_networks = {row.cidr: row for row in await self._session.scalars(select(NetworkRow))}

    def tenants(self) -> Tenants:
        """What the rows say."""
        owners = {
            (row.agency_id, row.id) if isinstance(row, UnitRow) else (row.id, 0): tenant
            for tenant, row in self._of_tenants.items()
        }
        return Tenants(
            {tenant: About(row.name, row.allow_list_only) for tenant, row in self._of_tenants.items()},
            {cidr: owners[row.agency_id, row.unit_id or 0] for cidr, row in self._of_networks.items()},
        )

    async def write(self, steps: Sequence[Step], kind: Kind, now_s: int) -> list[Act]:
        """Creates and changes what the steps say of one kind; those that it refers to are written already."""
        acts: list[Act] = []
        made: list[tuple[Step, Row]] = []
        for step in steps:
            if step.kind is not kind:
                continue
            if step.fate is Fate.CREATE:
                row = self._new(step, now_s)
                self._put(row, step)
                made.append((step, row))
            elif step.fate is Fate.CHANGE:
                row = self._row(step)
                before = shown(row)
                self._put(row, step)
                row.version += 1
                row.changed_s = now_s
                acts.append(Act("update", kind.value, row.id, _label(row), *changed(before, shown(row))))
        self._session.add_all(row for _, row in made)
        await self._session.flush()
        acts += [Act("create", kind.value, row.id, _label(row), after=shown(row)) for _, row in made]
        return acts

    async def delete(self, steps: Sequence[Step]) -> list[Act]:
        """Deletes what the steps say. Raises ``CsvError`` where something still refers to it."""
        acts: list[Act] = []
        errors: list[FieldError] = []
        gone = [step for step in steps if step.fate is Fate.DELETE]
        for kind in reversed(Kind):  # networks before the units, and units before the agencies, that they refer to
            for step in gone:
                if step.kind is not kind:
                    continue
                row = self._row(step)
                try:
                    await refuse_referenced(self._session, _resource(kind), row.id)
                except Problem as problem:
                    errors.append(FieldError(field=f"prune: {kind.value} {step.label}", message=problem.detail))
                    continue
                acts.append(Act("delete", kind.value, row.id, _label(row), before=shown(row)))
                await self._session.delete(row)
            await self._session.flush()
        if errors:
            raise CsvError(errors)
        return acts

    def _new(self, step: Step, now_s: int) -> Row:
        if step.kind is Kind.NETWORK:
            network = self._of_networks[step.label] = new_row(NetworkRow, now_s)
            network.cidr = step.label
            return network
        tenant = tenant_of(step.label)
        if step.kind is Kind.AGENCY:
            agency = self._of_tenants[tenant] = new_row(AgencyRow, now_s)
            agency.code = tenant[0]
            return agency
        unit = self._of_tenants[tenant] = new_row(UnitRow, now_s)
        unit.agency_id = self._of_tenants[tenant[0], ""].id
        unit.code = tenant[1]
        return unit

    def _put(self, row: Row, step: Step) -> None:
        if not isinstance(row, NetworkRow):
            row.name = step.after.get("name", row.name)
            row.allow_list_only = step.after.get("allow_list_only", row.allow_list_only)
            return
        owner = self._of_tenants[tenant_of(step.after["tenant"])]
        of_unit = isinstance(owner, UnitRow)
        row.agency_id = owner.agency_id if isinstance(owner, UnitRow) else owner.id
        row.unit_id = owner.id if of_unit else None

    def _row(self, step: Step) -> Row:
        return self._of_networks[step.label] if step.kind is Kind.NETWORK else self._of_tenants[tenant_of(step.label)]


def shown(row: Row) -> dict[str, Any]:
    """The row as clients see it, for the journal."""
    if isinstance(row, AgencyRow):
        return as_json(agencies.show(row))
    return as_json(units.show(row)) if isinstance(row, UnitRow) else as_json(networks.show(row))


def _label(row: Row) -> str:
    return row.cidr if isinstance(row, NetworkRow) else row.code


def _resource(kind: Kind) -> Any:
    return {Kind.AGENCY: agencies, Kind.UNIT: units, Kind.NETWORK: networks}[kind].RESOURCE
