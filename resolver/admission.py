"""Step 1 of a query's way: whether a socket address may ask at all.

An open resolver is a weapon (reflection) and a bill; what is not listed is dropped without an answer, which a spoofed
source could not tell from silence anyway.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Admission:
    """The networks that may ask. An empty list admits everybody (a firewall in front decides)."""

    def __init__(self, allow_from: Sequence[str]) -> None:
        """``allow_from``: CIDRs. Raises ``ValueError`` naming the one that is not."""
        self._networks: list[_Network] = [ipaddress.ip_network(cidr) for cidr in allow_from]

    def admits(self, host: str) -> bool:
        """Whether the client at a textual socket address may ask. Not remembered here: ``InForce.known`` does."""
        if not self._networks:
            return True
        address = ipaddress.ip_address(host.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped  # a dual-stack socket shows IPv4 clients this way
        return any(address in network for network in self._networks)
