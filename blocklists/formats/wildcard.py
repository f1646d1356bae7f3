"""Wildcards: ``*.x`` is x and every name below it; a line without ``*.`` is exactly that name.

``*.x`` in these lists means x as well (HaGeZi, "wildcard asterisk"), unlike the wildcard of RFC 4592. It may have
one label: ``*.zip`` is a top-level name that somebody chose to list, whereas a bare ``zip`` is a cut line.
"""

from __future__ import annotations

import re
from typing import Final

from blocklists.entry import EXACT, SUBTREE, key_of
from blocklists.formats.bulk import names_of
from blocklists.formats.harvest import Harvest, Syntax
from blocklists.formats.odd import is_comment, settle, without_comment
from dnswire.name import from_labels

_LINE: Final = re.compile(rb"\*\.[^\s/|^*=$@]+")
_TOP: Final = re.compile(rb"[a-z][a-z0-9-]{0,62}")


class Wildcard(Syntax):
    """``*.`` and a name, one a line."""

    name = "wildcard"

    def recognises(self, line: bytes) -> bool:
        """``*.`` and a name, and nothing else on the line."""
        return _LINE.fullmatch(without_comment(line)) is not None

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        starred = EXACT if subdomains is False else SUBTREE
        bare = SUBTREE if subdomains else EXACT
        lines = (b"\n" + chunk).replace(b"\n*.", b"\n")[1:]
        # An empty line afterwards may have been "*." alone, which must be counted.
        if len(chunk) - len(lines) == 2 * chunk.count(b"\n") and b"\n\n" not in b"\n" + lines:
            _names(lines, first_line, starred, True, harvest)
            return
        with_star: list[bytes] = []
        without: list[bytes] = []
        for line in chunk[:-1].split(b"\n"):
            is_starred = line.startswith(b"*.") and len(line) > 2
            # An empty line in place of each of the others keeps the line numbers.
            with_star.append(line[2:] if is_starred else b"")
            without.append(b"" if is_starred else line)
        _names(b"\n".join(with_star) + b"\n", first_line, starred, True, harvest)
        _names(b"\n".join(without) + b"\n", first_line, bare, False, harvest)


def _names(text: bytes, first_line: int, cover: int, starred: bool, harvest: Harvest) -> None:
    names = names_of(text)
    harvest.add(cover, names.blob, names.count)
    for odd in names.odd:
        number = first_line + odd.line
        line = odd.token.strip()
        if is_comment(line):
            harvest.noise += bool(line)
            continue
        token = without_comment(line)
        if starred and _TOP.fullmatch(token):
            harvest.add(cover, key_of(from_labels([token])), 1)
        else:
            settle(harvest, cover, number, token)
