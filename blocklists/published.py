"""A version's text as it was published, kept compressed beside its entries, to name the line of an entry later.

A list of names compresses to a quarter: for ten million names some 60 MB, beside 200 MB of entries.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, cast

from backports import zstd

from blocklists.formats.detect import BY_NAME
from blocklists.formats.harvest import Options
from blocklists.lines import Place, Text, Wanted, place_of

TEXT: Final = "text.zst"
_LEVEL: Final = 3
_COPY_SIZE: Final = 1 << 20


def keep_text(text: Path, path: Path) -> None:
    """Writes the text at ``text`` to ``path``; the caller syncs it. Raises ``OSError``."""
    with text.open("rb") as source, zstd.open(path, "wb", level=_LEVEL) as target:
        shutil.copyfileobj(source, cast(BinaryIO, target), _COPY_SIZE)


def line_of(
    path: Path, format_name: str, subdomains: bool | None, landing: frozenset[str], key: bytes, cover: int
) -> Place | None:
    """The first line of the text kept at ``path`` that gives an entry of this key with any bit of ``cover``.

    None where the text was not kept, is damaged, or holds none such. Takes some seconds for ten million names.
    """
    known = BY_NAME.get(format_name)
    if known is None or not path.is_file():
        return None
    try:
        return place_of(Text(_opener(path), known, Options(landing), subdomains), Wanted(key, cover))
    except (OSError, EOFError, zstd.ZstdError):
        return None


def _opener(path: Path) -> Callable[[], BinaryIO]:
    def open_it() -> BinaryIO:
        return cast(BinaryIO, BufferedReader(cast(BufferedReader, zstd.open(path, "rb")), _COPY_SIZE))

    return open_it
