"""The program's own log: what a line holds, and what nobody can put into it."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from saring import logs
from saring.log_lines import ConsoleLines, JsonLines

ROOT = Path(__file__).parents[3]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], root.level = before


def record(event: str, **facts: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "saring.child", "levelname": "ERROR", "msg": event, "created": 0.0} | facts)


def test_a_line_is_an_event_with_its_facts_and_who_speaks(stream: io.StringIO) -> None:
    logs.configure("info", "json", "worker-0", stream)
    log = logging.getLogger("resolver.worker")
    log.debug("not told")
    log.info("answering", extra={"generation": 7, "path": Path("/x")})
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "generation": 7,
        "path": repr(Path("/x")),
        "event": "answering",
        "process": "worker-0",
        "level": "info",
        "logger": "resolver.worker",
    }


def test_an_exception_is_told_whole(stream: io.StringIO) -> None:
    logs.configure("info", "json", "api", stream)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("x").exception("a fault")
    account = json.loads(stream.getvalue())["exception"]
    assert account.startswith("Traceback")
    assert account.endswith("ValueError: broken")


@pytest.mark.parametrize("formatter", [JsonLines("worker-0"), ConsoleLines("worker-0", colours=False)])
def test_no_name_writes_an_event_of_its_own(formatter: logging.Formatter) -> None:
    line = formatter.format(record("odd\nname", client="evil\n2026 error all is lost\x1b[31m"))
    assert "\n" not in line
    assert "\x1b" not in line


def test_people_read_columns() -> None:
    line = ConsoleLines("supervisor", colours=False).format(record("stopped", child="loader", why="as asked", gone=""))
    assert line.endswith(
        "error    stopped                        child=loader why='as asked' gone='' [supervisor saring.child]"
    )


def test_a_reader_that_is_gone_harms_nobody(stream: io.StringIO) -> None:
    logs.configure("info", "json", "worker-0", stream)
    stream.close()
    logging.getLogger("x").error("nobody hears this")


def test_no_fact_is_named_like_a_field_that_every_record_has() -> None:
    # logging raises KeyError for such a one, in the moment that was to be told.
    taken = set(vars(record(""))) - {"event"} | {"message", "asctime"}
    clashes = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {key.value}"
        for package in ("saring", "admin_api", "resolver", "querylog", "snapshots", "policy", "blocklists")
        for path in (ROOT / package).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS
        for keyword in call.keywords
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict)
        for key in keyword.value.keys
        if isinstance(key, ast.Constant) and key.value in taken
    ]
    assert not clashes
