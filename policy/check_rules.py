"""What is wrong with rules and with the answers they give."""

from __future__ import annotations

from typing import Final

from dnswire.errors import NameSyntaxError
from dnswire.name import from_text
from policy.bypass import COUNTED as COUNTED_BYPASSES
from policy.model import Action, AnswerKind, BlockAnswer, Bypass, Policy, Rule, ScopeKind, Target, TargetKind
from policy.networks import NetworkSyntaxError, parse
from policy.patterns import Pattern, PatternError
from policy.prepare import wildcard_base
from policy.problems import Findings, Part
from policy.safe_search import CODES as SEARCH_CODES

MAX_TTL_S: Final = 86_400

_CHOICES: Final[dict[TargetKind, tuple[str, ...]]] = {
    TargetKind.SEARCH: SEARCH_CODES,
    TargetKind.BYPASS: tuple(way.value for way in Bypass),
}

_Codes = dict[TargetKind, frozenset[str]]


def check_rules(policy: Policy, findings: Findings) -> None:
    """Reports the problems of all rules."""
    codes: _Codes = {
        TargetKind.CATEGORY: frozenset(category.code for category in policy.categories),
        TargetKind.LIST: frozenset(info.code for info in policy.lists),
        TargetKind.SERVICE: frozenset(service.code for service in policy.services),
    }
    schedules = {schedule.id for schedule in policy.schedules}
    agencies = {agency.id for agency in policy.agencies}
    units = {unit.id for unit in policy.units}
    for rule in policy.rules:
        key = str(rule.id)
        _check_scope(rule, key, agencies, units, findings)
        _check_target(rule.target, key, codes, findings)
        _check_standing(rule, key, findings)
        if rule.schedule_id and rule.schedule_id not in schedules:
            message = f"there is no schedule {rule.schedule_id}"
            findings.error(Part.RULE, key, "schedule_id", message, "choose an existing schedule, or none")
        _check_action(rule, key, findings)


def check_answer(part: Part, key: str, answer: BlockAnswer, findings: Findings) -> None:
    """Reports the problems of an answer."""
    if not 0 <= answer.ttl_s <= MAX_TTL_S:
        message = f"{answer.ttl_s} is no TTL of 0 to {MAX_TTL_S} seconds"
        findings.error(part, key, "answer.ttl_s", message, "60 suits most: clients forget the block within a minute")
    if answer.kind is AnswerKind.PAGE:
        if not (answer.address4 or answer.address6):
            remedy = "give the address of the block page"
            findings.error(part, key, "answer.address4", "a page needs an address", remedy)
        _check_address(part, key, "answer.address4", answer.address4, 32, findings)
        _check_address(part, key, "answer.address6", answer.address6, 128, findings)
    if answer.kind is AnswerKind.REDIRECT:
        try:
            from_text(answer.name)
        except NameSyntaxError as fault:
            message = f"{answer.name!r} is no name to redirect to: {fault}"
            findings.error(part, key, "answer.name", message, "write a name such as www.example.com")


def _check_address(part: Part, key: str, field: str, text: str, bits: int, findings: Findings) -> None:
    if not text:
        return
    try:
        prefix = parse(text)
    except NetworkSyntaxError as fault:
        findings.error(part, key, field, str(fault), "write one address")
        return
    if "/" in text or prefix.bits != bits:
        findings.error(
            part, key, field, f"{text!r} is not one IPv{4 if bits == 32 else 6} address", "write one address"
        )


def _check_scope(rule: Rule, key: str, agencies: set[int], units: set[int], findings: Findings) -> None:
    known = {ScopeKind.AGENCY: agencies, ScopeKind.UNIT: units}.get(rule.scope.kind)
    if known is not None and rule.scope.id not in known:
        message = f"there is no {rule.scope.kind} {rule.scope.id}"
        findings.error(Part.RULE, key, "scope", message, "choose an existing one, or remove the rule")
    if rule.mandatory and rule.scope.kind is not ScopeKind.REGENCY:
        message = "only the regency's rules can be mandatory; this one counts as an ordinary rule"
        findings.error(Part.RULE, key, "mandatory", message, "drop the mark, or make it a rule of the regency")


def _check_target(target: Target, key: str, codes: _Codes, findings: Findings) -> None:
    field = f"target ({target.kind})"
    known = codes.get(target.kind)
    if known is not None:
        if target.value not in known:
            message = f"there is no {target.kind} {target.value!r}"
            findings.error(Part.RULE, key, field, message, "write the code of an existing one")
        return
    if target.kind in _CHOICES:
        choices = _CHOICES[target.kind]
        if target.value not in choices:
            message = f"there is no {target.kind} {target.value!r}"
            findings.error(Part.RULE, key, field, message, f"write one of {', '.join(choices)}")
        return
    try:
        if target.kind is TargetKind.REGEX:
            Pattern(target.value)
        elif target.kind is TargetKind.NETWORK:
            parse(target.value)
        else:
            from_text(_named(target))
    except PatternError as fault:
        remedy = "write an expression in RE2's syntax (no look-around, no back-references)"
        findings.error(Part.RULE, key, field, str(fault), remedy)
    except NetworkSyntaxError as fault:
        findings.error(Part.RULE, key, field, str(fault), "write a range such as 203.0.113.0/24")
    except NameSyntaxError as fault:
        message = f"{target.value!r} is no name: {fault}"
        findings.error(Part.RULE, key, field, message, "write a name such as www.example.com")


def _check_standing(rule: Rule, key: str, findings: Findings) -> None:
    start_s, end_s = rule.valid_from_s, rule.valid_until_s
    if start_s is not None and end_s is not None and start_s >= end_s:
        message = "it ends before it begins"
        findings.error(Part.RULE, key, "valid_until_s", message, "choose an end after the beginning")
    if not rule.exception:
        return
    if rule.mandatory:
        message = "it is both mandatory and an exception; mandatory counts"
        findings.error(Part.RULE, key, "exception", message, "drop one of the two")
    elif not rule.approver:
        message = "an exception without approver is not in force"
        findings.warning(Part.RULE, key, "approver", message, "let a second person approve it")
    elif rule.approver == rule.author:
        message = f"{rule.author} approved the exception that {rule.author} wrote"
        findings.error(Part.RULE, key, "approver", message, "let a second person approve it")


def _check_action(rule: Rule, key: str, findings: Findings) -> None:
    if rule.answer is not None:
        check_answer(Part.RULE, key, rule.answer, findings)
    if (rule.action is Action.SAFE_SEARCH) and rule.target.kind is not TargetKind.SEARCH:
        message = "only search engines have a filtered mode"
        findings.error(Part.RULE, key, "action", message, "choose a target of kind search, or another action")
    if rule.target.kind is TargetKind.BYPASS and not _suits_bypass(rule):
        message = f"{rule.target.value}, a way around the resolver, is blocked or allowed, nothing else"
        findings.error(Part.RULE, key, "action", message, "choose block or allow")
    if rule.action is Action.REDIRECT and (
        rule.answer is None or rule.answer.kind not in (AnswerKind.REDIRECT, AnswerKind.PAGE)
    ):
        message = "a redirect needs an answer of kind redirect or page"
        findings.error(Part.RULE, key, "answer", message, "say where the name is to lead")


def _suits_bypass(rule: Rule) -> bool:
    if rule.action is Action.OBSERVE:
        return rule.target.value in COUNTED_BYPASSES
    return rule.action in (Action.BLOCK, Action.ALLOW)


def _named(target: Target) -> str:
    return wildcard_base(target.value) if target.kind is TargetKind.WILDCARD else target.value
