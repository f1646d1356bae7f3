"""Compressed octets to plain ones, a block at a time and bounded: gzip (RFC 1952), xz, Zstandard (RFC 8878).

Known by their first octets, whatever a server or a file's name calls them; at most one inside of another (a compressed
file that a server compresses once more). An output out of all proportion is stopped, long before a disk is full.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, Protocol

from backports import zstd

PIECE_SIZE: Final = 1 << 20
_MAX_LAYERS: Final = 2
_MAGIC_SIZE: Final = 6
_XZ_MEMORY_BYTES: Final = 128 << 20  # "xz -9" needs 65 MiB
_ZSTD_WINDOW_LOG: Final = 27  # 128 MiB: what the command takes without being told otherwise
# Lists compress to a fifth, zones with one target to a thirtieth, a file of zeros to a thousandth.
_MAX_RATIO: Final = 250
_FREE_BYTES: Final = 16 << 20


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
    ARCHIVE = "archive"
    MEMBER = "member"
    PIN = "pin"


class FetchError(Exception):
    """A list could not be fetched; the text says what, where, why and what to do now."""

    def __init__(self, code: Failure, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class _Decompressor(Protocol):
    """What the decompressors of ``lzma`` and ``zstd`` have in common."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


class _Zlib:
    """zlib's decompressor with the interface of the others."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(31)  # a gzip header is expected
        self._left = b""
        self._full = False  # there may be more to come without more input

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        piece = self._inflate.decompress(self._left + data, max(max_length, 0))
        self._left = self._inflate.unconsumed_tail
        self._full = len(piece) == max_length
        return piece

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return not self._left and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)


def _zstd() -> _Decompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


_MAGIC: Final[tuple[tuple[bytes, str, Callable[[], _Decompressor]], ...]] = (
    (b"\x1f\x8b", "gzip", _Zlib),
    (b"\xfd7zXZ\x00", "xz", _xz),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
)


class Inflate:
    """Gives the plain octets to ``put``, a piece at a time. ``limit_bytes`` holds for what comes in and, separately,
    for what goes out. ``location`` is for errors. Raises ``FetchError``.
    """

    def __init__(
        self, location: str, limit_bytes: int, put: Callable[[bytes], None], layers: int = _MAX_LAYERS
    ) -> None:
        self._location = location
        self._limit = limit_bytes
        self._put = put
        self._layers = layers
        self._head = b""
        self._started = False
        self._stream: _Stream | None = None
        self._inner: Inflate | None = None
        self.received = 0
        self.written = 0

    @property
    def encodings(self) -> tuple[str, ...]:
        """What was found, the outermost first."""
        if self._stream is None:
            return ()
        return (self._stream.name, *(self._inner.encodings if self._inner else ()))

    def write(self, block: bytes) -> None:
        """Takes the next block as received."""
        self.received += len(block)
        if self.received > self._limit:
            raise self._too_large(f"over {self._limit:,} bytes")
        if not self._started:
            block = self._head + block
            self._head = block
            if len(block) < _MAGIC_SIZE:
                return
            self._start(block)
        self._pass(block)

    def finish(self) -> None:
        """All blocks were written. Raises ``FetchError`` where compressed data ends before its end."""
        if not self._started:
            head = self._head
            self._start(head)
            self._pass(head)
        if self._stream is not None and not self._stream.ended:
            raise FetchError(
                Failure.TRUNCATED,
                f"{self._location} was cut: {self.received:,} bytes of {self._stream.name} data came, and not its end."
                " Sync again.",
            )
        if self._inner is not None:
            self._inner.finish()
            self.written = self._inner.written

    def _start(self, block: bytes) -> None:
        self._started = True
        self._head = b""
        for magic, name, make in _MAGIC:
            if self._layers and block.startswith(magic):
                self._stream = _Stream(name, make)
                self._inner = Inflate(self._location, self._limit, self._put, self._layers - 1)

    def _pass(self, block: bytes) -> None:
        if self._stream is None or self._inner is None:
            self._count(len(block))
            if block:
                self._put(block)
            return
        try:
            for piece in self._stream.pieces(block):
                self._count(len(piece))
                self._inner.write(piece)
        except (zlib.error, lzma.LZMAError, zstd.ZstdError, EOFError) as error:
            sentence = (
                f"{self._location} sends damaged {self._stream.name} data ({error})."
                " Sync again; else look at the source."
            )
            raise FetchError(Failure.ENCODING, sentence) from error

    def _count(self, size_bytes: int) -> None:
        self.written += size_bytes
        if self.written > self._limit:
            raise self._too_large(f"over {self._limit:,} bytes once inflated")
        if self._stream is not None and self.written > max(_FREE_BYTES, _MAX_RATIO * self.received):
            raise FetchError(
                Failure.TOO_LARGE,
                f"{self._location} grows more than {_MAX_RATIO}-fold once inflated, as no list does."
                " Look at the source.",
            )

    def _too_large(self, how: str) -> FetchError:
        sentence = f"{self._location} is {how}, its limit. Raise max_size_bytes if the list has really grown so much."
        return FetchError(Failure.TOO_LARGE, sentence)


class _Stream:
    """One layer of compression: members or frames, one behind the other, with zeros as padding between."""

    def __init__(self, name: str, make: Callable[[], _Decompressor]) -> None:
        self.name = name
        self._make = make
        self._now: _Decompressor | None = None
        self._any = False

    @property
    def ended(self) -> bool:
        """Whether the data so far are whole."""
        return self._any and self._now is None

    def pieces(self, block: bytes) -> Iterator[bytes]:
        """The plain octets of a block, at most ``PIECE_SIZE`` at once."""
        while block or (self._now is not None and not self._now.needs_input):
            if self._now is None:
                block = block.lstrip(b"\0") if self._any else block
                if not block:
                    return
                self._now = self._make()
                self._any = True
            yield self._now.decompress(block, PIECE_SIZE)
            block = b""
            if self._now.eof:
                block = self._now.unused_data
                self._now = None
