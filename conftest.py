"""Before any hot module is imported: compiled or interpreted; and no compiled module may hide an edit.

Here and not in ``tests/``: pytest imports this file first, and what ``tests/conftest.py`` imports includes hot modules.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from saring.interpreted import compiled_modules, install_from_environment

ROOT = Path(__file__).resolve().parent
INTERPRETED = install_from_environment()


def pytest_configure(config: pytest.Config) -> None:
    """Refuses to test compiled modules that do not match their sources, or interpreted ones where that is not meant."""
    # xdist's workers inherit what their controller has checked.
    if hasattr(config, "workerinput") or INTERPRETED:
        return
    if any(path for package in ROOT.glob("*/__init__.py") for path in package.parent.rglob("*.so")):
        checked = subprocess.run(
            [sys.executable, "setup.py", "-q", "stale"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if checked.returncode != 0:
            raise pytest.UsageError(checked.stderr.strip())
    left = [name for name, is_compiled in compiled_modules().items() if not is_compiled]
    if left and os.environ.get("SARING_REQUIRE_COMPILED") == "1":
        raise pytest.UsageError(f"SARING_REQUIRE_COMPILED=1, but interpreted: {', '.join(left)}")


def pytest_report_header() -> str:
    """Which of the two ways this run goes."""
    compiled = compiled_modules()
    return f"hot modules: {sum(compiled.values())} of {len(compiled)} compiled"
