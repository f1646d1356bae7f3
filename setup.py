"""Compiles the hot modules in place, where a C compiler is found; everything else is in pyproject.toml.

The list of hot modules is ``HOT_MODULES`` in ``saring/hot_modules.py``, read here as text: building must not
import the program. Each is an ordinary ``.py``; a ``.pxd`` beside it, where there is one, gives the C types.
Without a compiler the same source runs interpreted, and the build says so in one line.

Environment:
    SARING_INTERPRETED=1       build nothing
    SARING_REQUIRE_COMPILED=1  fail where something would be left interpreted
    SARING_SANITIZE=1          with AddressSanitizer and UndefinedBehaviorSanitizer, to be run by ``tests/sanitize``

``build/compiled.json`` remembers from which sources each extension was built. ``python setup.py stale``
compares, so that a compiled module can never hide an edit: exit status 0 fresh, 1 stale (names the module).
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Command, Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
LIST_FILE = ROOT / "saring" / "hot_modules.py"
RECORD_FILE = ROOT / "build" / "compiled.json"
CIMPORT = re.compile(r"^from ([\w.]+) cimport ", re.MULTILINE)  # the one form that our .pxd use
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")

# Bounds checks and wraparound stay as Python has them: these modules read bytes from the network. Types come
# from the .pxd alone (annotation_typing off): a compiled function accepts exactly what the interpreted one does.
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": True,
    "wraparound": True,
    "cdivision": False,
    "annotation_typing": False,
    "binding": True,
}
# -fno-plt: a compiled module calls into the interpreter some hundred times a query, each time through one jump less
# (measured: a fifteenth of a forwarded miss).
COMPILE_ARGS = ["-O2", "-g0", "-fno-plt"]
LINK_ARGS: list[str] = []
if os.environ.get("SARING_SANITIZE") == "1":
    # Python compiles with -fwrapv, so that overflow is defined; everything else that C leaves open is checked.
    LINK_ARGS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    COMPILE_ARGS = ["-O1", "-g1", "-fno-omit-frame-pointer", *LINK_ARGS]


def hot_modules() -> tuple[str, ...]:
    """Dotted names of the modules worth compiling; empty where the list is not there yet."""
    if not LIST_FILE.exists():
        return ()
    for node in ast.parse(LIST_FILE.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "HOT_MODULES" for target in targets):
            return tuple(ast.literal_eval(node.value))
    raise SystemExit(f"setup.py: {LIST_FILE} has no literal tuple HOT_MODULES of dotted names")


def source_of(module: str) -> Path:
    return ROOT / Path(*module.split(".")).with_suffix(".py")


def present(modules: tuple[str, ...]) -> list[str]:
    """The modules whose source exists; a listed one without a source is a mistake in the list, said aloud."""
    missing = [module for module in modules if not source_of(module).exists()]
    if missing:
        message = f"setup.py: {LIST_FILE.name} names modules without a source: {', '.join(missing)}"
        if required():
            raise SystemExit(message)
        print(message, file=sys.stderr)
    return [module for module in modules if module not in missing]


def required() -> bool:
    return os.environ.get("SARING_REQUIRE_COMPILED") == "1"


def interpreted() -> bool:
    return os.environ.get("SARING_INTERPRETED") == "1"


def digest(module: str) -> str:
    """What an extension is made from: its source, its .pxd and those that it cimports, this file, tools."""
    summary = hashlib.sha256()
    for path in [source_of(module), *definitions_of(module), Path(__file__)]:
        summary.update(path.read_bytes() if path.exists() else b"")
        summary.update(b"\0")
    summary.update(f"{SUFFIX} {cython_version()} {COMPILE_ARGS}".encode())
    return summary.hexdigest()


def definitions_of(module: str) -> list[Path]:
    """The module's .pxd and all that it cimports, in a fixed order."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = source_of(name).with_suffix(".pxd")
        if name not in found and path.exists():
            found[name] = path
            waiting += CIMPORT.findall(path.read_text(encoding="utf-8"))
    return [found[name] for name in sorted(found)]


def cython_version() -> str:
    try:
        import Cython
    except ImportError:
        return ""
    return str(Cython.__version__)


def compiled_files() -> list[Path]:
    """Every extension lying in the packages (not those under ``build/``)."""
    packages = (path.parent for path in ROOT.glob("*/__init__.py"))
    return sorted(path for package in packages for path in package.rglob("*.so"))


def stale_files() -> list[Path]:
    """Extensions that were not built from the sources as they are now, or whose module is no longer listed.

    The latter would go on shadowing their source for ever.
    """
    recorded = json.loads(RECORD_FILE.read_text()) if RECORD_FILE.exists() else {}
    modules = [module for module in hot_modules() if source_of(module).exists()]
    sound = {source_of(module).with_suffix(SUFFIX) for module in modules if recorded.get(module) == digest(module)}
    return [path for path in compiled_files() if path not in sound]


def why_not_compiled() -> str:
    """Empty where extensions can be built, else the reason and what to do about it."""
    if not cython_version():
        return "Cython is not installed"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        return f"no C compiler ({compiler[0]}; on Debian: apt-get install gcc libc6-dev python3-dev)"
    with tempfile.TemporaryDirectory() as directory:
        probe = Path(directory, "probe.c")
        probe.write_text("#include <Python.h>\nint main(void) { return 0; }\n")
        include = sysconfig.get_paths()["include"]
        command = [*compiler, f"-I{include}", "-c", str(probe), "-o", f"{directory}/probe.o"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"{compiler[0]} finds no Python headers (on Debian: apt-get install libc6-dev python3-dev)"
    return ""


class BuildHotModules(build_ext):
    """Cythonizes and compiles what changed; records from what."""

    def run(self) -> None:
        if self.inplace:
            remove(stale_files())
        if not self.extensions:
            return
        reason = why_not_compiled()
        if reason:
            if required():
                raise SystemExit(f"SARING_REQUIRE_COMPILED=1, but {reason}")
            print(f"saring: hot modules run interpreted (slower, otherwise alike): {reason}", file=sys.stderr)
            self.extensions = []
            return
        self.compile_changed()

    def compile_changed(self) -> None:
        from Cython.Build import cythonize
        from Cython.Compiler.Errors import CompileError

        modules = [extension.name for extension in self.extensions]
        recorded = json.loads(RECORD_FILE.read_text()) if RECORD_FILE.exists() else {}
        digests = {module: digest(module) for module in modules}
        changed = [
            extension
            for extension in self.extensions
            if not (self.inplace and Path(self.get_ext_fullpath(extension.name)).exists())
        ]
        if not changed:
            return
        self.parallel, self.force = os.cpu_count() or 1, True
        # force: what changed is known by digest; Cython compares times, which a checkout can turn back.
        try:
            translated = cythonize(
                [Extension(extension.name, extension.sources) for extension in changed],
                build_dir=str(Path("build", "cython")),
                compiler_directives=DIRECTIVES,
                force=True,
                quiet=True,
                nthreads=self.parallel,
            )
        except CompileError as error:
            # Not a missing compiler but a mistake in a module or its .pxd: falling back would hide it.
            raise SystemExit(f"saring: Cython refuses {error}: see above") from None
        for extension, made in zip(changed, translated, strict=True):
            extension.sources = made.sources
        self.extensions = changed
        super().run()
        if self.inplace:
            remember(recorded, digests)
        print(f"saring: compiled {', '.join(extension.name for extension in changed)}", file=sys.stderr)


def remember(recorded: dict[str, str], digests: dict[str, str]) -> None:
    """Writes the record in one step: a half-written one would call everything stale, never fresh."""
    RECORD_FILE.parent.mkdir(exist_ok=True)
    beside = RECORD_FILE.with_suffix(".tmp")
    beside.write_text(json.dumps({**recorded, **digests}, indent=1, sort_keys=True) + "\n")
    beside.replace(RECORD_FILE)


def remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink()
        print(f"saring: removed {path.relative_to(ROOT)}", file=sys.stderr)


class Stale(Command):
    """``setup.py stale``: exit status 1 where a compiled module is older than its source."""

    user_options: list[tuple[str, str, str]] = []  # noqa: RUF012 -- the base class's protocol

    def initialize_options(self) -> None: ...

    def finalize_options(self) -> None: ...

    def run(self) -> None:
        stale = ", ".join(str(path.relative_to(ROOT)) for path in stale_files())
        if stale:
            raise SystemExit(f"compiled modules do not match their sources (run `make compiled`): {stale}")


class RemoveCompiled(Command):
    """``setup.py remove_compiled``: back to the interpreted sources."""

    user_options: list[tuple[str, str, str]] = []  # noqa: RUF012 -- the base class's protocol

    def initialize_options(self) -> None: ...

    def finalize_options(self) -> None: ...

    def run(self) -> None:
        remove(compiled_files())
        RECORD_FILE.unlink(missing_ok=True)


def extensions() -> list[Extension]:
    if interpreted():
        return []
    return [
        Extension(
            module,
            [str(source_of(module).relative_to(ROOT))],
            extra_compile_args=COMPILE_ARGS,
            extra_link_args=LINK_ARGS,
        )
        for module in present(hot_modules())
    ]


setup(
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildHotModules, "stale": Stale, "remove_compiled": RemoveCompiled},
)
