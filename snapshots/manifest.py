"""What a generation says of itself: one JSON line, and the line's SHA-256 on the next."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from snapshots.layout import MANIFEST, is_digest

FORMAT: Final = 1
_MAX_SIZE: Final = 65_536


class GenerationDamaged(ValueError):  # noqa: N818 (beside blocklists.IndexDamaged: it states what was found)
    """A generation is not what was written: something is missing, cut or changed. The message says what."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """``previous``: the generation that was current before, 0 for the first.

    ``index_manifest_sha256``: of the index's own manifest, which holds the checksums of its files. ``record_sha256``:
    of what the publisher keeps with it for people, ``""`` where it keeps nothing.
    """

    format: int
    number: int
    created_s: float
    revision: int
    previous: int
    policy_sha256: str
    policy_size_bytes: int
    index_digest: str
    index_manifest_sha256: str
    record_sha256: str = ""


def encode(manifest: Manifest) -> bytes:
    """The manifest's file."""
    line = msgspec.json.encode(manifest)
    return line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n"


def read(directory: Path) -> Manifest:
    """The manifest of a generation's directory. Raises ``GenerationDamaged``."""
    path = directory / MANIFEST
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SIZE)
    except OSError as fault:
        raise GenerationDamaged(f"{path} cannot be read: {fault.strerror}") from None
    if directory.name.startswith("."):
        return decode(content, path)
    return decode(content, path, int(directory.name) if directory.name.isdecimal() else 0)


def decode(content: bytes, path: Path, number: int | None = None) -> Manifest:
    """The manifest in ``content``; ``path`` is for the message, ``number`` what it must be of. Raises
    ``GenerationDamaged``.
    """
    line, _, rest = content.partition(b"\n")
    if rest.strip() != hashlib.sha256(line).hexdigest().encode():
        raise GenerationDamaged(f"{path} is cut or changed: its checksum does not fit")
    try:
        manifest = msgspec.json.decode(line, type=Manifest)
    except msgspec.DecodeError as fault:
        raise GenerationDamaged(f"{path} is of another version: {fault}") from None
    if manifest.format != FORMAT:
        raise GenerationDamaged(f"{path} has format {manifest.format}, this Saring reads {FORMAT}")
    if not is_digest(manifest.index_digest):
        raise GenerationDamaged(f"{path} names an index {manifest.index_digest!r}, which is no SHA-256")
    if number not in (None, manifest.number):
        raise GenerationDamaged(f"{path} is of generation {manifest.number}, its directory of another")
    return manifest
