"""What a fetch gives, wherever it was from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Validators:
    """What a source said of the content it sent last (RFC 9110 8.8); empty where it said nothing."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class NotModified:
    """The source says that its content is the one already known."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The content as text in ``path``, inflated. ``location`` is where it came from after redirects."""

    path: Path
    sha256: str
    size_bytes: int
    validators: Validators
    location: str
