"""What is wrong with a policy, all at once, before it is published.

``check`` looks at the whole, since most faults lie between two parts: a rule and the category it names, two networks
that are the same. Rules have a page of their own, ``check_rules.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from dnswire.errors import NameSyntaxError
from dnswire.name import from_text
from policy.check_rules import check_answer, check_rules
from policy.model import Network, Policy
from policy.networks import NetworkSyntaxError, has_host_bits, parse
from policy.overlaps import overlaps
from policy.prepare import wildcard_base
from policy.problems import Findings, Part, Problem, Severity
from policy.schedules import ScheduleError, window_fault, zone_of

__all__ = ["Part", "Problem", "Severity", "check"]


def check(policy: Policy) -> list[Problem]:
    """Every problem of the policy, those of the tenants first, the rules' last."""
    findings = Findings()
    _check_doubles(policy, findings)
    _check_regency(policy, findings)
    _check_tenants(policy, findings)
    _check_networks(policy, findings)
    _check_content(policy, findings)
    _check_schedules(policy, findings)
    check_rules(policy, findings)
    return findings.problems


def _check_doubles(policy: Policy, findings: Findings) -> None:
    parts: tuple[tuple[Part, Iterable[tuple[int, str]]], ...] = (
        (Part.AGENCY, [(agency.id, agency.code) for agency in policy.agencies]),
        # A unit's code need be unique only within its agency.
        (Part.UNIT, [(unit.id, f"{unit.agency_id}/{unit.code}") for unit in policy.units]),
        (Part.CATEGORY, [(category.id, category.code) for category in policy.categories]),
        (Part.LIST, [(info.id, info.code) for info in policy.lists]),
        (Part.SERVICE, [(service.id, service.code) for service in policy.services]),
        (Part.SCHEDULE, [(schedule.id, schedule.code) for schedule in policy.schedules]),
        (Part.RULE, [(rule.id, f"#{rule.id}") for rule in policy.rules]),
    )
    for part, pairs in parts:
        for number, count in Counter(number for number, _ in pairs).items():
            if count > 1:
                findings.error(part, str(number), "id", f"{count} have this id", "give each an id of its own")
            if number <= 0:
                findings.error(part, str(number), "id", "ids are positive", "0 means none and names nothing")
        for code, count in Counter(code for _, code in pairs).items():
            if count > 1 and part is not Part.RULE:
                findings.error(part, code, "code", f"{count} have this code", "rename all but one")


def _check_regency(policy: Policy, findings: Findings) -> None:
    regency = policy.regency
    _check_zone(Part.REGENCY, regency.name, regency.zone, findings)
    check_answer(Part.REGENCY, regency.name, regency.answer, findings)
    for text in policy.protected:
        _check_name(Part.PROTECTED, text, "name", text, findings)


def _check_zone(part: Part, key: str, zone: str, findings: Findings) -> None:
    try:
        zone_of(zone)
    except ScheduleError as fault:
        findings.error(part, key, "zone", str(fault), "write the name of a zone, for WIB Asia/Jakarta")


def _check_name(part: Part, key: str, field: str, text: str, findings: Findings) -> None:
    try:
        wire = from_text(text)
    except NameSyntaxError as fault:
        findings.error(part, key, field, f"{text!r} is no name: {fault}", "write a name such as www.example.com")
        return
    if part is Part.PROTECTED and len(wire) == 1:
        findings.error(part, key, field, "the root protects every name there is", "name what is to be protected")


def _check_tenants(policy: Policy, findings: Findings) -> None:
    agencies = {agency.id for agency in policy.agencies}
    for unit in policy.units:
        if unit.agency_id not in agencies:
            message = f"there is no agency {unit.agency_id}"
            findings.error(Part.UNIT, unit.code, "agency_id", message, "assign the unit to an agency, or remove it")


def _check_networks(policy: Policy, findings: Findings) -> None:
    agencies = {agency.id for agency in policy.agencies}
    units = {unit.id: unit.agency_id for unit in policy.units}
    for network in policy.networks:
        key = network.cidr
        if network.agency_id not in agencies:
            message = f"there is no agency {network.agency_id}"
            findings.error(Part.NETWORK, key, "agency_id", message, "assign the network to an agency, or remove it")
        elif network.unit_id and units.get(network.unit_id) != network.agency_id:
            message = f"agency {network.agency_id} has no unit {network.unit_id}"
            findings.error(Part.NETWORK, key, "unit_id", message, "choose a unit of the same agency, or none")
        try:
            parse(key)
        except NetworkSyntaxError as fault:
            findings.error(Part.NETWORK, key, "cidr", str(fault), "write a range such as 10.20.0.0/22")
            continue
        if has_host_bits(key):
            message = "bits behind the prefix are set; the whole range is taken"
            findings.warning(Part.NETWORK, key, "cidr", message, "write the range's first address, or a longer prefix")
    _check_overlaps(policy, findings)


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


def _check_content(policy: Policy, findings: Findings) -> None:
    categories = {category.id for category in policy.categories}
    for category in policy.categories:
        if category.answer is not None:
            check_answer(Part.CATEGORY, category.code, category.answer, findings)
    for info in policy.lists:
        for category_id in info.category_ids:
            if category_id not in categories:
                message = f"there is no category {category_id}"
                findings.error(Part.LIST, info.code, "category_ids", message, "choose existing categories")
        if not info.category_ids:
            message = "it feeds no category: only its allow entries count"
            findings.warning(Part.LIST, info.code, "category_ids", message, "choose a category if it is to block")
    for service in policy.services:
        if service.category_id not in categories:
            message = f"there is no category {service.category_id}"
            findings.error(Part.SERVICE, service.code, "category_id", message, "choose an existing category")
        if not service.names:
            findings.warning(Part.SERVICE, service.code, "names", "it has no names", "add the names it uses")
        for text in service.names:
            _check_name(Part.SERVICE, service.code, "names", wildcard_base(text), findings)


def _check_schedules(policy: Policy, findings: Findings) -> None:
    for schedule in policy.schedules:
        _check_zone(Part.SCHEDULE, schedule.code, schedule.zone, findings)
        if not schedule.windows:
            message = "it has no window and is never open"
            findings.warning(Part.SCHEDULE, schedule.code, "windows", message, "add a window")
        for position, window in enumerate(schedule.windows):
            fault = window_fault(window)
            if fault:
                remedy = "write days 0 (Monday) to 6 and minutes after midnight, such as 450 for 07:30"
                findings.error(Part.SCHEDULE, schedule.code, f"windows[{position}]", fault, remedy)
    for holiday in policy.holidays:
        try:
            date.fromisoformat(holiday.date)
        except ValueError:
            message = f"{holiday.date!r} is no date"
            findings.error(Part.HOLIDAY, holiday.title, "date", message, "write it as 2026-08-17")
