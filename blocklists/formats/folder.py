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
    """The content of one file as it may stand behind its heading, a block at a time; line ends become LF."""

    def __init__(self) -> None:
        self._rest = b"\n"  # the octets that may begin a heading, from the LF on

    def block(self, content: bytes) -> bytes:
        """The next block; a little is held back."""
        text = self._rest + content
        # A CR at the end may be the first half of a line end.
        held = b"\r" if text.endswith(b"\r") else b""
        text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = text.rfind(b"\n")
        cut = line if line >= 0 and len(text) - line <= len(_FILE) else len(text)
        self._rest = text[cut:] + held
        return _escaped(text[:cut])

    def end(self, last: bool) -> bytes:
        """What was held back. The last file keeps its end: a cut one must not look whole."""
        text = _escaped(self._rest.replace(b"\r", b"\n"))
        return text if last or text.endswith(b"\n") else text + b"\n"


def _escaped(text: bytes) -> bytes:
    lowered = text.lower()
    if b"\n#saring-" not in lowered:
        return text
    return b"\n".join(b"# " + line[1:] if line.lower().startswith(b"#saring-") else line for line in text.split(b"\n"))
