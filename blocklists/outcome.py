"""What became of a list in a sync."""

from __future__ import annotations

from dataclasses import dataclass

from blocklists import admission
from blocklists.state import Version


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The source has what was dealt with before."""

    code: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """A new version is in force. ``overridden``: the refusal that an operator set aside."""

    code: str
    version: Version
    overridden: admission.Refused | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The gate refused the update; the last good version stays in force."""

    code: str
    refused: admission.Refused


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no update to judge: the source could not be fetched, or its content not be worked on."""

    code: str
    sentence: str


Outcome = Unchanged | Admitted | Refused | Failed
