"""What is wrong with agencies, units, their networks, and with what tells clients apart behind one address.

Inheritance cannot be circular: a unit names its agency, an agency names nobody, and both are of kinds of their own.
What remains to be checked is that what is named exists.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from policy.model import Network, Policy
from policy.networks import NetworkSyntaxError, has_host_bits, parse
from policy.overlaps import overlaps
from policy.problems import Findings, Part

# Bits of a forwarder's range left to its clients: a range of offices is no forwarder, it is whoever sits in them.
_MAX_FORWARDER_BITS: Final = 8


def check_tenants(policy: Policy, findings: Findings) -> None:
    """Reports the problems of tenants, networks, forwarders and devices."""
    agencies = {agency.id for agency in policy.agencies}
    for unit in policy.units:
        if unit.agency_id not in agencies:
            message = f"there is no agency {unit.agency_id}"
            findings.error(Part.UNIT, unit.code, "agency_id", message, "assign the unit to an agency, or remove it")
    units = {unit.id: unit.agency_id for unit in policy.units}
    for network in policy.networks:
        _check_tenant(Part.NETWORK, network.cidr, network.agency_id, network.unit_id, agencies, units, findings)
        if _is_range(Part.NETWORK, network.cidr, "cidr", findings) and has_host_bits(network.cidr):
            message = "bits behind the prefix are set; the whole range is taken"
            remedy = "write the range's first address, or a longer prefix"
            findings.warning(Part.NETWORK, network.cidr, "cidr", message, remedy)
    _check_overlaps(policy, findings)
    _check_forwarders(policy, agencies, findings)
    for device in policy.devices:
        key = f"{device.kind} {device.value}"
        _check_tenant(Part.DEVICE, key, device.agency_id, device.unit_id, agencies, units, findings)
    for (kind, value), count in Counter((device.kind, device.value) for device in policy.devices).items():
        if count > 1:
            remedy = "leave it to one tenant"
            findings.error(Part.DEVICE, f"{kind} {value}", "value", f"it is entered {count} times", remedy)
    for cidr in policy.regency.admin_networks:
        _is_range(Part.REGENCY, policy.regency.name, "admin_networks", findings, cidr)


def _check_tenant(
    part: Part, key: str, agency_id: int, unit_id: int, agencies: set[int], units: dict[int, int], findings: Findings
) -> None:
    if agency_id not in agencies:
        message = f"there is no agency {agency_id}"
        findings.error(part, key, "agency_id", message, f"assign the {part} to an agency, or remove it")
    elif unit_id and units.get(unit_id) != agency_id:
        message = f"agency {agency_id} has no unit {unit_id}"
        findings.error(part, key, "unit_id", message, "choose a unit of the same agency, or none")


def _is_range(part: Part, key: str, field: str, findings: Findings, text: str = "") -> bool:
    try:
        parse(text or key)
    except NetworkSyntaxError as fault:
        findings.error(part, key, field, str(fault), "write a range such as 10.20.0.0/22")
        return False
    return True


def _check_overlaps(policy: Policy, findings: Findings) -> None:
    """Equal ranges are errors, those inside of others' are warnings; units inside of their agency's are as planned."""
    codes = {agency.id: agency.code for agency in policy.agencies}
    unit_codes = {unit.id: unit.code for unit in policy.units}

    def whose(network: Network) -> str:
        agency = codes.get(network.agency_id, f"agency {network.agency_id}")
        return f"{agency}/{unit_codes.get(network.unit_id, network.unit_id)}" if network.unit_id else agency

    for overlap in overlaps(policy.networks):
        inner, outer = overlap.inner, overlap.outer
        if overlap.same_range and not overlap.same_tenant:
            message = f"the same range is {whose(outer)}'s ({outer.cidr})"
            findings.error(Part.NETWORK, inner.cidr, "cidr", message, "leave it to one of the two")
        elif overlap.same_range:
            findings.warning(Part.NETWORK, inner.cidr, "cidr", "it is entered twice", "remove one")
        elif not (overlap.nested or overlap.same_tenant):
            message = (
                f"it lies inside {outer.cidr} of {whose(outer)}: the longer prefix wins, so {overlap.addresses} "
                f"are {whose(inner)}'s"
            )
            findings.warning(Part.NETWORK, inner.cidr, "cidr", message, "see that this hole is meant")


def _check_forwarders(policy: Policy, agencies: set[int], findings: Findings) -> None:
    seen: dict[object, str] = {}
    for forwarder in policy.forwarders:
        key = forwarder.cidr
        for agency_id in forwarder.agency_ids:
            if agency_id not in agencies:
                message = f"there is no agency {agency_id}"
                findings.error(Part.FORWARDER, key, "agency_ids", message, "choose existing agencies")
        if not forwarder.agency_ids or not forwarder.trusts:
            field = "trusts" if forwarder.agency_ids else "agency_ids"
            message = "it is believed in nothing" if forwarder.agency_ids else "it may speak for nobody"
            findings.warning(Part.FORWARDER, key, field, message, "fill it in, or remove the forwarder")
        if not _is_range(Part.FORWARDER, key, "cidr", findings):
            continue
        prefix = parse(key)
        if prefix in seen:
            remedy = "make one of the two"
            findings.error(Part.FORWARDER, key, "cidr", f"the same range is entered as {seen[prefix]}", remedy)
        seen.setdefault(prefix, key)
        if prefix.bits - prefix.length > _MAX_FORWARDER_BITS:
            message = "whoever has an address in so wide a range can pass for any client of its agencies"
            findings.warning(Part.FORWARDER, key, "cidr", message, "name the router's own address")
