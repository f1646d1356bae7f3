"""One category out of a folder or an archive of category folders, as the one text that ``formats/folder.py`` tells of.

Each file of the category goes into a file of its own first, since an archive has them in any order; then they are put
together. A member that is a file, not a folder, is the list by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from blocklists.formats.folder import FILES, HEAD, Escaping, heading
from blocklists.inflate import Failure, FetchError, Inflate
from blocklists.tar import Tar, TarError

_SUFFIXES: Final = ("", ".gz", ".xz", ".zst")
_COPY_SIZE: Final = 1 << 20
_MAX_SHOWN: Final = 30
_SELF: Final = "content"
_OTHER: Final = {"1": "a hard link", "2": "a link", "3": "a device", "4": "a device", "6": "a pipe"}


class Category:
    """Takes the files of one category; ``directory`` is for them while they come, and is the caller's to remove.

    ``limit_bytes`` holds for all files together, inflated.
    """

    def __init__(self, location: str, member: str, directory: Path, limit_bytes: int) -> None:
        self._location = location
        self._member = member
        self._directory = directory
        self._limit = limit_bytes
        self._written = 0
        self._open: BinaryIO | None = None
        self._inflate: Inflate | None = None
        self._files: set[str] = set()
        self._folders: set[str] = set()
        directory.mkdir()

    def wanted(self, path: str) -> str:
        """The category's file that a path inside of the archive is; empty where it is none."""
        if self._member and path == self._member:
            return _SELF
        folder, _, name = path.rpartition("/")
        if folder != self._member:
            if name.split(".")[0] in FILES and len(self._folders) < 10 * _MAX_SHOWN:
                self._folders.add(folder)
            return ""
        return next((file for file in FILES for suffix in _SUFFIXES if name == file + suffix), "")

    def begin(self, file: str) -> Callable[[bytes], None]:
        """A file begins; where its octets go, compressed or not. Raises ``FetchError`` for one that came before."""
        self.close()
        if file in self._files:
            raise FetchError(Failure.ARCHIVE, f"{self._location} has {self._member}/{file} twice. Look at the source.")
        self._files.add(file)
        self._open = (self._directory / file).open("wb")
        self._inflate = Inflate(f"{self._location}, {self._member}/{file}", self._limit, self._put)
        return self._inflate.write

    def close(self) -> None:
        """The file begun last is at its end. Raises ``FetchError`` where its compressed data are not."""
        if self._open is None or self._inflate is None:
            return
        try:
            self._inflate.finish()
        finally:
            self._open.close()
            self._open = None

    def abandon(self) -> None:
        """Closes what is open, whatever it holds."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def refuse_other(self, kind: str) -> None:
        """The category, or one of its files, is no folder and no file. Raises ``FetchError``."""
        what = _OTHER.get(kind, "of an unknown kind")
        sentence = f"{self._location}: {self._member} is {what} there, which is not followed. Name what it leads to."
        raise FetchError(Failure.ARCHIVE, sentence)

    def compose(self, into: Path) -> tuple[str, int]:
        """Writes the text of all files; its SHA-256 and size. Raises ``FetchError`` where there is no such category."""
        self.close()
        digest = hashlib.sha256()
        size_bytes = 0
        with into.open("wb") as target:
            for piece in self._pieces():
                digest.update(piece)
                size_bytes += target.write(piece)
        return digest.hexdigest(), size_bytes

    def _pieces(self) -> _Pieces:
        if self._files == {_SELF}:
            return _Pieces(self._directory / _SELF)
        if not self._files & {"domains", "urls"}:
            raise self._missing()
        return _Pieces(*(self._directory / file for file in FILES if file in self._files), folder=True)

    def _missing(self) -> FetchError:
        shown = sorted(self._folders)
        more = f" and {len(shown) - _MAX_SHOWN} more" if len(shown) > _MAX_SHOWN else ""
        has = ", ".join(folder or "(the top)" for folder in shown[:_MAX_SHOWN]) + more
        wish = f"no category folder {self._member}" if self._member else "no file domains of its own"
        sentence = f"{self._location} has {wish}; folders with one: {has or 'none'}. Set member."
        return FetchError(Failure.MEMBER, sentence)

    def _put(self, piece: bytes) -> None:
        self._written += len(piece)
        if self._written > self._limit:
            sentence = f"{self._location}, {self._member} is over {self._limit:,} bytes once inflated, its limit."
            raise FetchError(
                Failure.TOO_LARGE, f"{sentence} Raise max_size_bytes if the list has really grown so much."
            )
        if self._open is not None:
            self._open.write(piece)


class _Pieces:
    """The octets of files one behind the other, with their headings where they are a folder's."""

    def __init__(self, *paths: Path, folder: bool = False) -> None:
        self._paths = paths
        self._folder = folder

    def __iter__(self) -> Iterator[bytes]:
        if self._folder:
            yield HEAD
        for path in self._paths:
            escaping = Escaping()
            if self._folder:
                yield heading(path.name)[:-1]
            with path.open("rb") as source:
                while block := source.read(_COPY_SIZE):
                    yield escaping.block(block) if self._folder else block
            if self._folder:
                # Where a file ended without a line end, ``end`` sets it; the next heading begins a line.
                yield escaping.end(path == self._paths[-1])


def from_tar(category: Category) -> Tar:
    """A reader of an archive that puts what is wanted into ``category``."""

    def visit(path: str, kind: str) -> Callable[[bytes], None] | None:
        category.close()
        file = category.wanted(path) if path else ""
        if not file or kind == "5":
            return None
        if kind != "0":
            category.refuse_other(kind)
        return category.begin(file)

    return Tar(visit)


def archive_error(location: str, error: TarError) -> FetchError:
    """A damaged archive as a failed fetch."""
    return FetchError(Failure.ARCHIVE, f"{location} {error}. Sync again; else look at the source.")
