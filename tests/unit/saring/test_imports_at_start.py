"""What DNS waits for at a start: the supervisor and a worker load what they use, and nothing for others."""

from __future__ import annotations

import subprocess
import sys

import pytest

DATABASES = {"sqlalchemy", "alembic", "duckdb", "pyarrow", "asyncpg"}
FOR_SOME = {"h2", "idna", "numpy", "rich", "dnslib"}  # who needs them imports them where they are used

SUPERVISOR = "saring.cli, saring.commands.serve, saring.config, saring.listening, saring.program"
WORKER = "saring.process, saring.process_worker"


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        pytest.param(SUPERVISOR, DATABASES | FOR_SOME | {"aiohttp", "policy.model"}, id="supervisor"),
        pytest.param(
            WORKER, DATABASES | FOR_SOME | {"aiohttp", "pydantic", "click", "blocklists.rules_index"}, id="worker"
        ),
    ],
)
def test_nothing_is_loaded_that_only_others_need(modules: str, unwanted: set[str]) -> None:
    code = f"import sys, {modules}\nprint(*sorted({unwanted!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("", "")
