"""What ``check`` and ``review`` report: one finding about one field of one part of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is. The first two are refused when somebody enters them; only the first keeps a policy unpublished."""

    ERROR = "error"  # some of the policy would have no effect at all
    HARM = "harm"  # it would cut people off from what must work: the regency's own names, Saring itself
    WARNING = "warning"  # it has an effect, but hardly the intended one
    NOTE = "note"  # it works; whoever wrote it may like to know


class Part(StrEnum):
    """The kind of thing a problem is about."""

    REGENCY = "regency"
    AGENCY = "agency"
    UNIT = "unit"
    NETWORK = "network"
    FORWARDER = "forwarder"
    DEVICE = "device"
    CATEGORY = "category"
    LIST = "list"
    SERVICE = "service"
    SCHEDULE = "schedule"
    OVERRIDE = "schedule override"
    HOLIDAY = "holiday"
    PAUSE = "pause"
    PROTECTED = "protected"
    RULE = "rule"


REFUSED = frozenset({Severity.ERROR, Severity.HARM})
"""What nobody can enter."""


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

    def harm(self, part: Part, key: str, field: str, message: str, remedy: str) -> None:
        """Notes that something which must work would not."""
        self.problems.append(Problem(Severity.HARM, part, key, field, message, remedy))

    def warning(self, part: Part, key: str, field: str, message: str, remedy: str) -> None:
        """Notes that some of the policy has hardly the intended effect."""
        self.problems.append(Problem(Severity.WARNING, part, key, field, message, remedy))

    def note(self, part: Part, key: str, field: str, message: str, remedy: str) -> None:
        """Notes what is worth knowing."""
        self.problems.append(Problem(Severity.NOTE, part, key, field, message, remedy))
