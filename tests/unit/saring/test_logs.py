"""The program's own log: what a line holds, and what nobody can put into it."""

from __future__ import annotations

import ast
import io
import json
import logging
import sys
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


HOSTILE = "evil\n2026 error all is lost\x1b[31m \x9b31m \u2028 \u202e \udc80 \x7f"


@pytest.mark.parametrize("formatter", [JsonLines("worker-0"), ConsoleLines("worker-0", colours=False)])
def test_no_name_writes_an_event_of_its_own(formatter: logging.Formatter) -> None:
    line = formatter.format(record(f"odd{HOSTILE}", client=HOSTILE, path=Path(HOSTILE), names=[HOSTILE]))
    assert line.isprintable()


def test_json_gives_back_what_was_told() -> None:
    line = json.loads(JsonLines("worker-0").format(record("x", client=HOSTILE, agency="Dinas Keséhatan")))
    assert (line["client"], line["agency"]) == (HOSTILE, "Dinas Keséhatan")


def test_an_exception_s_text_writes_no_line_of_its_own() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        told = record("a fault", exc_info=sys.exc_info())
    assert JsonLines("worker-0").format(told).isprintable()
    first, *rest = ConsoleLines("worker-0", colours=False).format(told).split("\n")
    assert first.endswith("[worker-0 saring.child]")
    assert rest[0] == "  Traceback (most recent call last):"
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


def test_what_json_cannot_say_is_told_all_the_same() -> None:
    circle: list[object] = []
    circle.append(circle)
    for odd in ({b"octets": 1}, {("a", 1): 2}, circle, float("nan"), float("inf"), {1, 2}, b"\xff"):
        line = json.loads(JsonLines("worker-0").format(record("x", odd=odd)), parse_constant=pytest.fail)
        assert (line["odd"], line["process"]) == (repr(odd), "worker-0")


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
    # logging raises KeyError for such a one, in the moment that was to be told; those of a line itself would be lost.
    taken = set(vars(record(""))) | {"message", "asctime", "event", "level", "logger", "timestamp", "exception"}
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
