"""The control database's tables: what people edit, and the journal of their edits.

Job: tables, columns, relations and the constraints that hold whatever writes. Primary keys are never reused (the query
log keeps them); texts are canonical (``fields.py``).
Must not know: HTTP, policy evaluation.
"""

from admin_api.models.admission import ListOverride, MustResolveName
from admin_api.models.base import Base
from admin_api.models.catalog import Blocklist, Category, Service, ServiceName
from admin_api.models.journal import Audit, Revision
from admin_api.models.people import SetupCode, Token, User
from admin_api.models.rules import HolidayRow, ProtectedName, RuleRow, ScheduleRow, WindowRow
from admin_api.models.tenants import AgencyRow, NetworkRow, RegencyRow, UnitRow

__all__ = [
    "AgencyRow",
    "Audit",
    "Base",
    "Blocklist",
    "Category",
    "HolidayRow",
    "ListOverride",
    "MustResolveName",
    "NetworkRow",
    "ProtectedName",
    "RegencyRow",
    "Revision",
    "RuleRow",
    "ScheduleRow",
    "Service",
    "ServiceName",
    "SetupCode",
    "Token",
    "UnitRow",
    "User",
    "WindowRow",
]
