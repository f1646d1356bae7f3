"""What the figures were measured on: without it they mean nothing a year later."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from bench.programs import find

_VERSION_OF = {
    "unbound": (["-V"], r"Version ([\d.]+)"),
    "nsd": (["-v"], r"NSD version ([\d.]+)"),
    "dnsdist": (["--version"], r"dnsdist ([\d.]+)"),
    "dnsmasq": (["--version"], r"Dnsmasq version ([\d.]+)"),
    "kresd": (["--version"], r"version ([\d.]+)"),
    "dnsperf": (["-h"], r"Version ([\d.]+)"),
}
_LIBRARIES = ("cython", "uvloop", "marisa-trie", "duckdb", "pyarrow", "sqlalchemy")


def facts() -> dict[str, Any]:
    """Processor, cores, kernel, versions, and whether the hot modules are compiled."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "unknown",
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "kernel": platform.release(),
        "load_at_start": os.getloadavg()[0],
        "python": f"{platform.python_version()} ({_python_build()})",
        "compiled": _compiled(),
        "programs": {name: version for name in _VERSION_OF if (version := _program_version(name))},
        "libraries": {name: version for name in _LIBRARIES if (version := _library_version(name))},
    }


def _cpu_model() -> str:
    found = re.search(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _python_build() -> str:
    """How the interpreter was built: half of a miss is spent in it, and optimised it takes an eighth less of it.

    Peers are measured as their packages have them, so that the system's own Python is the fair one.
    """
    if sys.base_prefix == "/usr":
        return "the system's own"
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return "built with optimisation" if optimised else "built WITHOUT optimisation: the system's own is faster"


def _compiled() -> dict[str, bool]:
    from saring.interpreted import compiled_modules

    return compiled_modules()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _program_version(name: str) -> str:
    path = find(name)
    if path is None:
        return ""
    arguments, pattern = _VERSION_OF[name]
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "unknown"


def _library_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
