"""A secret that this node makes for itself and keeps: cookies that clients hold must outlive a restart."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final

_SIZE: Final = 32
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{64}")


def own_secret(path: Path) -> str:
    """The secret in ``path``, as hexadecimal; made where there is none that can be used. Raises ``OSError``."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        text = ""
    if _HEXADECIMAL.fullmatch(text):
        return text
    text = secrets.token_hex(_SIZE)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
    beside.replace(path)
    return text
