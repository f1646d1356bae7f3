"""The program's own log: one structured event a line, on standard error.

JSON where a machine reads it, columns on a terminal. ``logging`` of libraries goes the same way. Losing standard error
(the supervisor was killed, the journal is stuck) must never stop a process that answers queries, so a line that cannot
be written is dropped.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog


class _CarelessHandler(logging.StreamHandler[TextIO]):
    """Writes lines; a broken pipe or a full disk behind standard error is nobody's fault here."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the base class's name
        return


def configure(level: str, form: str, process: str, stream: TextIO | None = None) -> None:
    """Sets up logging of this process. ``form`` is ``auto``, ``console`` or ``json``."""
    output = stream if stream is not None else sys.stderr
    console = form == "console" or (form == "auto" and output.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=not console),
        structlog.processors.StackInfoRenderer(),
    ]
    final: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=output.isatty())]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    handler = _CarelessHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Access lines of the API would drown the events, and its audit log says more.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(process=process)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; ``name`` is usually ``__name__``."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
