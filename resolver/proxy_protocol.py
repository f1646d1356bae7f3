"""The PROXY protocol, version 2 (HAProxy, "The PROXY protocol", section 2.2): who asked a load balancer in front of us.

Believed only from listed peers, and from those demanded: a peer that forgets it would have all its clients taken for
itself. The header stands before a datagram, or once before all else on a connection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final, NamedTuple

from policy.networks import PrefixTable, parse

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
HEAD_SIZE: Final = 16
MAX_SIZE: Final = 536  # "receivers may assume that it fits": the smallest segment of TCP (section 2.2)
_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_SIZES: Final = {0x11: 4, 0x12: 4, 0x21: 16, 0x22: 16}  # family and transport: octets of an address


class ProxyHeaderError(ValueError):
    """Octets that are no PROXY header of version 2."""


class ProxyHeader(NamedTuple):
    """``host``: who asked, empty where the peer speaks for itself (a health check); ``size``: octets of the header."""

    host: str
    size: int


class Proxies:
    """The peers that put a header before what they pass on. Raises ``ValueError`` for a network that is none."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = PrefixTable((parse(cidr), True) for cidr in networks)
        self._none = not networks

    def include(self, host: str) -> bool:
        """Whether a textual socket address is one of them."""
        return not self._none and self.include_packed(ipaddress.ip_address(host.partition("%")[0]).packed)

    def include_packed(self, address: bytes) -> bool:
        """The same for 4 or 16 octets."""
        return not self._none and self._networks.find(address) is not None


NO_PROXIES: Final = Proxies(())


def read_header(data: bytes | bytearray) -> ProxyHeader | None:
    """The header that ``data`` begins with; None where more octets are to come. Raises ``ProxyHeaderError``."""
    if not data.startswith(SIGNATURE[: len(data)]):
        raise ProxyHeaderError("a listed proxy sent no PROXY header")
    if len(data) < HEAD_SIZE:
        return None
    command, family = data[12], data[13]
    size = HEAD_SIZE + ((data[14] << 8) | data[15])
    if command not in (_LOCAL, _PROXY):
        raise ProxyHeaderError(f"PROXY version and command 0x{command:02x}")
    if size > MAX_SIZE:
        raise ProxyHeaderError(f"a PROXY header of {size} octets")
    if len(data) < size:
        return None
    if command == _LOCAL:
        return ProxyHeader("", size)
    width = _SIZES.get(family)
    if width is None or size < HEAD_SIZE + 2 * width + 4:
        raise ProxyHeaderError(f"PROXY addresses of family 0x{family:02x} in {size} octets")
    return ProxyHeader(str(ipaddress.ip_address(bytes(data[HEAD_SIZE : HEAD_SIZE + width]))), size)
