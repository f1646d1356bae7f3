"""The lines of lists behind an explanation's findings: where in the published text an entry stands.

An index holds entries, not lines; the text is kept by the library and read through, a second for some three million
lines. So it is done for lists of ordinary size, and for any only where it is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from blocklists.library import Library, LibraryError
from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, lower
from policy.explanation import Explanation, Finding

_CHEAP_NAMES: Final = 300_000
_MAX_LOOKED_UP: Final = 20


def with_lines(explanation: Explanation, library: Library, however_long: bool) -> Explanation:
    """The explanation with the lines that can be found; of lists up to 300,000 names, or of all."""
    places: dict[tuple[str, str, str], Finding] = {}
    look = _Look(library, however_long, places)
    hops = tuple(replace(hop, findings=tuple(map(look.up, hop.findings))) for hop in explanation.hops)
    return replace(explanation, findings=tuple(map(look.up, explanation.findings)), hops=hops)


class _Look:
    """Looks entries up, each once."""

    def __init__(self, library: Library, however_long: bool, places: dict[tuple[str, str, str], Finding]) -> None:
        self._library = library
        self._however_long = however_long
        self._places = places

    def up(self, finding: Finding) -> Finding:
        """The finding, with its line where it is an entry's and can be found."""
        if not finding.list_code or finding.list_line or not finding.matched or not _number(finding):
            return finding
        key = finding.list_code, finding.list_version, finding.matched
        if key not in self._places:
            if len(self._places) >= _MAX_LOOKED_UP:
                return finding
            self._places[key] = self._found(finding)
        found = self._places[key]
        return replace(finding, list_line=found.list_line, list_text=found.list_text, list_file=found.list_file)

    def _found(self, finding: Finding) -> Finding:
        number = _number(finding)
        try:
            version = self._library.state(finding.list_code).find(number)
            if version is None or (version.names > _CHEAP_NAMES and not self._however_long):
                return finding
            place = self._library.line_of(finding.list_code, number, lower(from_text(finding.matched)))
        except (LibraryError, NameSyntaxError, OSError, ValueError):
            return finding
        if place is None:
            return finding
        return replace(finding, list_line=place.line, list_text=place.text, list_file=place.file)


def _number(finding: Finding) -> int:
    """The library's number of the list's version, 0 where it has none: policies write ``7.1f3a...``."""
    text = finding.list_version.partition(".")[0]
    return int(text) if text.isascii() and text.isdigit() else 0
