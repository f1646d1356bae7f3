"""The programs in C beside this package (``bench/c``): compiled when they are needed, where there is a compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.load import BenchError
from bench.programs import find

_SOURCES = Path(__file__).with_name("c")


def build(name: str, directory: Path) -> Path | None:
    """The compiled program of ``bench/c/<name>.c``; None where this machine has no C compiler."""
    compiler = find("cc")
    if compiler is None:
        return None
    program = directory / name
    command = [compiler, "-O2", "-Wall", "-Wextra", "-o", str(program), str(_SOURCES / f"{name}.c"), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"bench/c/{name}.c does not compile: {done.stderr[-500:]}")
    return program
