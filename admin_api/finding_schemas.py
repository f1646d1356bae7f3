"""What there is to say about the policy, as the API says it."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from policy.problems import Part, Problem, Severity


class Finding(BaseModel):
    """One finding about one field of one part of the policy."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    severity: Severity
    """error and harm are refused when entered; warning: it hardly does what is meant; note: worth knowing."""
    part: Part
    key: str
    """Of that part: an identifier, a code or a text."""
    field: str
    message: str
    remedy: str
    """The way out."""


def findings_of(problems: Iterable[Problem]) -> list[Finding]:
    """The problems in the order in which they were found."""
    return [
        Finding(
            severity=problem.severity,
            part=problem.part,
            key=problem.key,
            field=problem.field,
            message=problem.message,
            remedy=problem.remedy,
        )
        for problem in problems
    ]
