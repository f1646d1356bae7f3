"""Which ranges lie inside of which, and who answers for the addresses that both hold: the longer prefix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policy.model import Network
from policy.networks import NetworkSyntaxError, Prefix, parse


@dataclass(frozen=True, slots=True)
class Overlap:
    """``inner`` lies inside ``outer`` (the narrowest that holds it), or is the same range."""

    inner: Network
    outer: Network
    bits: int  # 32 or 128
    length: int  # of the inner prefix
    same_range: bool

    @property
    def same_tenant(self) -> bool:
        """Whether nobody loses anything."""
        return (self.inner.agency_id, self.inner.unit_id) == (self.outer.agency_id, self.outer.unit_id)

    @property
    def nested(self) -> bool:
        """Whether it is a unit inside the range of its own agency, as networks are meant to be."""
        return self.inner.agency_id == self.outer.agency_id and not self.outer.unit_id and not self.same_range

    @property
    def addresses(self) -> str:
        """How many addresses the inner range holds, as people count them."""
        hidden = self.bits - self.length
        return f"{1 << hidden} addresses" if hidden < 33 else f"a /{self.length}"


def overlaps(networks: Iterable[Network]) -> list[Overlap]:
    """Every range with the narrowest other that holds it, in the order of addresses. Malformed ranges are left out."""
    ranges: list[tuple[Prefix, Network]] = []
    for network in networks:
        try:
            ranges.append((parse(network.cidr), network))
        except NetworkSyntaxError:
            continue
    ranges.sort(key=lambda pair: (pair[0].bits, _first(pair[0]), pair[0].length))
    found: list[Overlap] = []
    around: list[tuple[Prefix, Network]] = []
    for prefix, network in ranges:
        while around and not _holds(around[-1][0], prefix):
            around.pop()
        if around:
            outer, other = around[-1]
            found.append(Overlap(network, other, prefix.bits, prefix.length, outer == prefix))
        around.append((prefix, network))
    return found


def _first(prefix: Prefix) -> int:
    return prefix.value << (prefix.bits - prefix.length)


def _holds(outer: Prefix, inner: Prefix) -> bool:
    if outer.bits != inner.bits or outer.length > inner.length:
        return False
    return inner.value >> (inner.length - outer.length) == outer.value
