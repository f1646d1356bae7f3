"""The program's own log: one structured event a line, on standard error.

An event is a call of ``logging`` whose facts are in ``extra``: the parts of the program below this package, and the
libraries, speak the same way. JSON where a machine reads it, columns on a terminal (``log_lines.py``). Losing standard
error (the supervisor was killed, the journal is stuck) must never stop a process that answers queries, so a line that
cannot be written is dropped.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from saring.log_lines import ConsoleLines, JsonLines


class _CarelessHandler(logging.StreamHandler[TextIO]):
    """Writes lines; a broken pipe or a full disk behind standard error is nobody's fault here."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the base class's name
        return


def configure(level: str, form: str, process: str, stream: TextIO | None = None) -> None:
    """Sets up logging of this process. ``form`` is ``auto``, ``console`` or ``json``."""
    output = stream if stream is not None else sys.stderr
    console = form == "console" or (form == "auto" and output.isatty())
    handler = _CarelessHandler(output)
    handler.setFormatter(ConsoleLines(process, output.isatty()) if console else JsonLines(process))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Access lines of the API would drown the events, and its audit log says more.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
