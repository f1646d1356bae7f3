"""The command line on a state directory of its own: ``run("lists", "list")``."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import click.testing
import pytest

from saring.cli import cli

Run = Callable[..., click.testing.Result]

DOCUMENT = """
protected = ["go.id"]

[regency]
name = "Kabupaten Contoh"

[[agency]]
code = "dinkes"
name = "Dinas Kesehatan"
networks = ["10.20.0.0/24"]

[[agency.unit]]
code = "igd"
name = "IGD"
networks = ["10.20.0.128/25"]

[[category]]
code = "perjudian"
title = "Perjudian"
negative = true

[[list]]
code = "judi"
title = "Judi"
location = "judi.txt"
categories = ["perjudian"]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command on a state directory of its own. A command may set how the process logs: it is set back."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SARING_")]:
        monkeypatch.delenv(name)
    (tmp_path / "saring.toml").write_text('[bootstrap]\ndocument = "regency.toml"\n', encoding="utf-8")
    (tmp_path / "regency.toml").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "judi.txt").write_text("judi.example\nslot.example\n", encoding="utf-8")

    def invoke(*arguments: str) -> click.testing.Result:
        result = click.testing.CliRunner().invoke(cli, arguments, standalone_mode=True)
        assert not isinstance(result.exception, AssertionError), result.output
        return result

    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield invoke
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def filled(run: Run) -> Run:
    """The same with the document imported and its list synced."""
    assert run("init").exit_code == 0
    assert run("lists", "sync").exit_code == 0
    return run
