"""The program's version, from the installed package."""

from __future__ import annotations

from importlib import metadata


def _version() -> str:
    try:
        return metadata.version("saring")
    except metadata.PackageNotFoundError:
        # A bare source tree that was never installed.
        return "0+unknown"


VERSION = _version()
