"""Where a list comes from and what may be expected of it: everything an administrator states about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

AUTO: Final = "auto"
FORMAT_NAMES: Final = (AUTO, "plain", "hosts", "wildcard")  # ``formats/detect.py`` registers them
MIB: Final = 1 << 20

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PARSER_REVISION: Final = 1  # raise it where the same file gives other entries than before


@dataclass(frozen=True, slots=True)
class Source:
    """One list's source and limits.

    ``location`` is an http(s) URL, a file:// URL or a path. ``subdomains`` None leaves the meaning to the format.
    ``max_size_bytes`` holds for the download and, separately, for the text in it; ``shrink_limit`` is the share of
    the last good version's names that an update may lose. Raises ``ValueError`` where a value makes no sense,
    naming all that do not.
    """

    code: str
    location: str
    format: str = AUTO
    subdomains: bool | None = None
    max_size_bytes: int = 1024 * MIB
    max_entries: int = 20_000_000
    min_entries: int = 1
    shrink_limit: float = 0.3
    allow_private: bool = False
    timeout_s: float = 900.0

    def __post_init__(self) -> None:
        # The code becomes a directory name.
        wrong = [] if _CODE.fullmatch(self.code) else [f"code {self.code!r}: a-z, 0-9, - and _, at most 64"]
        if not self.location:
            wrong.append("location is empty: a URL or a path is due")
        if self.format not in FORMAT_NAMES:
            wrong.append(f"format {self.format!r}: {', '.join(FORMAT_NAMES)}")
        if not 0 <= self.shrink_limit <= 1:
            wrong.append(f"shrink_limit {self.shrink_limit}: from 0 to 1")
        for label, value in (
            ("max_size_bytes", self.max_size_bytes),
            ("max_entries", self.max_entries),
            ("timeout_s", self.timeout_s),
        ):
            if value <= 0:
                wrong.append(f"{label} {value}: above 0")
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def recipe(self) -> str:
        """What, besides the content, decides about the entries: where it changes, the same content is parsed anew."""
        return f"{_PARSER_REVISION}/{self.format}/{self.subdomains}"
