"""Whose something is: an agency, or one of its units, as bodies name it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.models import AgencyRow, UnitRow
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.resource import require


async def require_tenant(session: AsyncSession, agency_id: int, unit_id: int | None) -> None:
    """Raises a 422 problem where there is no such agency, or no such unit in it."""
    await require(session, AgencyRow, agency_id, "agency_id")
    if unit_id is None:
        return
    unit = await require(session, UnitRow, unit_id, "unit_id")
    if unit.agency_id != agency_id:
        message = "is a unit of another agency"
        raise invalid(FieldError(field="unit_id", message=message, value=unit_id, expected="a unit of agency_id"))
