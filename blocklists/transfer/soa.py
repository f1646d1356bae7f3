"""A zone's SOA: its serial, and how often a secondary asks for a newer one (RFC 1035 3.3.13, RFC 1034 4.3.5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from dnswire import name as wire
from dnswire.errors import WireError

_NUMBERS: Final = struct.Struct(">IIIII")


@dataclass(frozen=True, slots=True)
class Soa:
    """What a secondary needs of an SOA RR; times in seconds as the primary states them."""

    serial: int
    refresh_s: int
    retry_s: int
    expire_s: int


def read_soa(message: bytes, offset: int, size: int) -> Soa:
    """The SOA whose RDATA of ``size`` octets is at ``offset``. Raises ``WireError``."""
    end = offset + size
    behind = wire.skip(message, wire.skip(message, offset))
    if behind + _NUMBERS.size != end or end > len(message):
        raise WireError("SOA of a wrong size", offset)
    serial, refresh_s, retry_s, expire_s, _ = _NUMBERS.unpack_from(message, behind)
    return Soa(serial, refresh_s, retry_s, expire_s)
