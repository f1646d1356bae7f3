"""Which addresses a list may be fetched from: a public list's server is on the public internet, and nowhere else.

A URL that people enter, or a redirect that a server sends, must not make the resolver's host read from the network
behind it (cloud metadata, routers, the admin API itself).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Host and port to numeric addresses. Raises OSError where there are none.
Resolve = Callable[[str, int], Awaitable[list[str]]]

# All that IANA gives to hosts on the internet; elsewhere are IPv4-compatible and -translated addresses, site-local
# ones, local NAT64 (64:ff9b:1::/48), and what may come.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION: Final = ipaddress.IPv6Network("3fff::/20")  # RFC 9637, younger than Python 3.11's tables
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


async def system_resolve(host: str, port: int) -> list[str]:
    """The system's own answer (getaddrinfo). Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def why_not_public(text: str) -> str | None:
    """Why a list may not be fetched from this numeric address; None where it may."""
    try:
        address = _innermost(ipaddress.ip_address(text.split("%", 1)[0]))
    except ValueError:
        return "is no address"
    if address.is_link_local:
        return "is link-local (cloud metadata is served there)"
    if address.is_loopback or address.is_unspecified:
        return "is this machine itself"
    if address.is_multicast:
        return "is a multicast address"
    if isinstance(address, ipaddress.IPv6Address) and (address not in _UNICAST or address in _DOCUMENTATION):
        return "is private or reserved"
    return None if address.is_global else "is private or reserved"


def _innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does: each is a way around a test of the outer one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
