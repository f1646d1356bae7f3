"""``make`` alone tells what there is to do, and a Python that cannot do it is told apart."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.needs import need_program

ROOT = Path(__file__).resolve().parents[3]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_make_alone_lists_every_target_with_a_line() -> None:
    done = subprocess.run(
        [need_program("make"), "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    for target in ("run", "test", "lint", "format", "bench", "fuzz", "compiled", "interpreted", "lock", "clean"):
        assert re.search(rf"^  make {target} +\S", done.stdout, re.MULTILINE), target


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('case "$*" in *ensurepip*) exit 1;; *version_info*) exit 0;; esac', "apt-get install python3-venv"),
        ('case "$*" in *version_info*) exit 1;; -V) echo Python 3.9.2;; esac', "3.11 or newer; Python 3.9.2 found"),
    ],
)
def test_a_python_that_will_not_do_is_told_apart(tmp_path: Path, body: str, said: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "setup.py"):
        shutil.copy(ROOT / name, tree)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{body}\n", encoding="ascii")
    python.chmod(0o755)
    done = subprocess.run(
        [need_program("make"), "install", f"PYTHON={python}"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert not (tree / ".venv").exists()


def test_every_version_is_pinned_without_hosts_or_hashes() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert not [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+]+", line)]
