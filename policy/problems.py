"""What ``check`` reports: one finding about one field of one part of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """ERROR: some of the policy would have no effect at all. WARNING: it has, but hardly the intended one."""

    ERROR = "error"
    WARNING = "warning"


class Part(StrEnum):
    """The kind of thing a problem is about."""

    REGENCY = "regency"
    AGENCY = "agency"
    UNIT = "unit"
    NETWORK = "network"
    CATEGORY = "category"
    LIST = "list"
    SERVICE = "service"
    SCHEDULE = "schedule"
    HOLIDAY = "holiday"
    PROTECTED = "protected"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong (``message``), where (``part``, ``key``: id, code or text, ``field``), the way out (``remedy``)."""

    severity: Severity
    part: Part
    key: str
    field: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.part} {self.key}, {self.field}: {self.message}; {self.remedy}"


class Findings:
    """Collects problems in the order in which they are found."""

    __slots__ = ("problems",)

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, part: Part, key: str, field: str, message: str, remedy: str) -> None:
        """Notes that some of the policy would have no effect."""
        self.problems.append(Problem(Severity.ERROR, part, key, field, message, remedy))

    def warning(self, part: Part, key: str, field: str, message: str, remedy: str) -> None:
        """Notes that some of the policy has hardly the intended effect."""
        self.problems.append(Problem(Severity.WARNING, part, key, field, message, remedy))
