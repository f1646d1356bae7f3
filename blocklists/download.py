"""The file a list is fetched into: hashed, inflated where it is gzip, and bounded, a block at a time."""

from __future__ import annotations

import hashlib
import zlib
from enum import StrEnum
from pathlib import Path
from typing import Final

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WBITS: Final = 31  # zlib: a gzip header is expected
_PIECE_SIZE: Final = 1 << 20


class Failure(StrEnum):
    """Why a list could not be fetched. Stored: codes are never renamed."""

    UNREACHABLE = "unreachable"
    STATUS = "status"
    REDIRECT = "redirect"
    ADDRESS = "address"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    ENCODING = "encoding"
    FILE = "file"


class FetchError(Exception):
    """A list could not be fetched; the text says what, where, why and what to do now."""

    def __init__(self, code: Failure, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Download:
    """Writes blocks to ``path``. A gzip file is known by its first two octets, whatever the server calls it.

    ``limit`` holds for the octets received and for the octets written, so that neither an endless body nor a gzip
    bomb fills the disk. Raises ``FetchError``; the caller removes the file.
    """

    def __init__(self, path: Path, location: str, limit_bytes: int) -> None:
        self._location = location
        self._limit = limit_bytes
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._inflate: zlib._Decompress | None = None
        self._head = b""
        self._started = False
        self.received = 0
        self.written = 0

    @property
    def sha256(self) -> str:
        """Of what was written, hexadecimal."""
        return self._digest.hexdigest()

    @property
    def gzip(self) -> bool:
        """Whether what was received is a gzip file."""
        return self._inflate is not None

    def write(self, block: bytes) -> None:
        """Takes the next block as received."""
        self.received += len(block)
        if self.received > self._limit:
            raise self._too_large(f"over {self._limit:,} bytes")
        if not self._started:
            block = self._head + block
            self._head = block
            if len(block) < len(_GZIP_MAGIC):
                return
            self._start(block)
        if self._inflate is None:
            self._put(block)
        else:
            self._put_inflated(block)

    def finish(self) -> None:
        """All blocks were written. Raises ``FetchError`` where a gzip file ends before its end."""
        if not self._started:
            self._put(self._head)
        if self._inflate is not None and not self._inflate.eof:
            raise FetchError(
                Failure.TRUNCATED,
                f"{self._location} was cut: {self.received:,} bytes of gzip data came, and not its end. Sync again.",
            )
        self._file.flush()

    def close(self) -> None:
        """Closes the file, finished or not."""
        self._file.close()

    def _start(self, block: bytes) -> None:
        self._started = True
        self._head = b""
        if block.startswith(_GZIP_MAGIC):
            self._inflate = zlib.decompressobj(_GZIP_WBITS)

    def _put_inflated(self, block: bytes) -> None:
        while block:
            if self._inflate is None or self._inflate.eof:
                # A gzip file may have several members (RFC 1952 2.2), and zeros as padding behind them.
                block = block.lstrip(b"\0")
                if not block:
                    return
                self._inflate = zlib.decompressobj(_GZIP_WBITS)
            try:
                self._put(self._inflate.decompress(block, _PIECE_SIZE))
            except zlib.error as error:
                sentence = f"{self._location} sends damaged gzip data ({error}). Sync again; else look at the source."
                raise FetchError(Failure.ENCODING, sentence) from error
            block = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _put(self, piece: bytes) -> None:
        self.written += len(piece)
        if self.written > self._limit:
            raise self._too_large(f"over {self._limit:,} bytes once inflated")
        self._digest.update(piece)
        self._file.write(piece)

    def _too_large(self, how: str) -> FetchError:
        sentence = f"{self._location} is {how}, its limit. Raise max_size_bytes if the list has really grown so much."
        return FetchError(Failure.TOO_LARGE, sentence)
