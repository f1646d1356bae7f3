"""Asking for what belongs to an agency or a unit: the same two parameters wherever rows have both."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from admin_api.models import DeviceRow, NetworkRow, RuleRow
from admin_api.rest.paging import PageQuery
from admin_api.schemas import QueryId


class TenantQuery(PageQuery):
    """Which rows, by whose they are."""

    agency_id: QueryId | None = None
    unit_id: QueryId | None = None


def tenant_conditions(
    model: type[DeviceRow] | type[NetworkRow] | type[RuleRow], query: PageQuery
) -> list[ColumnElement[bool]]:
    """The filters that a ``TenantQuery`` asks for; none of another query."""
    found: list[ColumnElement[bool]] = []
    if isinstance(query, TenantQuery):
        if query.agency_id is not None:
            found.append(model.agency_id == query.agency_id)
        if query.unit_id is not None:
            found.append(model.unit_id == query.unit_id)
    return found
