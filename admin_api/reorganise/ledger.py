"""What a reorganisation does and finds wrong, as it goes: acts for the journal, warnings, units' ways, mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from admin_api.journal import Act
from admin_api.models import Base, DeviceRow, ForwarderRow, NetworkRow, RuleRow, Token, UnitRow
from admin_api.models.base import Coded, Edited
from admin_api.rest.problem import FieldError, invalid

# How rows of each kind are called in the journal; others by their number.
_LABELS: Final[dict[type[Base], Callable[[Any], object]]] = {
    UnitRow: lambda row: row.code,
    NetworkRow: lambda row: row.cidr,
    ForwarderRow: lambda row: row.cidr,
    RuleRow: lambda row: row.title,
    DeviceRow: lambda row: f"{row.kind} {row.value}",
    Token: lambda row: row.title,
}


class Ledger:
    """Kept by one reorganisation."""

    def __init__(self, now_s: int) -> None:
        self.now_s = now_s
        self.acts: list[Act] = []
        self.warnings: list[str] = []
        self.units: list[tuple[str, str]] = []  # ``agency/unit`` before and after
        self._errors: list[FieldError] = []

    def moved(self, row: Any, source: str, heir: str) -> None:
        """A row that is another agency's from now on."""
        self.changed(row, {"agency": source}, {"agency": heir})

    def changed(self, row: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
        """A row that is another than it was."""
        if isinstance(row, Edited):
            row.version += 1
            row.changed_s = self.now_s
        self._note("update", row, before, after)

    def created(self, row: Any, after: dict[str, Any]) -> None:
        """A new row, which has its identifier."""
        self._note("create", row, None, after)

    def deleted(self, row: Any, before: dict[str, Any]) -> None:
        """A row that is not needed any more."""
        self._note("delete", row, before, None)

    def wrong(self, where: str, message: str, value: object, expected: str) -> None:
        """A mistake in what was asked."""
        self._errors.append(FieldError(field=where, message=message, value=value, expected=expected))

    def refuse(self) -> None:
        """Raises a 422 problem with all mistakes so far, if there are any."""
        if self._errors:
            raise invalid(*self._errors)

    def _note(self, action: str, row: Any, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        name = _LABELS.get(type(row))
        label = row.code if isinstance(row, Coded) else name(row) if name is not None else row.id
        self.acts.append(Act(action, row.__tablename__.replace("_", "-"), row.id, str(label), before, after))
