"""The build of the hot modules: compiled where a compiler is, interpreted in one line where none is, never stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import missing, need_program

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project with the real setup.py and one hot module without a .pxd."""
    shutil.copy(ROOT / "setup.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "sample"\nversion = "0"\n[tool.setuptools]\npackages = ["saring", "wire"]\n'
    )
    for package in ("saring", "wire"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "saring" / "hot_modules.py").write_text('HOT_MODULES: tuple[str, ...] = ("wire.fast",)\n')
    (tmp_path / "wire" / "fast.py").write_text("def twice(number: int) -> int:\n    return number * 2\n")
    return tmp_path


def run_setup(tree: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SARING_")}
    return subprocess.run(
        [sys.executable, "setup.py", "-q", *arguments],
        cwd=tree,
        env=kept | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def import_fast(tree: Path) -> str:
    code = "import wire.fast as fast; print(fast.twice(21), fast.__file__.rpartition('.')[2])"
    return subprocess.check_output([sys.executable, "-c", code], cwd=tree, text=True).strip()


def need_compiler() -> None:
    need_program("cc")
    try:
        import Cython  # noqa: F401 -- only whether it is there
    except ImportError:
        missing("Cython is not installed")


def test_without_a_compiler_it_runs_interpreted_and_says_so_in_one_line(tree: Path) -> None:
    done = run_setup(tree, "build_ext", "--inplace", CC="no-such-compiler")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("run interpreted") == 1
    assert import_fast(tree) == "42 py"


def test_without_a_compiler_it_fails_where_compiled_is_required(tree: Path) -> None:
    done = run_setup(tree, "build_ext", "--inplace", CC="no-such-compiler", SARING_REQUIRE_COMPILED="1")
    assert done.returncode != 0
    assert "SARING_REQUIRE_COMPILED=1, but" in done.stderr


def test_an_edit_makes_the_compiled_module_stale_until_it_is_built_again(tree: Path) -> None:
    need_compiler()
    assert run_setup(tree, "build_ext", "--inplace").returncode == 0
    assert import_fast(tree) == "42 so"
    assert run_setup(tree, "stale").returncode == 0

    (tree / "wire" / "fast.py").write_text("def twice(number: int) -> int:\n    return number + number + 1\n")
    stale = run_setup(tree, "stale")
    assert stale.returncode != 0
    assert "wire/fast" in stale.stderr

    # No compiler any more: rather no compiled module than a stale one.
    assert run_setup(tree, "build_ext", "--inplace", CC="no-such-compiler").returncode == 0
    assert import_fast(tree) == "43 py"


def test_a_definition_file_counts_as_source(tree: Path) -> None:
    need_compiler()
    assert run_setup(tree, "build_ext", "--inplace").returncode == 0
    (tree / "wire" / "fast.pxd").write_text("cpdef long twice(long number)\n")
    assert run_setup(tree, "stale").returncode != 0
    assert run_setup(tree, "build_ext", "--inplace").returncode == 0
    assert run_setup(tree, "stale").returncode == 0
    assert import_fast(tree) == "42 so"


def test_a_mistake_in_a_definition_file_is_no_missing_compiler(tree: Path) -> None:
    need_compiler()
    (tree / "wire" / "fast.pxd").write_text("cpdef nonsense twice(long number)\n")
    done = run_setup(tree, "build_ext", "--inplace")
    assert done.returncode != 0
    assert "Cython refuses wire/fast.py" in done.stderr


def test_a_module_that_left_the_list_is_removed(tree: Path) -> None:
    need_compiler()
    assert run_setup(tree, "build_ext", "--inplace").returncode == 0
    (tree / "saring" / "hot_modules.py").write_text("HOT_MODULES: tuple[str, ...] = ()\n")
    assert run_setup(tree, "stale").returncode != 0
    assert run_setup(tree, "build_ext", "--inplace").returncode == 0
    assert import_fast(tree) == "42 py"
