"""Bringing the control database to what a document says: only what differs is written, what is not in it is deleted.

One piece of work for ``bulk.run_bulk``: rehearsed or applied, all or nothing, an audit row for each row. Exceptions and
pauses, people and tokens are not the document's, and stay as they are; what they still refer to stays, too, and is
named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.bulk import BulkRefusedError
from admin_api.document_compare import canonical, compare, only
from admin_api.document_export import Exported, export_document
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
    rules,
    schedule_overrides,
    schedules,
    units,
)
from admin_api.journal import Act
from admin_api.rest.resource import MAX_NAMED, Resource
from admin_api.schemas import as_json
from admin_api.seed_document import Document, parse_document
from admin_api.seed_rows import Importer
from admin_api.to_policy import SourceRow, load_sources

# In the order of deletion: what refers to others goes before them. By how an import calls them.
_DELETED: Final[tuple[tuple[str, Resource[Any, Any, Any]], ...]] = (
    ("rule", rules.RESOURCE),
    ("schedule_override", schedule_overrides.RESOURCE),
    ("device", devices.RESOURCE),
    ("forwarder", forwarders.RESOURCE),
    ("network", networks.RESOURCE),
    ("unit", units.RESOURCE),
    ("agency", agencies.RESOURCE),
    ("service", catalog_services.RESOURCE),
    ("blocklist", blocklists.RESOURCE),
    ("category", categories.RESOURCE),
    ("schedule", schedules.RESOURCE),
    ("holiday", holidays.RESOURCE),
    ("protected", protected_names.RESOURCE),
    ("must_resolve", must_resolve_names.RESOURCE),
)


@dataclass(frozen=True, slots=True)
class Replaced:
    """``stays``: what was not done as the document says, each with the reason. ``sources``: all lists afterwards."""

    stays: tuple[str, ...]
    sources: tuple[SourceRow, ...]


async def replace_document(
    session: AsyncSession,
    document: Document,
    now_s: int,
    *,
    ids: Mapping[str, int] | None = None,
    author: str = "",
    current: Exported | None = None,
) -> tuple[Replaced, list[Act]]:
    """Writes the document; the acts are for the journal.

    ``ids`` and ``author``: see ``Importer``. ``current``: what the session sees, where that is known already.
    Raises ``BulkRefusedError`` with every mistake.
    """
    current = current or await export_document(session)
    target = canonical(document)
    asked = [entry["title"] for entry in target["exception"]]
    found = compare(current.document, target)
    importer = Importer(session, now_s, ids, author)
    with session.no_autoflush:
        await importer.run(parse_document(only(target, found.written)))
    if importer.errors:
        raise BulkRefusedError(importer.errors)
    acts, stays = list(importer.acts), [f"exception '{title}' is not imported: it must be asked for" for title in asked]
    written = {(kind, number) for kind, numbers in importer.written.items() for number in numbers}
    for kind, resource in _DELETED:
        gone = [current.ids[where] for where in found.gone if _kind(where) == kind]
        more, told = await _delete(session, resource, [one for one in gone if (resource.kind, one) not in written])
        acts += more
        stays += told
    return Replaced(tuple(stays), tuple(await load_sources(session))), acts


def _kind(where: str) -> str:
    kind = where.partition(" ")[0]
    return "unit" if kind == "agency" and " unit " in where else kind


async def _delete(
    session: AsyncSession, resource: Resource[Any, Any, Any], ids: Iterable[int]
) -> tuple[list[Act], list[str]]:
    acts: list[Act] = []
    stays: list[str] = []
    for item_id in ids:
        row = await session.get_one(resource.row, item_id)
        holders = await _holders(session, resource, item_id)
        if holders:
            stays.append(f"{resource.kind} {resource.label(row)} stays: {holders} still refers to it")
            continue
        acts.append(Act("delete", resource.kind, item_id, resource.label(row), before=as_json(resource.show(row))))
        await session.delete(row)
    await session.flush()
    return acts, stays


async def _holders(session: AsyncSession, resource: Resource[Any, Any, Any], item_id: int) -> str:
    named: list[str] = []
    for reference in resource.references:
        statement = select(reference.key).where(reference.column == item_id).order_by(reference.key).limit(MAX_NAMED)
        numbers = [str(number) for number in await session.scalars(statement)]
        if numbers:
            named.append(f"{reference.kind} {', '.join(numbers)}")
    return "; ".join(named)
