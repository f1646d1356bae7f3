"""Entering a zone from the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path

from admin_api.to_policy import SourceRow
from saring.config import load
from saring.control import open_control
from saring.state_dir import StateDir
from tests.support.command_line import Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run


def row_of(root: Path, code: str) -> SourceRow:
    config = load(None, {"SARING_CONFIG": "/dev/null"}).config

    async def read() -> list[SourceRow]:
        async with open_control(config, StateDir(root)) as control:
            return await control.sources()

    return next(row for row in asyncio.run(read()) if row.code == code)


def test_a_zone_is_entered_with_the_file_of_its_secret(filled: Run, tmp_path: Path) -> None:
    where = ("lists", "add", "nasional", "rpz://10.0.0.5/rpz.example", "--category", "perjudian")
    assert "either tsig_secret or tsig_secret_file" in filled(*where, "--tsig-name", "kunci").output
    done = filled(*where, "--tsig-name", "kunci", "--tsig-secret-file", "/run/secrets/tsig", "--allow-private")
    assert done.exit_code == 0, done.output
    row = row_of(tmp_path / "var", "nasional")
    assert (row.location, row.tsig_name, row.tsig_secret_file) == (
        "rpz://10.0.0.5/rpz.example",
        "kunci",
        "/run/secrets/tsig",
    )
    assert row.allow_private
    assert "names no zone" in filled("lists", "add", "x", "rpz://10.0.0.5", "--category", "perjudian").output
