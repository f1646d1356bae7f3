"""A file like /etc/hosts: addresses and the names that have them, read again when it changes.

    10.20.0.5   portal.example.go.id  portal   # comment

A name gets A or AAAA, an address PTR for the first name of its line. Lines about loopback and multicast addresses speak
of the machine that the file lies on, and are left out: a client's own loopback is never what is meant.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dnswire import name as wire
from dnswire.constants import RRType
from dnswire.errors import NameSyntaxError
from resolver.local_records import LocalRecords

MAX_SIZE_BYTES: Final = 16 * 1024 * 1024
MAX_NAMES: Final = 200_000
_MAX_PROBLEMS: Final = 20


class HostsFile:
    """The file at ``path``, as it was read last. ``ttl_s``: of all its records."""

    def __init__(self, path: Path, ttl_s: int) -> None:
        self._path = path
        self._ttl_s = ttl_s
        self._seen: tuple[int, int, int] | None = None
        self._text = ""

    def changed(self) -> bool:
        """Whether the file is another one than when it was last read: one ``stat``. A lost file is as it was."""
        try:
            status = self._path.stat()
        except OSError:
            return False
        return (status.st_mtime_ns, status.st_ino, status.st_size) != self._seen

    def read(self) -> None:
        """Reads it. Raises ``OSError``, or ``ValueError`` for one too large or no text; what was read before stays."""
        status = self._path.stat()
        self._seen = status.st_mtime_ns, status.st_ino, status.st_size  # also of one that cannot be read: say so once
        with self._path.open("rb") as file:
            raw = file.read(MAX_SIZE_BYTES + 1)
        if len(raw) > MAX_SIZE_BYTES:
            raise ValueError(f"{self._path} is larger than {MAX_SIZE_BYTES} bytes")
        try:
            self._text = raw.decode()
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise ValueError(f"{self._path}:{line} is not UTF-8 text") from None

    def fill(self, records: LocalRecords) -> list[str]:
        """Adds what the file says; returns what is wrong with it, a line each, the first 20."""
        problems: list[str] = []
        names = 0
        for line, text in enumerate(self._text.splitlines(), 1):
            words = text.partition("#")[0].split()
            if not words:
                continue
            if names >= MAX_NAMES:
                problems.append(f"{self._path}:{line}: more than {MAX_NAMES} names; the rest is left out")
                break
            problems += [f"{self._path}:{line}: {problem}" for problem in self._line(words, records)]
            names += len(words) - 1
        return problems[:_MAX_PROBLEMS]

    def _line(self, words: list[str], records: LocalRecords) -> Iterator[str]:
        try:
            address = ipaddress.ip_address(words[0])
        except ValueError:
            yield f"{words[0]!r} is not an IPv4 or IPv6 address"
            return
        if len(words) == 1:
            yield "an address without a name"
        if address.is_loopback or address.is_multicast or address in _UNROUTED:
            return
        rrtype = RRType.A if address.version == 4 else RRType.AAAA
        reverse = wire.from_text(address.reverse_pointer)
        for position, word in enumerate(words[1:]):
            try:
                owner = wire.from_text(word).lower()
            except NameSyntaxError as error:
                yield f"{word!r} is not a name: {error}"
                continue
            records.add(owner, rrtype, self._ttl_s, address.packed)
            if position == 0:
                records.add(reverse, RRType.PTR, self._ttl_s, owner)


_UNROUTED: Final = (ipaddress.IPv6Address("fe00::"), ipaddress.IPv4Address("255.255.255.255"))
