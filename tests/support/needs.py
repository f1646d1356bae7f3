"""What a test needs from the machine: skipped with a reason where it is missing, failed in CI."""

from __future__ import annotations

import os
import shutil

import pytest


def need_program(name: str) -> str:
    """Path of a program on this machine; skips the test where it is missing (fails under SARING_REQUIRE_ALL=1)."""
    # Debian keeps daemons in sbin, which an ordinary user's PATH leaves out.
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin")
    if path:
        return path
    missing(f"{name} is not installed on this machine")
    raise AssertionError("unreachable")


def missing(reason: str) -> None:
    """Skips the test with ``reason``, or fails it under SARING_REQUIRE_ALL=1."""
    if os.environ.get("SARING_REQUIRE_ALL") == "1":
        pytest.fail(f"SARING_REQUIRE_ALL=1, but {reason}")
    pytest.skip(reason)
