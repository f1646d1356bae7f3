"""``kill -9`` of the spool's writer and of the loader, at line after line of what they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import querylog.spool
from querylog.spool import SpoolWriter
from querylog.spool_format import GapKind, list_segments
from tests.support import querylog_victims
from tests.support.needs import missing
from tests.support.querylog_samples import SEGMENT, append, covered, read_spool


def killed(role: str, directory: Path, first: int, step: int) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, querylog_victims.__file__, role, directory, str(first), str(step)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_killed_writer_loses_nothing_it_reported(tmp_path: Path) -> None:
    directory = tmp_path / "writer"
    directory.mkdir()
    left = killed("writer", directory, 1, 97)
    if querylog.spool.__file__.endswith(".py"):  # compiled code has no lines to be killed at
        assert len(left) > 15
    for found in left:
        assert found["reported"] <= found["answers"] <= found["reported"] + 1
        held = found["held"]
        assert len(held) == len(set(held))
        assert held[-1] == found["answers"] + 1
        if not found["unlinked"]:
            assert held == list(range(1, found["answers"] + 2))
        else:  # what was unlinked is in front; from there on nothing is missing
            assert held == list(range(held[0], found["answers"] + 2))
    assert left[-1]["gaps"] > 0


def test_a_killed_loader_loads_every_row_exactly_once(tmp_path: Path) -> None:
    directory = tmp_path / "loader"
    with SpoolWriter(directory / "spool/worker-0", "n1", 0, SEGMENT, 64 * SEGMENT) as spool:
        for number in range(110):
            append(spool, number)
    left = killed("loader", directory, 1, 199)
    assert len(left) >= 3
    for found in left:
        assert found["sequences"] == list(range(1, 111))
        assert found["segments"] == 1
        assert found["files"] >= 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A file system of 64 KiB, where we may mount one."""
    where = tmp_path / "disk"
    where.mkdir()
    if os.geteuid() != 0:
        missing("mounting a small tmpfs needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", where], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        missing(f"a small tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def test_a_full_disk_is_a_gap_and_never_a_signal(small_disk: Path) -> None:
    spool_directory = small_disk / "spool"
    ballast = small_disk / "ballast"
    with SpoolWriter(spool_directory, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=1024 * SEGMENT) as spool:
        append(spool, 0)
        ballast.write_bytes(bytes(24 * 1024))
        for number in range(1, 600):
            append(spool, number)
            if number % 100 == 0:
                spool.flush()
        assert spool.gaps > 100
        ballast.unlink()
        spool.flush()
        append(spool, 600)
        rows, gaps = read_spool(spool_directory)
        assert {gap.kind for gap in gaps} == {GapKind.DISK_FULL}
        assert covered(rows, gaps) == list(range(1, 602))
        assert len(list_segments(spool_directory)) > 3


def test_a_spool_starts_on_a_full_disk(small_disk: Path) -> None:
    (small_disk / "spool").mkdir()
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(bytes(128 * 1024))
    with SpoolWriter(small_disk / "spool", "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=64 * SEGMENT) as spool:
        for number in range(10):
            append(spool, number)
        assert (spool.answers, spool.gaps) == (10, 10)
        ballast.unlink()
        spool.flush()
        append(spool, 10)
        assert covered(*read_spool(small_disk / "spool")) == list(range(1, 12))
