"""Category folders as the University of Toulouse publishes them, and squidGuard and e2guardian read them.

``domains``: names, each with all below. ``urls``: paths, which a resolver cannot see; a line without path is a name.
``expressions``: patterns of URLs. ``usage``: words on what the category is for; ``white`` makes it a list of names to
allow. All in one text (``folder.py``); lines are counted from the beginning of their own file.
"""

from __future__ import annotations

from typing import Final

from blocklists.entry import EXACT, SUBTREE
from blocklists.formats.bulk import names_of
from blocklists.formats.folder import DOMAINS, EXPRESSIONS, HEAD, URLS, USAGE, file_of
from blocklists.formats.harvest import Harvest, Options, Reason, Syntax
from blocklists.formats.odd import examine, is_comment, without_comment

_ALLOW_SHIFT: Final = 2
_MARK: Final = b"#saring-"


class Ut1(Syntax):
    """A category folder."""

    name = "ut1"
    steering = (_MARK,)  # a line means what its file is for

    def __init__(self) -> None:
        self._file = DOMAINS
        self._before = 0  # lines of the text before the file's first
        self._words: set[bytes] = set()

    def recognises(self, line: bytes) -> bool:
        """Never by a line: folders are known by their heading."""
        return False

    def begin(self, options: Options) -> Ut1:
        """See ``Format.begin``."""
        return Ut1()

    def place(self, line: int) -> tuple[str, int]:
        """See ``Format.place``."""
        return self._file, max(1, line - self._before)

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        if _MARK not in chunk:
            self._part(chunk, first_line, subdomains, harvest)
            return
        part: list[bytes] = []
        for number, line in enumerate(chunk[:-1].split(b"\n"), first_line):
            announced = file_of(line)
            if announced is None and line != HEAD[:-1]:
                part.append(line)
                continue
            self._part(b"\n".join(part) + b"\n", number - len(part), subdomains, harvest)
            part = []
            self._before = number
            self._file = announced or self._file
        if part:
            self._part(b"\n".join(part) + b"\n", first_line + chunk.count(b"\n") - len(part), subdomains, harvest)

    def _part(self, text: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """Lines of one file."""
        harvest.file = self._file
        first = first_line - self._before
        cover = EXACT if subdomains is False else SUBTREE
        if self._words and b"white" in self._words and b"black" not in self._words:
            cover <<= _ALLOW_SHIFT
        if self._file == USAGE:
            self._words.update(line.strip() for line in text.split(b"\n") if line.strip())
            harvest.noise += sum(1 for line in text.split(b"\n") if line.strip())
        elif self._file == EXPRESSIONS:
            self._expressions(text, first, harvest)
        else:
            self._names(text, first, cover, harvest)

    def _expressions(self, text: bytes, first: int, harvest: Harvest) -> None:
        for number, line in enumerate(text.split(b"\n"), first):
            if is_comment(line.strip()):
                harvest.noise += bool(line.strip())
            else:
                harvest.pass_over(number, line.strip(), Reason.URL)

    def _names(self, text: bytes, first: int, cover: int, harvest: Harvest) -> None:
        names = names_of(text)
        harvest.add(cover, names.blob, names.count)
        for odd in names.odd:
            line = odd.token.strip()
            if is_comment(line):
                harvest.noise += bool(line)
                continue
            token = without_comment(line)
            found = examine(token)
            if not isinstance(found, Reason):
                harvest.add(cover, found, 1)
            elif self._file == URLS or found in (Reason.IP_ADDRESS, Reason.URL):
                # A host that is an address is no name; and its address is not its alone.
                harvest.pass_over(first + odd.line, token, found)
            else:
                harvest.reject(first + odd.line, token, found)
