"""Address ranges: reading them, and finding the longest that holds an address.

A range is ``Prefix(bits, length, value)``: ``bits`` is 32 or 128, ``length`` the prefix length, ``value`` the leading
``length`` bits as an integer. IPv4 addresses written inside IPv6 (``::ffff:0:0/96``, RFC 4291 2.5.5.2) count as IPv4
everywhere, or a client on a dual-stack socket would belong to no agency.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

_MAPPED: Final = b"\x00" * 10 + b"\xff\xff"


class NetworkSyntaxError(ValueError):
    """Text that is no address range; the message says why."""


class Prefix(NamedTuple):
    """An address range; see the module."""

    bits: int
    length: int
    value: int


def parse(cidr: str) -> Prefix:
    """The range of ``10.20.0.0/16``, ``2001:db8::/32`` or a single address. Raises ``NetworkSyntaxError``.

    Bits behind the prefix are dropped; ``has_host_bits`` tells of them.
    """
    text, _, length_text = cidr.partition("/")
    packed = _pack(text)
    bits = len(packed) * 8
    length = bits
    if "/" in cidr:
        if not (length_text.isascii() and length_text.isdigit()) or int(length_text) > bits:
            raise NetworkSyntaxError(f"{cidr!r}: the prefix length is a number from 0 to {bits}")
        length = int(length_text)
    if bits == 128 and length >= 96 and packed.startswith(_MAPPED):
        packed, bits, length = packed[12:], 32, length - 96
    return Prefix(bits, length, int.from_bytes(packed, "big") >> (bits - length))


def has_host_bits(cidr: str) -> bool:
    """Whether bits behind the prefix are set, as in ``10.20.0.5/16``: usually a slip of whoever typed it."""
    text, _, length_text = cidr.partition("/")
    packed = _pack(text)
    hidden = len(packed) * 8 - int(length_text or len(packed) * 8)
    return int.from_bytes(packed, "big") & ((1 << hidden) - 1) != 0


def _pack(text: str) -> bytes:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):  # ValueError: a NUL in the text
        raise NetworkSyntaxError(f"{text!r} is no IPv4 or IPv6 address") from None


def unmapped(address: bytes) -> bytes:
    """The address in its shortest form: an IPv4 address inside IPv6 becomes four octets.

    Raises ``ValueError`` for anything but 4 or 16 octets.
    """
    size = len(address)
    if size == 4:
        return address
    if size != 16:
        raise ValueError(f"an address has 4 or 16 octets, not {size}")
    return address[12:] if address.startswith(_MAPPED) else address


class PrefixTable(Generic[T]):
    """A longest-prefix map: a dictionary per prefix length that occurs, asked from the longest to the shortest.

    A government's plan has a handful of lengths, so a look-up is a handful of dictionary probes however many networks
    there are.
    """

    __slots__ = ("_tables4", "_tables6", "size")

    def __init__(self, entries: Iterable[tuple[Prefix, T]]) -> None:
        """Takes (prefix, value) pairs; of equal prefixes the first stands."""
        tables: dict[tuple[int, int], dict[int, T]] = {}
        self.size = 0
        for prefix, value in entries:
            table = tables.setdefault((prefix.bits, prefix.length), {})
            self.size += prefix.value not in table
            table.setdefault(prefix.value, value)
        self._tables4 = _by_length(tables, 32)
        self._tables6 = _by_length(tables, 128)

    def find(self, address: bytes) -> T | None:
        """The value of the longest prefix that holds the address (4 or 16 octets, else ``ValueError``), or None."""
        address = unmapped(address)
        number = int.from_bytes(address, "big")
        for shift, table in self._tables4 if len(address) == 4 else self._tables6:
            value = table.get(number >> shift)
            if value is not None:
                return value
        return None

    def find_all(self, address: bytes) -> list[tuple[int, T]]:
        """(prefix length, value) of every prefix that holds the address, the longest first."""
        address = unmapped(address)
        number = int.from_bytes(address, "big")
        bits = len(address) * 8
        found: list[tuple[int, T]] = []
        for shift, table in self._tables4 if len(address) == 4 else self._tables6:
            value = table.get(number >> shift)
            if value is not None:
                found.append((bits - shift, value))
        return found


def _by_length(tables: dict[tuple[int, int], dict[int, T]], bits: int) -> tuple[tuple[int, dict[int, T]], ...]:
    lengths = sorted((length for family, length in tables if family == bits), reverse=True)
    return tuple((bits - length, tables[bits, length]) for length in lengths)


# Addresses that only a client inside the regency's own network can have as its source: RFC 1918, RFC 6598 (shared
# address space), RFC 1122 (loopback), RFC 3927 and RFC 4291 (link-local), RFC 4193 (unique local).
_PRIVATE: Final = PrefixTable(
    (parse(cidr), cidr)
    for cidr in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


def is_private(address: bytes) -> bool:
    """Whether the address (4 or 16 octets) is of a range that is never routed on the internet."""
    return _PRIVATE.find(address) is not None
