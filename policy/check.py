"""What is wrong with a policy, all at once, before it is published.

``check`` looks at the whole, since most faults lie between two parts: a rule and the category it names, two networks
that are the same. Tenants, schedules and rules have pages of their own. What is sound and yet in vain is for
``review.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dnswire.errors import NameSyntaxError
from dnswire.name import from_text
from policy.check_rules import check_answer, check_rules
from policy.check_schedules import check_schedules, check_zone
from policy.check_tenants import check_tenants
from policy.model import Policy
from policy.prepare import wildcard_base
from policy.problems import Findings, Part, Problem, Severity

__all__ = ["Part", "Problem", "Severity", "check"]


def check(policy: Policy) -> list[Problem]:
    """Every problem of the policy, those of the tenants first, the rules' last."""
    findings = Findings()
    _check_doubles(policy, findings)
    _check_regency(policy, findings)
    check_tenants(policy, findings)
    _check_content(policy, findings)
    check_schedules(policy, findings)
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
    check_zone(Part.REGENCY, regency.name, regency.zone, findings)
    check_answer(Part.REGENCY, regency.name, regency.answer, findings)
    for text in policy.protected:
        _check_name(Part.PROTECTED, text, "name", text, findings)


def _check_name(part: Part, key: str, field: str, text: str, findings: Findings) -> None:
    try:
        wire = from_text(text)
    except NameSyntaxError as fault:
        findings.error(part, key, field, f"{text!r} is no name: {fault}", "write a name such as www.example.com")
        return
    if part is Part.PROTECTED and len(wire) == 1:
        findings.error(part, key, field, "the root protects every name there is", "name what is to be protected")


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
