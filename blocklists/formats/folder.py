"""The files of a category folder as one text: how a folder travels from the fetcher to its parser.

A first line says so; a line before each file names it. Lines of the files that look like those are made comments of
another kind, so that no file can pass for another.
"""

from __future__ import annotations

from typing import Final

HEAD: Final = b"#saring-folder 1\n"
_FILE: Final = b"#saring-file "

# In this order: whether the names allow must be known before them, and the end of the text is the end of the names.
USAGE: Final = "usage"
EXPRESSIONS: Final = "expressions"
URLS: Final = "urls"
DOMAINS: Final = "domains"
FILES: Final = (USAGE, EXPRESSIONS, URLS, DOMAINS)


def heading(file: str) -> bytes:
    """The line before a file."""
    return _FILE + file.encode() + b"\n"


def file_of(line: bytes) -> str | None:
    """The file that a line announces (lower case, without LF); None for any other line."""
    if not line.startswith(_FILE):
        return None
    name = line[len(_FILE) :].decode("latin-1")
    return name if name in FILES else None


class Escaping:
    """Blocks of one file as they may stand behind its heading; the text ends in LF."""

    def __init__(self) -> None:
        self._rest = b"\n"  # the octets that may begin a heading, from the LF on

    def block(self, content: bytes) -> bytes:
        """The next block; a little is held back."""
        text = (self._rest + content).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        cut = text.rfind(b"\n") if len(text) - text.rfind(b"\n") <= len(_FILE) else len(text) - 1
        # A CR at the end may be the first half of a line end.
        cut = min(cut, len(text) - 1)
        self._rest = text[cut:]
        return _escaped(text[:cut])

    def end(self) -> bytes:
        """What was held back."""
        text = _escaped(self._rest)
        return text if text.endswith(b"\n") else text + b"\n"


def _escaped(text: bytes) -> bytes:
    lowered = text.lower()
    if b"\n#saring-" not in lowered:
        return text
    return b"\n".join(b"# " + line[1:] if line.lower().startswith(b"#saring-") else line for line in text.split(b"\n"))
