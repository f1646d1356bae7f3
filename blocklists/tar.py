"""Tar archives as they come, a block at a time: headers checked, paths cleaned, nothing but regular files looked into.

Written for hostile archives and for streaming: nothing is unpacked that was not asked for, memory is bounded by one
header, and a path never becomes a path on this machine. Understands ustar, GNU long names and pax paths (POSIX.1-2017
pax, "ustar Interchange Format"); links, devices and sparse files are named to the caller and never followed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_BLOCK: Final = 512
_MAX_MEMBERS: Final = 100_000
_MAX_META: Final = 65_536  # octets of a long name or of pax records
_MAX_PATH: Final = 1_000
_REGULAR: Final = b"0\x00"
_META: Final = b"Lx"
_IGNORED_META: Final = b"gK"
_CHECKSUM: Final = slice(148, 156)


class TarError(Exception):
    """The octets are no sound archive; the text says why, without subject."""


# Told of each member: its clean path ("" where it leaves the archive), and its type octet, "0" for a regular file.
# Gives where the content goes to, or None where it is not wanted.
Visit = Callable[[str, str], Callable[[bytes], None] | None]


def is_tar(head: bytes) -> bool:
    """Whether octets begin as an archive does."""
    return len(head) >= _BLOCK and head[257:262] == b"ustar" and _sum_is_right(head[:_BLOCK])


class Tar:
    """Reads one archive. ``members`` counts what it holds."""

    def __init__(self, visit: Visit, max_members: int = _MAX_MEMBERS) -> None:
        self._visit = visit
        self._max_members = max_members
        self._rest = b""
        self._left = 0  # octets of the member's content that are still to come
        self._padding = 0
        self._put: Callable[[bytes], None] | None = None
        self._meta: bytearray | None = None
        self._meta_type = b""
        self._path = ""  # from a long name or pax records, for the next member
        self._zeros = False
        self._ended = False
        self.members = 0

    def write(self, block: bytes) -> None:
        """Takes the next octets. Raises ``TarError``."""
        data = self._rest + block
        at = 0
        size = len(data)
        while not self._ended:
            if self._left:
                taken = min(self._left, size - at)
                self._content(data[at : at + taken])
                at += taken
                self._left -= taken
                if self._left:
                    break
                self._member_ended()
            skipped = min(self._padding, size - at)
            at += skipped
            self._padding -= skipped
            if self._padding or size - at < _BLOCK:
                break
            self._header(data[at : at + _BLOCK])
            at += _BLOCK
            if not self._left:
                self._member_ended()
        self._rest = b"" if self._ended else data[at:]

    def finish(self) -> None:
        """No more octets come. Raises ``TarError`` where a member was cut."""
        if self._left or self._padding or (self._rest and not self._zeros):
            raise TarError("was cut in the middle of a file")

    def _header(self, header: bytes) -> None:
        if not any(header):
            # Two such blocks end an archive; behind them may be anything.
            self._ended = self._zeros
            self._zeros = True
            return
        self._zeros = False
        if not _sum_is_right(header):
            raise TarError("has a damaged header")
        kind = header[156:157]
        self._left = _number(header[124:136])
        self._padding = -self._left % _BLOCK
        self._meta = None
        self._put = None
        if kind in _META or kind in _IGNORED_META:
            if self._left > _MAX_META:
                raise TarError("has a name that is far too long")
            if kind in _META:
                self._meta = bytearray()
                self._meta_type = kind
            return
        self.members += 1
        if self.members > self._max_members:
            raise TarError(f"has more than {self._max_members:,} members")
        path = self._path or _ustar_path(header)
        self._path = ""
        self._put = self._visit(_clean(path), "0" if kind in _REGULAR else kind.decode("latin-1"))

    def _content(self, piece: bytes) -> None:
        if self._meta is not None:
            self._meta += piece
        elif self._put is not None:
            self._put(piece)

    def _member_ended(self) -> None:
        if self._meta is None:
            return
        content = bytes(self._meta)
        self._meta = None
        if self._meta_type == b"L":
            self._path = _text(content.rstrip(b"\0"))
        else:
            self._path = _pax_path(content) or self._path


def _sum_is_right(header: bytes) -> bool:
    """Whether the header's checksum is the sum of its octets, the checksum itself counted as blanks."""
    blank = header[:148] + b" " * 8 + header[156:]
    digits = header[_CHECKSUM].replace(b"\0", b" ").split()
    try:
        return bool(digits) and int(digits[0], 8) == sum(blank)
    except ValueError:
        return False


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU: sizes over 8 GiB as a big-endian number
        return int.from_bytes(field[1:])
    digits = field.replace(b"\0", b" ").split()
    try:
        value = int(digits[0], 8) if digits else 0
    except ValueError:
        raise TarError("has a damaged header") from None
    if value < 0:
        raise TarError("has a damaged header")
    return value


def _ustar_path(header: bytes) -> str:
    name = header[:100].split(b"\0", 1)[0]
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(raw: bytes) -> str:
    return raw[: _MAX_PATH + 1].decode("utf-8", "replace")


def _pax_path(records: bytes) -> str:
    """The path among records of "length keyword=value" lines."""
    at = 0
    found = ""
    while at < len(records):
        digits, _, _ = records[at : at + 12].partition(b" ")
        if not digits.isdigit() or int(digits) < len(digits) + 3:
            raise TarError("has damaged pax records")
        keyword, _, value = records[at + len(digits) + 1 : at + int(digits) - 1].partition(b"=")
        if keyword == b"path":
            found = _text(value)
        elif keyword.startswith(b"GNU.sparse") or keyword == b"size":
            # The content would not be what the header says.
            raise TarError("has a sparse or oversized file")
        at += int(digits)
    return found


def _clean(path: str) -> str:
    """The path without "." parts; empty where it leaves the archive, is absolute, or too long."""
    if path.startswith("/") or "\\" in path or not path.isprintable() or len(path) > _MAX_PATH:
        return ""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "" if ".." in parts else "/".join(parts)
