"""Clients behind NAT: what a forwarder of ours calls them, and how far it is believed.

A forwarder is known by the address its query comes from, which no client chooses. What it says beyond that counts only
if it is trusted in that kind of claim and the claim leads to one of its own agencies; each claim is judged alone, and
the most particular goes first: a device (MAC), then an address, then a site (CPE).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from policy.model import Forwarder, Identification, Policy
from policy.networks import NetworkSyntaxError, Prefix, PrefixTable, parse

Skip = Callable[[str, str], None]


class Claim(NamedTuple):
    """What a query says of its client, as far as it is well formed. Empty: nothing."""

    address: bytes = b""  # 4 or 16 octets
    mac: bytes = b""  # 6 octets
    cpe_id: str = ""


class Named(NamedTuple):
    """A client that a forwarder named: his tenant, and by which kind of claim.

    ``address``: his own, as far as the forwarder is believed in it: the address it gave, else the link-local one that
    goes with his MAC; empty where only his site is known.
    """

    agency_id: int
    unit_id: int
    address: bytes
    by: Identification


class Speaker:
    """A forwarder, ready to be listened to."""

    __slots__ = ("agency_ids", "cpe_id", "forwarder", "mac", "subnet")

    def __init__(self, forwarder: Forwarder) -> None:
        self.forwarder = forwarder
        self.agency_ids = frozenset(forwarder.agency_ids)
        self.subnet = Identification.CLIENT_SUBNET in forwarder.trusts
        self.mac = Identification.MAC in forwarder.trusts
        self.cpe_id = Identification.CPE_ID in forwarder.trusts


class Forwarders:
    """The forwarders and devices of a policy.

    ``tenants`` are (agency, unit) by the positions that ``networks`` gives. What cannot be used is told to ``skip``.
    """

    def __init__(
        self, policy: Policy, tenants: Iterable[tuple[int, int]], networks: PrefixTable[int], skip: Skip
    ) -> None:
        self._tenants = tuple(tenants)
        self._networks = networks
        self._speakers = _speakers(policy, skip)
        self._devices = _devices(policy, frozenset(self._tenants), skip)

    def find(self, address: bytes) -> Speaker | None:
        """The forwarder with that socket address (4 or 16 octets), by longest prefix."""
        return self._speakers.find(address) if self._speakers.size else None

    def named(self, speaker: Speaker, claim: Claim) -> Named | None:
        """The client that is named; None where nothing is said that the forwarder is believed in."""
        address, by_address = self._by_address(speaker, claim)
        if speaker.mac and claim.mac:
            tenant = self._devices.get((Identification.MAC, claim.mac.hex(":")))
            if tenant is not None and tenant[0] in speaker.agency_ids:
                return Named(*tenant, address or link_local(claim.mac), Identification.MAC)
        if by_address is not None:
            return Named(*by_address, address, Identification.CLIENT_SUBNET)
        if speaker.cpe_id and claim.cpe_id:
            tenant = self._devices.get((Identification.CPE_ID, claim.cpe_id))
            if tenant is not None and tenant[0] in speaker.agency_ids:
                return Named(*tenant, b"", Identification.CPE_ID)
        return None

    def _by_address(self, speaker: Speaker, claim: Claim) -> tuple[bytes, tuple[int, int] | None]:
        if not speaker.subnet or not claim.address:
            return b"", None
        position = self._networks.find(claim.address)
        if position is None or self._tenants[position][0] not in speaker.agency_ids:
            return b"", None
        return claim.address, self._tenants[position]


def link_local(mac: bytes) -> bytes:
    """The link-local IPv6 address that goes with a MAC address (RFC 4291, Appendix A), so that the log, which knows
    clients by address, tells devices apart.
    """
    return b"\xfe\x80" + bytes(6) + bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def _speakers(policy: Policy, skip: Skip) -> PrefixTable[Speaker]:
    entries: list[tuple[Prefix, Speaker]] = []
    for forwarder in policy.forwarders:
        try:
            entries.append((parse(forwarder.cidr), Speaker(forwarder)))
        except NetworkSyntaxError as fault:
            skip(f"forwarder {forwarder.cidr}", str(fault))
    return PrefixTable(entries)


def _devices(
    policy: Policy, tenants: frozenset[tuple[int, int]], skip: Skip
) -> Mapping[tuple[Identification, str], tuple[int, int]]:
    found: dict[tuple[Identification, str], tuple[int, int]] = {}
    for device in policy.devices:
        tenant = device.agency_id, device.unit_id
        if not device.agency_id or tenant not in tenants:
            reason = f"agency {device.agency_id} has no unit {device.unit_id}, or does not exist"
            skip(f"device {device.value}", reason)
            continue
        text = device.value.lower() if device.kind is Identification.MAC else device.value
        found.setdefault((device.kind, text), tenant)
    return found
