"""Fills an empty control database from a regency document (``admin_api/seed_document.py``)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from admin_api.database import Sessions, editing
from admin_api.journal import Actor
from admin_api.rest.problem import mistakes
from admin_api.seed import ImportRefusedError, Report, import_regency

MAX_DOCUMENT_SIZE_BYTES = 64 * 1024 * 1024


class BootstrapError(Exception):
    """The document cannot be imported; the text says where it is wrong. The database is as it was."""


async def import_document(sessions: Sessions, path: Path, actor: Actor, now_s: float) -> Report:
    """Imports the document at ``path`` in the name of ``actor``; relative locations of lists count from beside it.

    Raises ``BootstrapError``; then nothing was written.
    """
    document = read_document(path)
    try:
        async with editing(sessions) as session:
            return await import_regency(session, document, actor=actor, now_s=now_s)
    except ImportRefusedError as error:
        raise BootstrapError(f"{path} is not imported; it has {mistakes(error.errors)}") from error


def read_document(path: Path) -> dict[str, Any]:
    """The document as plain values. Raises ``BootstrapError``."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_DOCUMENT_SIZE_BYTES + 1)
        if len(raw) > MAX_DOCUMENT_SIZE_BYTES:
            raise BootstrapError(f"{path} is larger than {MAX_DOCUMENT_SIZE_BYTES} bytes")
        document = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise BootstrapError(
            f"{path} cannot be read: {error.strerror}. "
            "Correct [bootstrap] document, or start in the directory that its path counts from."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BootstrapError(f"{path} is not TOML: {error}") from error
    locate_lists(document, path.absolute().parent)
    return document


def locate_lists(document: dict[str, Any], directory: Path) -> None:
    """Makes relative paths absolute: whoever fetches the list later may be started somewhere else."""
    entries = document.get("list", [])
    for entry in entries if isinstance(entries, list) else []:
        location = entry.get("location") if isinstance(entry, dict) else None
        if (
            isinstance(location, str)
            and location
            and not urlsplit(location).scheme
            and not Path(location).is_absolute()
        ):
            entry["location"] = str(directory / location)
