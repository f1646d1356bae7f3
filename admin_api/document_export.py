"""The control database as a regency document (``seed_document.py``): the inverse of importing it.

Everything that people edit and that policy is made of, in codes instead of identifiers and sorted, so that equal
databases give equal documents whatever the order of edits. Left out are secrets (a list's TSIG key), people and their
tokens, and what has a life of its own: exceptions and pauses.

It is read at every publication, so plain columns are read and no rows are made of them. ``Exported.ids`` keeps which
row each entry came from: the query log knows rules by number, and a restored rule must have the one it had.
"""

from __future__ import annotations

import ipaddress
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import (
    AgencyRow,
    Base,
    Blocklist,
    Category,
    DeviceRow,
    ForwarderRow,
    HolidayRow,
    MustResolveName,
    NetworkRow,
    PeriodRow,
    PeriodWindowRow,
    ProtectedName,
    RegencyRow,
    RuleRow,
    ScheduleOverrideRow,
    ScheduleRow,
    Service,
    ServiceName,
    UnitRow,
    WindowRow,
)
from admin_api.models.catalog import blocklist_category
from admin_api.models.tenants import forwarder_agency
from admin_api.schedule_schemas import Period, days_of_bits
from admin_api.schemas import Basis, Strict
from admin_api.seed_document import (
    UNNAMED_RULE,
    AgencyEntry,
    CategoryEntry,
    DeviceEntry,
    ForwarderEntry,
    HolidayEntry,
    ListEntry,
    NamedEntry,
    RegencyEntry,
    RuleEntry,
    ScheduleEntry,
    ScheduleOverrideEntry,
    ServiceEntry,
    UnitEntry,
)

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """``document``: in the shape of ``seed_document.Document``, all keys there, values as in JSON.

    ``ids``: by what an import calls an entry (``agency dinkes``, ``rule medsos``) the identifier of its row.
    """

    document: dict[str, Any]
    ids: dict[str, int] = field(default_factory=dict)


async def export_document(session: AsyncSession) -> Exported:
    """The database as this session sees it."""
    return await _Reader(session).read()


def rule_code(code: str | None, rule_id: int) -> str:
    """What a rule is called in documents."""
    return code or f"{UNNAMED_RULE}{rule_id}"


class _Reader:
    """Reads every table once. Children come before parents, so that an entry is made whole."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._ids: dict[str, int] = {}
        self._agencies: dict[int, str] = {}
        self._units: dict[int, str] = {}  # agency/unit

    async def read(self) -> Exported:
        regency = (await self._rows(RegencyRow))[0]
        agencies = await self._tenants()
        categories = await self._rows(Category)
        category_codes = _codes(categories)
        schedules = await self._rows(ScheduleRow)
        schedule_codes = _codes(schedules)
        lists = await self._rows(Blocklist)
        services = await self._rows(Service)
        targets = {
            "category_id": category_codes,
            "blocklist_id": _codes(lists),
            "service_id": _codes(services),
        }
        document: dict[str, Any] = {
            "regency": _entry(RegencyEntry, regency, answer=_answer(regency)),
            "protected": await self._names("protected", ProtectedName),
            "must_resolve": await self._names("must_resolve", MustResolveName),
            "agency": agencies,
            "forwarder": await self._forwarders(),
            "device": await self._devices(),
            "category": self._keep("category", [(row, _category(row)) for row in categories]),
            "service": await self._services(services, category_codes),
            "list": await self._lists(lists, category_codes),
            "schedule": await self._schedules(schedules),
            "schedule_override": await self._overrides(schedule_codes),
            "holiday": await self._holidays(),
            "rule": await self._rules(targets, schedule_codes, zoneinfo.ZoneInfo(regency["zone"])),
            "exception": [],
        }
        return Exported(document, self._ids)

    async def _rows(self, source: type[Base] | Table, *order: str) -> Sequence[RowMapping]:
        table = source if isinstance(source, Table) else source.__table__
        statement = select(*table.columns).order_by(*(table.columns[name] for name in order))
        return (await self._session.execute(statement)).mappings().all()

    def _keep(self, kind: str, made: Iterable[tuple[RowMapping, Entry]], key: str = "code") -> list[Entry]:
        """The entries in the order of their keys; notes which row each came from."""
        found = sorted(made, key=lambda one: str(one[1][key]))
        self._ids |= {f"{kind} {entry[key]}": row["id"] for row, entry in found}
        return [entry for _, entry in found]

    async def _tenants(self) -> list[Entry]:
        networks: dict[tuple[int, int], list[str]] = defaultdict(list)
        for row in await self._rows(NetworkRow):
            networks[row["agency_id"], row["unit_id"] or 0].append(row["cidr"])
            self._ids[f"network {row['cidr']}"] = row["id"]
        agencies = await self._rows(AgencyRow)
        self._agencies = _codes(agencies)
        units: dict[int, list[Entry]] = defaultdict(list)
        for row in await self._rows(UnitRow, "code"):
            agency_id = row["agency_id"]
            agency = self._agencies[agency_id]
            self._units[row["id"]] = f"{agency}/{row['code']}"
            self._ids[f"agency {agency} unit {row['code']}"] = row["id"]
            units[agency_id].append(_entry(UnitEntry, row, networks=sorted_ranges(networks[agency_id, row["id"]])))
        return self._keep(
            "agency",
            [
                (row, _entry(AgencyEntry, row, networks=sorted_ranges(networks[row["id"], 0]), unit=units[row["id"]]))
                for row in agencies
            ],
        )

    async def _names(self, section: str, source: type[Base]) -> list[str | Entry]:
        rows = await self._rows(source, "name")
        self._ids |= {f"{section} {row['name']}": row["id"] for row in rows}
        return [_entry(NamedEntry, row) if row["note"] else row["name"] for row in rows]

    async def _forwarders(self) -> list[Entry]:
        agencies = _gathered(await self._rows(forwarder_agency), "forwarder_id", "agency_id", self._agencies)
        rows = await self._rows(ForwarderRow)
        return self._keep(
            "forwarder", [(row, _entry(ForwarderEntry, row, agencies=agencies[row["id"]])) for row in rows], "cidr"
        )

    async def _devices(self) -> list[Entry]:
        rows = await self._rows(DeviceRow, "kind", "value")
        self._ids |= {f"device {row['kind']} {row['value']}": row["id"] for row in rows}
        return [_entry(DeviceEntry, row, tenant=self._scope(row)) for row in rows]

    async def _services(self, rows: Sequence[RowMapping], categories: Mapping[int, str]) -> list[Entry]:
        names: dict[int, list[str]] = defaultdict(list)
        for row in await self._rows(ServiceName, "service_id", "position"):
            names[row["service_id"]].append(row["name"])
        return self._keep(
            "service",
            [
                (row, _entry(ServiceEntry, row, category=categories[row["category_id"]], names=names[row["id"]]))
                for row in rows
            ],
        )

    async def _lists(self, rows: Sequence[RowMapping], categories: Mapping[int, str]) -> list[Entry]:
        feeds = _gathered(await self._rows(blocklist_category), "blocklist_id", "category_id", categories)
        return self._keep(
            "blocklist",
            [
                (
                    row,
                    _entry(
                        ListEntry, row, categories=feeds[row["id"]], landing=row["landing"].split(), tsig_secret=None
                    ),
                )
                for row in rows
            ],
        )

    async def _schedules(self, rows: Sequence[RowMapping]) -> list[Entry]:
        windows: dict[int, list[Entry]] = defaultdict(list)
        for row in await self._rows(WindowRow, "schedule_id", "position"):
            windows[row["schedule_id"]].append(_window(row))
        of_periods: dict[tuple[int, int], list[Entry]] = defaultdict(list)
        for row in await self._rows(PeriodWindowRow, "schedule_id", "period", "position"):
            of_periods[row["schedule_id"], row["period"]].append(_window(row))
        periods: dict[int, list[Entry]] = defaultdict(list)
        for row in await self._rows(PeriodRow, "schedule_id", "position"):
            hours = of_periods[row["schedule_id"], row["position"]]
            periods[row["schedule_id"]].append(_entry(Period, row, windows=hours))
        return self._keep(
            "schedule",
            [(row, _entry(ScheduleEntry, row, windows=windows[row["id"]], periods=periods[row["id"]])) for row in rows],
        )

    async def _overrides(self, schedules: Mapping[int, str]) -> list[Entry]:
        made = []
        for row in await self._rows(ScheduleOverrideRow):
            named = {"schedule": schedules[row["schedule_id"]], "other": schedules.get(row["other_id"])}
            made.append((row, _entry(ScheduleOverrideEntry, row, scope=self._scope(row), **named)))
        made.sort(key=lambda one: (one[1]["schedule"], one[1]["scope"]))
        self._ids |= {f"schedule_override {one['schedule']} of {one['scope']}": row["id"] for row, one in made}
        return [entry for _, entry in made]

    async def _holidays(self) -> list[Entry]:
        return self._keep("holiday", [(row, _entry(HolidayEntry, row)) for row in await self._rows(HolidayRow)], "date")

    async def _rules(
        self, targets: Mapping[str, Mapping[int, str]], schedules: Mapping[int, str], zone: zoneinfo.ZoneInfo
    ) -> list[Entry]:
        made = []
        for row in await self._rows(RuleRow):
            if row["exception"]:
                continue
            named = [codes[row[column]] for column, codes in targets.items() if row[column] is not None]
            value = named[0] if named else row["target_text"] or ""
            entry = _entry(
                RuleEntry,
                row,
                code=rule_code(row["code"], row["id"]),
                scope=self._scope(row),
                target=f"{row['target_kind']}:{value}",
                answer=_answer(row),
                schedule=schedules.get(row["schedule_id"]),
                valid_from=local_text(row["valid_from_s"], zone),
                valid_until=local_text(row["valid_until_s"], zone),
                basis=_letter(row),
            )
            made.append((row, entry))
        # The regency's first, then agency by agency: as people read them.
        return sorted(self._keep("rule", made), key=lambda entry: (entry["scope"] != "regency", _place(entry["scope"])))

    def _scope(self, row: RowMapping) -> str:
        if row["unit_id"] is not None:
            return f"unit:{self._units[row['unit_id']]}"
        return "regency" if row["agency_id"] is None else f"agency:{self._agencies[row['agency_id']]}"


def _entry(model: type[Strict], row: RowMapping, **made: Any) -> Entry:
    """The fields of an entry: what was made of other rows, and for the rest the column of the same name."""
    return {name: made[name] if name in made else row[name] for name in model.model_fields}


def _codes(rows: Iterable[RowMapping]) -> dict[int, str]:
    return {row["id"]: row["code"] for row in rows}


def _gathered(rows: Iterable[RowMapping], owner: str, other: str, codes: Mapping[int, str]) -> dict[int, list[str]]:
    """The codes of what a table of pairs gives to each owner, sorted."""
    found: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        found[row[owner]].append(codes[row[other]])
    return defaultdict(list, {owner_id: sorted(names) for owner_id, names in found.items()})


def sorted_ranges(cidrs: Iterable[str]) -> list[str]:
    """Ranges in the order of addresses, IPv4 first; what is none (a row edited by hand) comes last."""
    return sorted(cidrs, key=_first_address)


def _first_address(cidr: str) -> tuple[int, bytes, str]:
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError:
        return 7, b"", cidr
    return network.version, network.network_address.packed + bytes((network.prefixlen,)), cidr


def _place(scope: str) -> tuple[str, str]:
    """An agency's own before its units'."""
    path = scope.partition(":")[2]
    return path.partition("/")[0], path


def _category(row: RowMapping) -> Entry:
    return _entry(CategoryEntry, row, answer=_answer(row))


def _answer(row: RowMapping) -> Entry | None:
    if row["answer_kind"] is None:
        return None
    return {
        "kind": row["answer_kind"],
        "ttl_s": row["answer_ttl_s"],
        "address4": row["answer_address4"] or None,
        "address6": row["answer_address6"] or None,
        "name": row["answer_name"] or None,
    }


def _letter(row: RowMapping) -> Entry:
    letter = {name: row[f"basis_{name}"] for name in Basis.model_fields}
    return letter | {"date": letter["date"] or None}


def _window(row: RowMapping) -> Entry:
    return {
        "days": days_of_bits(row["days"]),
        "start": f.clock_text(row["start_min"]),
        "end": f.clock_text(row["end_min"]),
    }


def local_text(at_s: int | None, zone: zoneinfo.ZoneInfo) -> str | None:
    """As local time with its offset; in UTC where that is not one of whole minutes, which nobody's format has."""
    if at_s is None:
        return None
    local = datetime.fromtimestamp(at_s, zone)
    whole = not (local.utcoffset() or timedelta()) % timedelta(minutes=1)
    return (local if whole else local.astimezone(UTC)).isoformat()
