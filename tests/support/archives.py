"""Category folders and tar archives for tests, sound and hostile."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path

from backports import zstd

CATEGORIES: Mapping[str, bytes] = {
    "blacklists/judi/domains": b"judi1.example\njudi2.example\n",
    "blacklists/judi/urls": b"blog.example/judi\n",
    "blacklists/judi/usage": b"black\n",
    "blacklists/putih/domains": b"kantor.example\n",
    "blacklists/putih/usage": b"white\n",
    "blacklists/README": b"# a text\n",
}


def tar_of(files: Mapping[str, bytes], *others: tarfile.TarInfo, form: int = tarfile.GNU_FORMAT) -> bytes:
    """An archive of regular files, and behind them of other members."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w", format=form) as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in others:
            archive.addfile(info)
    return into.getvalue()


def link(path: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """A member that is a link, or by ``kind`` a device or pipe."""
    info = tarfile.TarInfo(path)
    info.type = kind
    info.linkname = target
    return info


def folder_of(root: Path, files: Mapping[str, bytes]) -> Path:
    """The files below ``root``."""
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return root


def compressed(content: bytes, how: str) -> bytes:
    """The content as gzip, xz or zstd; unchanged for ""."""
    match how:
        case "gzip":
            return gzip.compress(content, mtime=0)
        case "xz":
            return lzma.compress(content)
        case "zstd":
            return zstd.compress(content)
        case _:
            return content
