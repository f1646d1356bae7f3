"""The reverse zones of a network: ``10.20.0.0/16`` is ``20.10.in-addr.arpa``."""

from __future__ import annotations

import ipaddress
from typing import Final

_IPV4_STEP: Final = 8  # bits a label
_IPV6_STEP: Final = 4


def reverse_zones(text: str) -> tuple[str, ...]:
    """The zones that together are the network's: several where it does not end at a label (a /12 has 16).

    Raises ``ValueError`` for what is no network, or is smaller than one label tells.
    """
    network = ipaddress.ip_network(text, strict=True)
    step = _IPV4_STEP if network.version == 4 else _IPV6_STEP
    length = -(-network.prefixlen // step) * step
    if length == 0:
        raise ValueError("the whole address space; name in-addr.arpa or ip6.arpa as a suffix instead")
    if length == network.max_prefixlen and network.prefixlen != length:
        raise ValueError(f"smaller than its zone; /{length - step} or a single address (/{length}) would do")
    return tuple(_zone(subnet, length // step) for subnet in network.subnets(new_prefix=length))


def _zone(network: ipaddress.IPv4Network | ipaddress.IPv6Network, labels: int) -> str:
    # The reverse pointer of the network's address: its labels, the last first, and two of arpa.
    return ".".join(network.network_address.reverse_pointer.split(".")[-labels - 2 :])
