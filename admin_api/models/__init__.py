"""The control database's tables: what people edit, and the journal of their edits.

Job: tables, columns, relations and the constraints that hold whatever writes. Primary keys are never reused (the query
log keeps them); texts are canonical (``fields.py``).
Must not know: HTTP, policy evaluation.
"""

from admin_api.models.admission import ListOverride, MustResolveName
from admin_api.models.base import Base
from admin_api.models.catalog import Blocklist, Category, Service, ServiceName
from admin_api.models.exceptions import ExceptionRow
from admin_api.models.journal import Audit, Revision
from admin_api.models.pauses import PauseRow
from admin_api.models.people import SetupCode, Token, User
from admin_api.models.rules import ProtectedName, RuleRow
from admin_api.models.schedules import (
    HolidayRow,
    PeriodRow,
    PeriodWindowRow,
    ScheduleOverrideRow,
    ScheduleRow,
    WindowRow,
)
from admin_api.models.successions import SuccessionPartRow, SuccessionRow, SuccessionUnitRow
from admin_api.models.tenants import AgencyRow, DeviceRow, ForwarderRow, NetworkRow, RegencyRow, UnitRow

__all__ = [
    "AgencyRow",
    "Audit",
    "Base",
    "Blocklist",
    "Category",
    "DeviceRow",
    "ExceptionRow",
    "ForwarderRow",
    "HolidayRow",
    "ListOverride",
    "MustResolveName",
    "NetworkRow",
    "PauseRow",
    "PeriodRow",
    "PeriodWindowRow",
    "ProtectedName",
    "RegencyRow",
    "Revision",
    "RuleRow",
    "ScheduleOverrideRow",
    "ScheduleRow",
    "Service",
    "ServiceName",
    "SetupCode",
    "SuccessionPartRow",
    "SuccessionRow",
    "SuccessionUnitRow",
    "Token",
    "UnitRow",
    "User",
    "WindowRow",
]
