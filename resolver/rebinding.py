"""Protection against DNS rebinding: no name of the Internet leads a client to an address of our own networks.

A page that a civil servant opens may have its name answered a second time, now with the address of the office's router
or of his own machine; the browser then lets the page talk to it as to itself. So an answer from a public group that
holds a private address is kept back, in whatever disguise the address comes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from dnswire import name as wire
from policy.model import AnswerKind, BlockAnswer, Decision, Ede, Language, Layer, Verdict, Via
from resolver.nat64 import OFFSETS, nat64_offsets
from resolver.settings import RebindingSettings

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Ranges = list[tuple[int, int]]
"""(mask, bits) of networks of one family."""

_PRIVATE: Final = (
    "0.0.0.0/8",  # RFC 1122 3.2.1.3 "this network": many systems take 0.0.0.0 for themselves
    "10.0.0.0/8",  # RFC 1918
    "127.0.0.0/8",  # RFC 1122 3.2.1.3
    "169.254.0.0/16",  # RFC 3927
    "172.16.0.0/12",  # RFC 1918
    "192.168.0.0/16",  # RFC 1918
    "255.255.255.255/32",  # RFC 919
    "::/128",  # RFC 4291 2.5.2
    "::1/128",  # RFC 4291 2.5.3
    "fc00::/7",  # RFC 4193
    "fe80::/10",  # RFC 4291 2.5.6
    "fec0::/10",  # RFC 3879: deprecated, and still routed where somebody uses it
)

# Where an IPv4 address stands within an IPv6 one: offsets of its octets.
_SIX_TO_FOUR: Final = (2, 3, 4, 5)  # RFC 3056 2: 2002:V4ADDR::/48
_WRAPPINGS: Final = (
    ("::ffff:0:0/96", OFFSETS[96]),  # RFC 4291 2.5.5.2: IPv4-mapped
    ("::/96", OFFSETS[96]),  # RFC 4291 2.5.5.1: IPv4-compatible
    ("64:ff9b::/96", OFFSETS[96]),  # RFC 6052 2.1: the well-known prefix of NAT64
    ("2002::/16", _SIX_TO_FOUR),
)

_TTL_S: Final = 60
_TEXTS: Final = {
    Language.ID: "Diblokir: nama dari luar menunjuk ke alamat jaringan dalam (DNS rebinding)",
    Language.EN: "Blocked: a name of the Internet leads to an internal address (DNS rebinding)",
}


class Guard:
    """What counts as private, and for which names that is right.

    Raises ``ValueError`` for what is no network or name.
    """

    __slots__ = ("_allowed", "_private4", "_private6", "_suspect4", "_suspect6", "_wrappings", "enabled")

    def __init__(
        self, enabled: bool = True, allow: Iterable[str] = (), networks: Iterable[str] = (), nat64: Iterable[str] = ()
    ) -> None:
        self.enabled = enabled
        self._allowed = frozenset(wire.from_text(text).lower() for text in allow)
        private = [ipaddress.ip_network(text) for text in (*_PRIVATE, *networks)]
        self._private4: Ranges = [_range(network) for network in private if network.version == 4]
        self._private6: Ranges = [_range(network) for network in private if network.version == 6]
        wrappings = [(ipaddress.ip_network(text), offsets) for text, offsets in _WRAPPINGS]
        wrappings += [(prefix := ipaddress.ip_network(text), nat64_offsets(prefix)) for text in nat64]
        self._wrappings = [(*_range(network), offsets) for network, offsets in wrappings]
        self._suspect4 = _beginnings(network for network in private if network.version == 4)
        self._suspect6 = _beginnings(
            [*(network for network in private if network.version == 6), *(network for network, _ in wrappings)]
        )

    @classmethod
    def from_settings(cls, settings: RebindingSettings) -> Guard:
        """The guard of a worker."""
        return cls(settings.enabled, settings.allow, settings.networks, settings.nat64)

    def guards(self, name: bytes) -> bool:
        """Whether private addresses are to be kept from who asks for the lower-case wire name."""
        if not self.enabled:
            return False
        return not self._allowed or self._allowed.isdisjoint(wire.parents(name))

    def holds_private(self, addresses: Iterable[bytes]) -> bool:
        """Whether any of the addresses (4 or 16 octets) is private, or hides a private one."""
        for address in addresses:  # noqa: SIM110 -- asked of each answer that comes; a generator costs more than it saves
            if self.is_private(address):
                return True
        return False

    def is_private(self, address: bytes) -> bool:
        """Whether an address (4 or 16 octets) is private, or hides a private one."""
        suspect = self._suspect4 if len(address) == 4 else self._suspect6
        if not suspect[(address[0] << 8) | address[1]]:
            return False
        bits = int.from_bytes(address, "big")
        if len(address) == 4:
            return _within(self._private4, bits)
        if _within(self._private6, bits):
            return True
        for mask, network, (a, b, c, d) in self._wrappings:
            if bits & mask == network:
                inner = (address[a] << 24) | (address[b] << 16) | (address[c] << 8) | address[d]
                return _within(self._private4, inner)
        return False


def blocked(language: Language) -> Decision:
    """The decision on an answer that is kept back: NODATA, so that other types of the name are not harmed."""
    return Decision(
        Verdict.BLOCKED,
        Layer.NONE,
        answer=BlockAnswer(AnswerKind.NODATA, _TTL_S),
        ede=Ede.BLOCKED,
        ede_text=_TEXTS[language],
        via=Via.REBINDING,
    )


def _range(network: _Network) -> tuple[int, int]:
    return int(network.netmask), int(network.network_address)


def _beginnings(networks: Iterable[_Network]) -> bytes:
    """By the first two octets of an address: 1 where any of the networks (of one family) has addresses that begin so.

    Nearly all addresses are told by this alone.
    """
    found = bytearray(65_536)
    for network in networks:
        shift = network.max_prefixlen - 16
        first, last = int(network.network_address) >> shift, int(network.broadcast_address) >> shift
        found[first : last + 1] = b"\1" * (last + 1 - first)
    return bytes(found)


def _within(ranges: Ranges, bits: int) -> bool:
    return any(bits & mask == network for mask, network in ranges)


UNGUARDED: Final = Guard(enabled=False)
