"""IPv4 addresses inside IPv6 addresses behind a NAT64 (RFC 6052)."""

from __future__ import annotations

import ipaddress
from typing import Final

# Where an IPv4 address stands within an IPv6 one, by the length of the prefix before it: offsets of its octets.
OFFSETS: Final[dict[int, tuple[int, int, int, int]]] = {
    32: (4, 5, 6, 7),
    40: (5, 6, 7, 9),
    48: (6, 7, 9, 10),
    56: (7, 9, 10, 11),
    64: (9, 10, 11, 12),
    96: (12, 13, 14, 15),
}


def nat64_offsets(prefix: ipaddress.IPv4Network | ipaddress.IPv6Network) -> tuple[int, int, int, int]:
    """Where IPv4 addresses stand behind a NAT64 prefix (RFC 6052 2.2). Raises ``ValueError`` for another length."""
    offsets = OFFSETS.get(prefix.prefixlen) if prefix.version == 6 else None
    if offsets is None:
        raise ValueError(f"{prefix} is no NAT64 prefix: one of IPv6, of 32, 40, 48, 56, 64 or 96 bits")
    return offsets
