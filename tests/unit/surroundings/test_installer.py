"""The installer's rollback: two links change places; nothing else is touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    prefix = tmp_path / "opt" / "saring"
    for version in ("1.0", "1.1"):
        (prefix / version).mkdir(parents=True)
    return prefix


def install(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "deploy" / "install", *arguments],
        env={**os.environ, "SARING_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_rollback_swaps_current_and_previous_and_can_be_undone(tmp_path: Path, prefix: Path) -> None:
    (prefix / "current").symlink_to("1.1")
    (prefix / "previous").symlink_to("1.0")
    done = install(tmp_path, "--rollback")
    assert done.returncode == 0, done.stderr
    assert (prefix / "current").readlink() == Path("1.0")
    assert (prefix / "previous").readlink() == Path("1.1")
    assert install(tmp_path, "--rollback").returncode == 0
    assert (prefix / "current").readlink() == Path("1.1")


def test_rollback_without_an_earlier_version_changes_nothing(tmp_path: Path, prefix: Path) -> None:
    (prefix / "current").symlink_to("1.0")
    done = install(tmp_path, "--rollback")
    assert done.returncode != 0
    assert "no version before" in done.stderr
    assert (prefix / "current").readlink() == Path("1.0")


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    done = install(tmp_path, "--roll-back")
    assert done.returncode != 0
    assert "unknown argument --roll-back" in done.stderr
