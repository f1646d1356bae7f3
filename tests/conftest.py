"""Before any hot module is imported: compiled or interpreted; and no compiled module may hide an edit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from saring.interpreted import compiled_modules, install_from_environment

ROOT = Path(__file__).resolve().parent.parent
INTERPRETED = install_from_environment()


def pytest_configure(config: pytest.Config) -> None:
    # xdist's workers inherit what their controller has checked.
    if hasattr(config, "workerinput") or INTERPRETED:
        return
    if any(path for package in ROOT.glob("*/__init__.py") for path in package.parent.rglob("*.so")):
        checked = subprocess.run(
            [sys.executable, "setup.py", "-q", "stale"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if checked.returncode != 0:
            raise pytest.UsageError(checked.stderr.strip())


def pytest_report_header() -> str:
    compiled = sum(compiled_modules().values())
    required = os.environ.get("SARING_REQUIRE_COMPILED") == "1" and not INTERPRETED
    if required and compiled != len(compiled_modules()):
        left = [name for name, is_compiled in compiled_modules().items() if not is_compiled]
        raise pytest.UsageError(f"SARING_REQUIRE_COMPILED=1, but interpreted: {', '.join(left)}")
    return f"hot modules: {compiled} of {len(compiled_modules())} compiled"
