"""Compiled or interpreted: a switch for the hot modules, and the answer to "which is running?".

``SARING_INTERPRETED=1`` makes every module of ``hot_modules.py`` load from its ``.py`` even where a compiled ``.so``
lies beside it. The suite runs both ways, and an operator who suspects the compiler needs no rebuild to rule it out.
``install_from_environment`` must run before the first hot module is imported.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

from saring.hot_modules import HOT_MODULES

SWITCH = "SARING_INTERPRETED"


class SourceOnlyFinder:
    """Finds the listed modules as source files; leaves every other module to the finders behind it.

    Not derived from ``importlib.abc.MetaPathFinder``, which asks for no more than ``find_spec`` and loads a dozen
    modules, in every process of the program.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of ``fullname``'s ``.py``, or ``None`` where the name is not ours or has no source."""
        if fullname not in self._names:
            return None
        file_name = fullname.rpartition(".")[2] + ".py"
        for directory in path if path is not None else sys.path:
            candidate = Path(directory) / file_name
            if candidate.is_file():
                loader = SourceFileLoader(fullname, str(candidate))
                return importlib.util.spec_from_file_location(fullname, candidate, loader=loader)
        return None


def install_from_environment(environ: Mapping[str, str] | None = None) -> bool:
    """Puts the finder first where the switch is on; says whether it is. Safe to call twice."""
    values = os.environ if environ is None else environ
    if values.get(SWITCH, "") not in {"1", "true", "yes"}:
        return False
    if not any(isinstance(finder, SourceOnlyFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, SourceOnlyFinder(HOT_MODULES))
    return True


def compiled_modules(names: Sequence[str] = HOT_MODULES) -> dict[str, bool]:
    """For each hot module, whether this process runs (or would run) it compiled. Absent modules count as not."""
    return {name: _is_compiled(name) for name in names}


def _is_compiled(name: str) -> bool:
    module = sys.modules.get(name)
    if module is not None:
        origin = getattr(module, "__file__", None)
    else:
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            return False
        origin = spec.origin if spec is not None else None
    return isinstance(origin, str) and origin.endswith(tuple(EXTENSION_SUFFIXES))
