"""No container engine is needed to see that the Dockerfile copies what exists, and all of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def packages() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["packages"]["find"]["include"]
    return [pattern.rstrip("*") for pattern in patterns]


def copied() -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_every_copied_path_exists() -> None:
    assert not [path for path in copied() if not (ROOT / path).exists()]


def test_every_package_is_copied() -> None:
    assert not [package for package in packages() if package not in copied()]


def test_the_ignore_file_lets_in_what_is_copied() -> None:
    assert IGNORE[1] == "*"
    assert not [path for path in copied() if f"!{path}" not in IGNORE]


def test_it_does_not_run_as_root_and_looks_after_its_health() -> None:
    assert re.search(r"^USER saring$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", DOCKERFILE, re.MULTILINE)


def test_the_installer_copies_every_package() -> None:
    script = (ROOT / "deploy" / "install").read_text(encoding="utf-8")
    assert not [package for package in packages() if not re.search(rf"[{{,]{package}[,}}]", script)]
