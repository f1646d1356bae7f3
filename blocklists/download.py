"""What a source sends, on its way into the list's file: hashed, inflated, picked out of an archive, and bounded."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from blocklists.category import Category, archive_error, from_tar
from blocklists.inflate import Failure, FetchError, Inflate
from blocklists.source import Source
from blocklists.tar import Tar, TarError, is_tar

__all__ = ["Download", "Failure", "FetchError"]

_HEAD_SIZE: Final = 512  # a tar archive shows itself in its first header


class Download:
    """Writes the list to ``path``. Raises ``FetchError``; the caller closes it and removes the file.

    ``source.max_size_bytes`` holds for the octets received, for what they inflate to, and for what is written, so that
    neither an endless body nor a bomb fills the disk.
    """

    def __init__(self, path: Path, location: str, source: Source) -> None:
        self._path = path
        self._location = location
        self._source = source
        self._received = hashlib.sha256()
        self._digest = hashlib.sha256()
        self._inflate = Inflate(location, source.max_size_bytes, self._sort)
        self._head = b""
        self._file: BinaryIO | None = None
        self._category: Category | None = None
        self._tar: Tar | None = None
        self._files = path.with_name(f"{path.name}.files")
        self.sha256 = ""  # of what was written, hexadecimal; known when finished
        self.written = 0

    @property
    def encodings(self) -> tuple[str, ...]:
        """The compressions found, the outermost first."""
        return self._inflate.encodings

    @property
    def received(self) -> int:
        """Octets received."""
        return self._inflate.received

    def write(self, block: bytes) -> None:
        """Takes the next block as received."""
        self._received.update(block)
        try:
            self._inflate.write(block)
        except TarError as error:
            raise archive_error(self._location, error) from error

    def finish(self) -> None:
        """All blocks were written: the file is complete. Raises ``FetchError`` where what was sent is not."""
        try:
            self._inflate.finish()
            if self._file is None and self._tar is None:
                self._begin()
            if self._tar is not None and self._category is not None:
                self._tar.finish()
                self.sha256, self.written = self._category.compose(self._path)
        except TarError as error:
            raise archive_error(self._location, error) from error
        if self._file is not None:
            self._file.flush()
            self.sha256 = self._digest.hexdigest()
        check_pin(self._source, self._location, self._received.hexdigest(), self.sha256)

    def close(self) -> None:
        """Closes and removes what was for the way only."""
        if self._file is not None:
            self._file.close()
        if self._category is not None:
            self._category.abandon()
            shutil.rmtree(self._files, ignore_errors=True)

    def _sort(self, piece: bytes) -> None:
        if self._file is None and self._tar is None:
            self._head += piece
            if len(self._head) < _HEAD_SIZE:
                return
            self._begin()
            return
        self._put(piece)

    def _begin(self) -> None:
        head, self._head = self._head, b""
        if is_tar(head):
            self._category = Category(self._location, self._source.member, self._files, self._source.max_size_bytes)
            self._tar = from_tar(self._category)
        elif self._source.member:
            sentence = f"{self._location} is no tar archive, in which {self._source.member} could be."
            raise FetchError(Failure.ARCHIVE, f"{sentence} Correct the location, or remove member.")
        else:
            self._file = self._path.open("wb")
        self._put(head)

    def _put(self, piece: bytes) -> None:
        if self._tar is not None:
            self._tar.write(piece)
        elif self._file is not None:
            self._digest.update(piece)
            self.written += self._file.write(piece)


def check_pin(source: Source, location: str, *digests: str) -> None:
    """Raises ``FetchError`` where a source is pinned to a content, and this is another."""
    if source.sha256 and source.sha256 not in digests:
        sentence = (
            f"{location} has the SHA-256 {digests[0]}, and {source.code} is pinned to {source.sha256}."
            " If the new content is right, enter its digest as sha256."
        )
        raise FetchError(Failure.PIN, sentence)
