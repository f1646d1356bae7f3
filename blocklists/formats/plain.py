"""Plain names, one a line; comments with ``#``, ``!``, ``;`` or ``//``. By default the name and all below it."""

from __future__ import annotations

import re
from typing import Final

from blocklists.entry import EXACT, SUBTREE
from blocklists.formats.bulk import names_of
from blocklists.formats.harvest import Harvest, Syntax
from blocklists.formats.odd import is_comment, settle, without_comment

# Labels hold no dot, so that there is one way only to read a line: a hostile one must not take exponential time.
_NAME: Final = re.compile(rb"[^\s.:/|^*=#$@]+(?:\.[^\s.:/|^*=#$@]+)+\.?")


class Plain(Syntax):
    """The syntax of TrustPositif, of UT1's ``domains`` and of the "only domains" kind of HaGeZi."""

    name = "plain"

    def recognises(self, line: bytes) -> bool:
        """A name with a dot, and nothing else on the line."""
        return _NAME.fullmatch(without_comment(line)) is not None

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        cover = EXACT if subdomains is False else SUBTREE
        names = names_of(chunk)
        harvest.add(cover, names.blob, names.count)
        for odd in names.odd:
            line = odd.token.strip()
            if is_comment(line):
                harvest.noise += bool(line)
            else:
                settle(harvest, cover, first_line + odd.line, without_comment(line))
