"""Exceptions as the command line reads and shows them: tenants in codes, targets as ``kind:value``."""

from __future__ import annotations

import asyncio
from typing import Any

import click
import pydantic
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.exception_rows import facts_of
from admin_api.features.exception_schemas import show
from admin_api.features.rule_schemas import RuleScope, RuleTarget
from admin_api.models import AgencyRow, ExceptionRow, UnitRow
from admin_api.negative import negative_grounds
from admin_api.schemas import canonical_address
from admin_api.tenant_of_client import scope_of_client
from admin_api.to_policy import load_policy
from blocklists.library import Library
from policy.model import ScopeKind, TargetKind


def target_named(text: str) -> RuleTarget:
    """The target of ``kind:value``. Ends the command where it is none."""
    kind, _, value = text.partition(":")
    kinds = ", ".join(kind.value for kind in TargetKind)
    if kind not in list(TargetKind):
        raise click.UsageError(f"{text!r} is no target; write KIND:VALUE, the kind being one of {kinds}")
    try:
        return RuleTarget(kind=TargetKind(kind), value=value)
    except pydantic.ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise click.UsageError(f"{text!r}: {said}") from None


async def scope_named(session: AsyncSession, text: str | None, client: str | None) -> RuleScope:
    """The scope of ``regency``, ``agency`` or ``agency/unit``, else that of the client. Raises ``LookupError``."""
    if text is None:
        address = _address(client or "")
        found = await scope_of_client(session, address)
        if found is None:
            raise LookupError(f"{address} is in no registered network; say with --scope for whom it is")
        return found
    if text == "regency":
        return RuleScope(kind=ScopeKind.REGENCY)
    tenant = await tenant_named(session, text)
    kind = ScopeKind.UNIT if isinstance(tenant, UnitRow) else ScopeKind.AGENCY
    return RuleScope(kind=kind, id=tenant.id)


async def tenant_named(session: AsyncSession, text: str) -> AgencyRow | UnitRow:
    """The agency or unit of ``agency`` or ``agency/unit``. Raises ``LookupError``."""
    code, _, unit_code = text.partition("/")
    agency = await session.scalar(select(AgencyRow).where(AgencyRow.code == code))
    if agency is None:
        raise LookupError(f"there is no agency {code}")
    if not unit_code:
        return agency
    statement = select(UnitRow).where(UnitRow.agency_id == agency.id, UnitRow.code == unit_code)
    unit = await session.scalar(statement)
    if unit is None:
        raise LookupError(f"{code} has no unit {unit_code}")
    return unit


async def view_of(session: AsyncSession, row: ExceptionRow, now_s: float) -> dict[str, Any]:
    """As the API shows it, and in words for whom and of what it is."""
    shown = show(row, now_s)
    view = shown.model_dump(mode="json")
    view["for"] = await _scope_words(session, row)
    view["lets"] = f"{shown.target.kind}:{shown.target.value}"
    return view


async def considered(session: AsyncSession, row: ExceptionRow, library: Library, now_s: float) -> dict[str, Any]:
    """The same, with what makes it let negative content through."""
    policy = await load_policy(session)
    _, target = facts_of(row)
    grounds = await asyncio.to_thread(negative_grounds, policy, library, target)
    return await view_of(session, row, now_s) | {"negative": list(grounds)}


def told(view: dict[str, Any]) -> list[str]:
    """The lines of ``saring exceptions show``."""
    lines = [
        f"exception {view['id']} is {view['state']}: {view['title']}",
        f"  lets {view['lets']} through for {view['for']}"
        + (f" while {view['schedule']} is open" if view["schedule"] else ""),
        f"  asked for by {view['requested_by']} on {view['requested']} ({view['contact'] or 'no contact'})"
        + (f" from {view['client']}" if view["client"] else ""),
        f"  because: {view['reason']}",
        f"  for {view['duration_s'] / 86_400:g} days" + (f" from {view['starts']}" if view["starts"] else ""),
    ]
    basis = view["basis"]
    if basis["number"]:
        lines.append(f"  letter {basis['number']} of {basis['date'] or '-'}, {basis['signer'] or '-'}")
    if view["decided_by"]:
        note = f": {view['decision_note']}" if view["decision_note"] else ""
        lines.append(f"  decided by {view['decided_by']} on {view['decided']}{note}")
    if view["valid_until"]:
        lines.append(f"  in force from {view['valid_from']} until {view['valid_until']} as rule {view['rule_id']}")
    if view["ended"]:
        lines.append(f"  ended {view['ended']} by {view['ended_by'] or 'itself'}: {view['end_reason']}")
    lines += [f"  ! lets negative content through: {ground}" for ground in view.get("negative", ())]
    return lines


async def _scope_words(session: AsyncSession, row: ExceptionRow) -> str:
    if row.scope_kind == ScopeKind.REGENCY.value:
        return "the regency"
    agency = await session.get(AgencyRow, row.agency_id) if row.agency_id is not None else None
    code = agency.code if agency is not None else f"agency {row.agency_id}"
    if row.unit_id is None:
        return code
    unit = await session.get(UnitRow, row.unit_id)
    return f"{code}/{unit.code if unit is not None else row.unit_id}"


def _address(text: str) -> str:
    try:
        return canonical_address(text)
    except ValueError:
        raise LookupError(f"{text!r} is not an IPv4 or IPv6 address") from None
