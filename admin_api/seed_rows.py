"""The rows of an import: each section of the document is written as the API would write it."""

from __future__ import annotations

import json
import zoneinfo
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from admin_api.exceptions import KIND
from admin_api.features import (
    agencies,
    blocklists,
    catalog_services,
    categories,
    devices,
    forwarders,
    holidays,
    must_resolve_names,
    networks,
    protected_names,
    regency,
    rules,
    schedule_overrides,
    schedules,
    units,
)
from admin_api.journal import Act, changed
from admin_api.models import (
    AgencyRow,
    Blocklist,
    Category,
    DeviceRow,
    ExceptionRow,
    ForwarderRow,
    HolidayRow,
    MustResolveName,
    NetworkRow,
    ProtectedName,
    RegencyRow,
    RuleRow,
    ScheduleOverrideRow,
    ScheduleRow,
    Service,
    UnitRow,
)
from admin_api.models.base import Edited
from admin_api.rest.problem import FieldError, Problem
from admin_api.rest.resource import Resource, new_row
from admin_api.rest.route import Editor
from admin_api.rest.validation import check_body
from admin_api.schemas import Strict, as_json
from admin_api.seed_document import (
    AgencyEntry,
    DeviceEntry,
    Document,
    ExceptionEntry,
    ForwarderEntry,
    NamedEntry,
    RuleEntry,
    ScheduleOverrideEntry,
    unnamed_rule,
)
from admin_api.seed_exceptions import import_exception
from admin_api.to_policy import target_of

RowT = TypeVar("RowT", bound=Edited)
InT = TypeVar("InT", bound=Strict)
OutT = TypeVar("OutT", bound=BaseModel)


class Importer:
    """Writes one document; counts, acts and mistakes are read off it afterwards.

    ``ids``: by what an entry is called here (``agency dinkes``), the identifier that a new row of it is to get, where
    that is free. ``written``: by kind, the rows that are the document's, changed or not. ``author``: who stands for
    what this import writes of rules; empty: whoever the document names. With an author, it brings no exceptions.
    """

    def __init__(
        self, session: AsyncSession, now_s: int, ids: Mapping[str, int] | None = None, author: str = ""
    ) -> None:
        self.now_s = now_s
        self.written: dict[str, set[int]] = defaultdict(set)
        self.created: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        self.unchanged: Counter[str] = Counter()
        self.acts: list[Act] = []
        self.errors: list[FieldError] = []
        self._session = session
        self._ids = ids or {}
        self._author = author

    async def run(self, document: Document) -> None:
        """All sections, each after those that it refers to."""
        await self._regency(document.regency)
        for agency in document.agencies:
            await self._agency(agency)
        for forwarder in document.forwarders:
            await self._forwarder(forwarder)
        for device in document.devices:
            await self._device(device)
        await self._each(categories.RESOURCE, document.categories, lambda data: Category.code == data.code)
        await self._each(catalog_services.RESOURCE, document.services, lambda data: Service.code == data.code)
        await self._each(blocklists.RESOURCE, document.lists, lambda data: Blocklist.code == data.code)
        await self._names(protected_names.RESOURCE, "protected", ProtectedName.name, document.protected)
        await self._names(must_resolve_names.RESOURCE, "must_resolve", MustResolveName.name, document.must_resolve)
        for schedule in document.schedules:
            fields = as_json(schedule) | {"zone": schedule.zone or document.regency.zone}
            where = f"schedule {schedule.code}"
            await self._put(schedules.RESOURCE, where, ScheduleRow.code == schedule.code, fields)
        for override in document.schedule_overrides:
            await self._override(override)
        await self._each(holidays.RESOURCE, document.holidays, lambda data: HolidayRow.date == data.date, "date")
        zone = zoneinfo.ZoneInfo(document.regency.zone)
        for rule in document.rules:
            await self._rule(rule, zone)
        for exception in document.exceptions:
            await self._exception(exception, zone)

    async def _regency(self, entry: BaseModel) -> None:
        row = (await self._session.execute(select(RegencyRow))).scalar_one()
        before = as_json(regency.show(row))
        regency.put_regency(row, check_body(regency.RegencyInput, entry.model_dump_json().encode()))
        self._count("regency", row, row.name, before, as_json(regency.show(row)))

    async def _agency(self, entry: AgencyEntry) -> None:
        fields = as_json(entry)
        row = await self._put(agencies.RESOURCE, f"agency {entry.code}", AgencyRow.code == entry.code, fields)
        if row is None:
            return
        await self._networks(entry.networks, row.id, None)
        for unit in entry.unit:
            where = f"agency {entry.code} unit {unit.code}"
            same = (UnitRow.agency_id == row.id) & (UnitRow.code == unit.code)
            part = await self._put(units.RESOURCE, where, same, as_json(unit) | {"agency_id": row.id})
            if part is not None:
                await self._networks(unit.networks, row.id, part.id)

    async def _networks(self, cidrs: Iterable[str], agency_id: int, unit_id: int | None) -> None:
        for cidr in cidrs:
            fields = {"cidr": cidr, "agency_id": agency_id, "unit_id": unit_id}
            await self._put(networks.RESOURCE, f"network {cidr}", NetworkRow.cidr == cidr, fields)

    async def _names(
        self,
        resource: Resource[RowT, InT, OutT],
        section: str,
        column: InstrumentedAttribute[str],
        names: Iterable[str | NamedEntry],
    ) -> None:
        for entry in names:
            name = entry if isinstance(entry, str) else entry.name
            fields = {"name": name} if isinstance(entry, str) else as_json(entry)
            await self._put(resource, f"{section} {name}", column == name, fields, tuple(fields))

    async def _forwarder(self, entry: ForwarderEntry) -> None:
        where = f"forwarder {entry.cidr}"
        agency_ids = [await self._agency_id(code, f"{where}: agencies") for code in entry.agencies]
        if None not in agency_ids:
            fields = as_json(entry) | {"agency_ids": agency_ids}
            await self._put(forwarders.RESOURCE, where, ForwarderRow.cidr == entry.cidr, fields)

    async def _device(self, entry: DeviceEntry) -> None:
        where = f"device {entry.kind} {entry.value}"
        scope = await self._scope(entry.tenant, f"{where}: tenant")
        if scope is None:
            return
        agency_id, unit_id = scope["id"], None
        if scope["kind"] == "unit":
            unit = await self._session.get_one(UnitRow, scope["id"])
            agency_id, unit_id = unit.agency_id, unit.id
        same = (DeviceRow.kind == entry.kind.value) & (DeviceRow.value == entry.value)
        await self._put(devices.RESOURCE, where, same, as_json(entry) | {"agency_id": agency_id, "unit_id": unit_id})

    async def _override(self, entry: ScheduleOverrideEntry) -> None:
        where = f"schedule_override {entry.schedule} of {entry.scope}"
        scope = await self._scope(entry.scope, f"{where}: scope")
        if scope is None:
            return
        schedule_id = await self._session.scalar(select(ScheduleRow.id).where(ScheduleRow.code == entry.schedule))
        column = ScheduleOverrideRow.unit_id if scope["kind"] == "unit" else ScheduleOverrideRow.agency_id
        same = (ScheduleOverrideRow.schedule_id == schedule_id) & (column == scope["id"])
        await self._put(schedule_overrides.RESOURCE, where, same, as_json(entry) | {"scope": scope})

    async def _rule(self, entry: RuleEntry, zone: zoneinfo.ZoneInfo) -> None:
        where = f"rule {entry.code}"
        kind, _, value = entry.target.partition(":")
        scope = await self._scope(entry.scope, f"{where}: scope")
        if scope is None:
            return
        row = await self._known_rule(entry, where)
        fields = as_json(entry) | {
            "code": self._code_of(entry, row, where),
            "scope": scope,
            "target": {"kind": kind, "value": value},
            "valid_from": _with_zone(entry.valid_from, zone),
            "valid_until": _with_zone(entry.valid_until, zone),
        }
        same = RuleRow.id == (row.id if row is not None else 0)
        await self._put(rules.RESOURCE, where, same, fields, after=partial(self._sign, entry))

    async def _known_rule(self, entry: RuleEntry, where: str) -> RuleRow | None:
        """The rule of the number that is wanted; else of that code; else the one without a code that an export calls
        so, where it speaks of the same.
        """
        wanted = self._ids.get(where)
        row: RuleRow | None = await self._session.get(RuleRow, wanted) if wanted else None
        if row is None:
            row = await self._session.scalar(select(RuleRow).where(RuleRow.code == entry.code))
        number = unnamed_rule(entry.code)
        if row is None and number:
            row = await self._session.get(RuleRow, number)
            named = row is not None and (row.exception or row.code)
            if row is None or named or f"{row.target_kind}:{target_of(row).value}" != entry.target:
                return None
        return row

    def _code_of(self, entry: RuleEntry, row: RuleRow | None, where: str) -> str | None:
        """A rule's code, which is for good; a rule that had none keeps having none."""
        number = unnamed_rule(entry.code)
        if row is not None:
            return row.code or (None if row.id == number else entry.code)
        return None if number and self._ids.get(where) == number else entry.code

    async def _exception(self, entry: ExceptionEntry, zone: zoneinfo.ZoneInfo) -> None:
        where = f"exception {entry.code}"
        if self._author:
            message = "exceptions are asked for by one person and approved by another, never imported by one"
            self.errors.append(FieldError(field=where, message=message, expected="`saring exceptions request`"))
            return
        scope = await self._scope(entry.scope, f"{where}: scope")
        if scope is None:
            return
        known = select(ExceptionRow.id).where(ExceptionRow.code == entry.code)
        is_new = await self._session.scalar(known) is None
        begins, ends = (_in_zone(moment, zone) for moment in (entry.valid_from, entry.valid_until))
        try:
            act = await import_exception(self._session, entry, scope, begins, ends, self.now_s)
        except Problem as problem:
            self._note(where, problem.errors)
            return
        counter = self.unchanged if act is None else self.created if is_new else self.changed
        counter[KIND] += 1
        self.acts += [act] if act is not None else []

    def _sign(self, entry: RuleEntry, row: RuleRow, before: dict[str, Any] | None) -> None:
        if not self._author:
            row.author = entry.author
            return
        now = as_json(rules.show(row))
        if before is not None and all(before[name] == now[name] for name in rules.RESOURCE.input.model_fields):
            row.author = before["author"]
        else:
            row.author = self._author

    async def _scope(self, text: str, where: str) -> dict[str, Any] | None:
        kind, _, path = text.partition(":")
        if kind == "regency":
            return {"kind": "regency"}
        agency_code, _, unit_code = path.partition("/")
        statement = select(AgencyRow.id).where(AgencyRow.code == agency_code)
        if kind == "unit":
            statement = select(UnitRow.id).join(AgencyRow, AgencyRow.id == UnitRow.agency_id)
            statement = statement.where(AgencyRow.code == agency_code, UnitRow.code == unit_code)
        found = await self._session.scalar(statement)
        if found is None:
            message = f"there is no such {kind}"
            self.errors.append(FieldError(field=where, message=message, value=text))
            return None
        return {"kind": kind, "id": found}

    async def _agency_id(self, code: str, where: str) -> int | None:
        scope = await self._scope(f"agency:{code}", where)
        return None if scope is None else int(scope["id"])

    async def _each(
        self,
        resource: Resource[RowT, InT, OutT],
        entries: Iterable[Strict],
        same: Callable[[Any], ColumnElement[bool]],
        key: str = "code",
    ) -> None:
        for entry in entries:
            where = f"{resource.kind} {getattr(entry, key)}"
            await self._put(resource, where, same(entry), as_json(entry))

    async def _put(
        self,
        resource: Resource[RowT, InT, OutT],
        where: str,
        same: ColumnElement[bool],
        fields: dict[str, Any],
        only: tuple[str, ...] = (),
        after: Callable[[RowT, dict[str, Any] | None], None] | None = None,
    ) -> RowT | None:
        """Writes the row that is the ``same``, or a new one; None, and the mistakes noted, where it cannot be written.

        ``only``: fields that an import decides; the others stay as people edited them.
        """
        row = await self._session.scalar(select(resource.row).where(same))
        before = as_json(resource.show(row)) if row is not None else None
        kept: dict[str, Any] = {}
        if before is not None and only:
            kept = {name: before[name] for name in resource.input.model_fields if name not in only}
        named = {name: value for name, value in fields.items() if name in resource.input.model_fields}
        try:
            data = check_body(resource.input, json.dumps(kept | named).encode())
            if row is None:
                row = new_row(resource.row, self.now_s)
            await resource.fill(self._session, row, data, Editor("import", self.now_s))
        except Problem as problem:
            self._note(where, problem.errors)
            return None
        if after is not None:
            after(row, before)
        wanted = self._ids.get(where) if before is None else None
        if wanted is not None and await self._session.get(resource.row, wanted) is None:
            row.id = wanted
        self._session.add(row)
        await self._session.flush()
        self.written[resource.kind].add(row.id)
        self._count(resource.kind, row, resource.label(row), before, as_json(resource.show(row)))
        return row

    def _count(self, kind: str, row: Edited, label: str, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        if before is None:
            self.created[kind] += 1
            self.acts.append(Act("create", kind, row.id, label, after=after))
        elif before == after:
            self.unchanged[kind] += 1
        else:
            self.changed[kind] += 1
            row.version += 1
            row.changed_s = self.now_s
            was, is_now = changed(before, after)
            self.acts.append(Act("update", kind, row.id, label, was, is_now))

    def _note(self, where: str, errors: list[FieldError]) -> None:
        self.errors += [error.model_copy(update={"field": f"{where}: {error.field}"}) for error in errors]


def _with_zone(moment: datetime | None, zone: zoneinfo.ZoneInfo) -> str | None:
    return None if moment is None else _in_zone(moment, zone).isoformat()


def _in_zone(moment: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
