"""All agencies, units and networks at once, as CSV: bringing them to what a file says, and writing that file."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import reading
from admin_api.journal import Act
from admin_api.models import RegencyRow
from admin_api.rest.auth import Scope
from admin_api.rest.edit import edit_many
from admin_api.rest.problem import invalid
from admin_api.rest.route import API, Call, Parameters, Reply, Route
from admin_api.schemas import Strict
from admin_api.tenant_csv import COLUMNS, INDONESIAN, MAX_SIZE_BYTES, CsvError, read_csv, write_csv
from admin_api.tenant_import import TenantRows, import_tenants
from admin_api.tenant_plan import Fate, Kind, Plan, beside_losses, lines_of
from policy.model import Language

CSV_TYPE = "text/csv"


class TenantImportQuery(Parameters):
    """How to import."""

    dry_run: Annotated[bool, Field(strict=False)] = True
    """Only show what would be done; false: do it."""
    prune: Annotated[bool, Field(strict=False)] = False
    """Delete what the file does not name; without it that is left alone."""


class TenantStep(Strict):
    """What becomes of an agency, a unit or a network."""

    fate: Fate
    kind: Kind
    label: str
    """``agency``, ``agency/unit`` or the network."""
    before: dict[str, Any]
    after: dict[str, Any]


class TenantLoss(Strict):
    """A network inside of another tenant's, from now on: the longer prefix wins."""

    network: str
    winner: str
    outer: str
    loser: str
    addresses: str


class TenantImportOutput(Strict):
    """What an import does, or would do."""

    applied: bool
    unchanged: int
    steps: list[TenantStep]
    """All but what stays the same."""
    losses: list[TenantLoss]
    """Who loses addresses to whom, that did not before."""
    warnings: list[str]


async def bring(call: Call) -> Reply:
    """Brings all tenants to what the file says: all of it, or with a mistake nothing."""
    query = call.query_as(TenantImportQuery)

    async def work(session: AsyncSession) -> tuple[Plan, list[Act]]:
        return await import_tenants(session, lines, int(call.now_s()), prune=query.prune)

    try:
        lines = await asyncio.to_thread(read_csv, call.body)
        done, headers = await edit_many(call, work, apply=not query.dry_run)
    except CsvError as error:
        raise invalid(*error.errors) from None
    told = [step for step in done.result.steps if step.fate is not Fate.SAME]
    shown = TenantImportOutput(
        applied=done.applied,
        unchanged=len(done.result.steps) - len(told),
        steps=[
            TenantStep(
                fate=step.fate, kind=step.kind, label=step.label, before=dict(step.before), after=dict(step.after)
            )
            for step in told
        ],
        losses=[
            TenantLoss(
                network=loss.network, winner=loss.winner, outer=loss.outer, loser=loss.loser, addresses=loss.addresses
            )
            for loss in done.result.losses
        ],
        warnings=beside_losses(done.warnings),
    )
    return Reply(shown, headers=headers)


async def export(call: Call) -> Reply:
    """The file that importing changes nothing."""
    async with reading(call.services.sessions) as session:
        return Reply((await exported(session)).encode())


async def exported(session: AsyncSession) -> str:
    """All tenants as CSV, in the regency's language."""
    rows = TenantRows(session)
    await rows.load()
    indonesian = await session.scalar(select(RegencyRow.language)) == Language.ID.value
    header, words = (INDONESIAN, ("tidak", "ya")) if indonesian else (COLUMNS, ("no", "yes"))
    return write_csv(lines_of(rows.tenants()), header, words)


ROUTES = (
    Route("POST", f"{API}/import/tenants", "tenants", "Import agencies, units and networks from CSV", bring,
          Scope.POLICY_WRITE, "import_tenants", response=TenantImportOutput, query_schema=TenantImportQuery,
          text_body=CSV_TYPE, max_body_size_bytes=MAX_SIZE_BYTES, publishes=True,
          description="One line a network: agency, agency_name, unit, unit_name, network, allow_list_only. Shows what "
                      "would be done unless dry_run is false. Nothing is deleted unless prune is true."),
    Route("GET", f"{API}/export/tenants", "tenants", "Export agencies, units and networks as CSV", export,
          Scope.POLICY_READ, "export_tenants", media_type=CSV_TYPE,
          description="Importing it again changes nothing."),
)  # fmt: skip
