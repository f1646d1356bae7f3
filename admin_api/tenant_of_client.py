"""Whose a client is, by its address."""

from __future__ import annotations

import ipaddress

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.features.rule_schemas import RuleScope
from admin_api.models import NetworkRow
from policy.model import ScopeKind
from policy.networks import PrefixTable, parse


async def scope_of_client(session: AsyncSession, client: str) -> RuleScope | None:
    """The unit, else the agency, in whose network the address is; the longest prefix wins. None where in nobody's."""
    rows = (await session.scalars(select(NetworkRow))).all()
    found = PrefixTable((parse(row.cidr), row) for row in rows).find(ipaddress.ip_address(client).packed)
    if found is None:
        return None
    if found.unit_id is not None:
        return RuleScope(kind=ScopeKind.UNIT, id=found.unit_id)
    return RuleScope(kind=ScopeKind.AGENCY, id=found.agency_id)
