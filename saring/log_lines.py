"""An event of ``logging`` as a line: JSON for machines, columns for people.

``extra={...}`` of a call are the event's facts. Whatever they hold stays on one line: a name that somebody asked for
must not write an event of its own.
"""

from __future__ import annotations

import datetime
import json
import logging
from typing import Final

# What every record has; anything beyond it came with ``extra``.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOURS: Final = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
_EVENT_WIDTH: Final = 30


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """What the caller told beside the event."""
    return {key: value for key, value in vars(record).items() if key not in _OWN}


class JsonLines(logging.Formatter):
    """One JSON object a line; ``process`` is who speaks."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The object: facts, then ``event``, ``process``, ``level``, ``logger``, ``timestamp`` (UTC)."""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line = facts_of(record) | {
            "event": record.getMessage(),
            "process": self._process,
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": moment.isoformat().replace("+00:00", "Z"),
        }
        if account := _account(self, record):
            line["exception"] = account
        return _json(line)


class ConsoleLines(logging.Formatter):
    """Columns: local time, level, event, facts, who speaks. Tracebacks on lines of their own."""

    def __init__(self, process: str, colours: bool) -> None:
        super().__init__()
        self._process = process
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """The columns, and the traceback where there is one."""
        time = datetime.datetime.fromtimestamp(record.created).isoformat(sep=" ", timespec="milliseconds")
        level = record.levelname.lower()
        facts = "".join(f" {key}={_shown(value)}" for key, value in facts_of(record).items())
        event = _on_one_line(record.getMessage())
        columns = (
            self._in(time, "2"),
            self._in(f"{level:<8}", _COLOURS.get(level, "0")),
            self._in(f"{event:<{_EVENT_WIDTH}}", "1") + facts,
            self._in(f"[{self._process} {record.name}]", "2"),
        )
        # Indented and escaped: an exception's text may hold what a client sent.
        account = [f"\n  {_on_one_line(line)}" for line in _account(self, record).splitlines()]
        return " ".join(columns) + "".join(account)

    def _in(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colours else text


def _json(line: dict[str, object]) -> str:
    try:
        text = json.dumps(line, ensure_ascii=False, default=repr, allow_nan=False)
    except (TypeError, ValueError):  # keys that are no text, circles, numbers that JSON has not: told all the same
        said = {key: value if isinstance(value, str) else repr(value) for key, value in line.items()}
        text = json.dumps(said, ensure_ascii=False)
    # JSON escapes what is below a space only; terminals obey U+009B, viewers break lines at U+2028, and a surrogate
    # cannot be written.
    return text if text.isprintable() else json.dumps(json.loads(text))


def _account(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""


def _shown(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)


def _on_one_line(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]
