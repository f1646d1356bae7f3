"""A rule written as a line of an adblock list: for people who look at rules of any origin, and to carry them over.

What this syntax cannot say (triggers on clients and nameservers, DROP, TCP_ONLY, several RRs in one rule, an answer
without ``$dnsrewrite``) has no line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from blocklists.formats.dnsrewrite import RCODES
from blocklists.rule import Datum, Kind, ListRule, RuleAction, Trigger
from dnswire.constants import RRType
from dnswire.rdata import to_wire
from dnswire.rrtypes import type_text

_RCODE_TEXTS: Final = {int(number): text for text, number in RCODES.items()}
_SPECIAL: Final = re.compile(r"[\\,|'\"]")
_PLAIN_CLIENT: Final = re.compile(r"[0-9A-Za-z_.:/-]+")
_ANSWERS: Final = (RuleAction.NXDOMAIN, RuleAction.NODATA, RuleAction.REFUSED, RuleAction.REWRITE)


class NoLine(ValueError):  # noqa: N818 -- names the fact
    """The rule says something that the syntax has no words for."""


def write_rule(rule: ListRule) -> str:
    """The line of a rule; read again it gives the same rule, its line number and text aside. Raises ``NoLine``."""
    modifiers = _modifiers(rule)
    pattern = _pattern(rule)
    if not (modifiers or pattern):
        raise NoLine("an empty pattern needs a condition")
    return ("@@" if rule.allows else "") + pattern + (f"${','.join(modifiers)}" if modifiers else "")


def _pattern(rule: ListRule) -> str:
    text = rule.pattern
    if rule.trigger not in (Trigger.QNAME, Trigger.RESPONSE_IP):
        raise NoLine(f"a trigger {rule.trigger}")
    if rule.kind is Kind.REGEX:
        return f"/{text}/"
    if rule.kind is Kind.WILDCARD:
        alone = not text.startswith("|") and not text.endswith("^")
        return f"*{text}*" if alone else text
    forms = {Kind.EXACT: f"|{text}^", Kind.SUBTREE: f"||{text}^", Kind.BELOW: f"*.{text}^", Kind.EVERYTHING: "*"}
    return forms.get(rule.kind, text)


def _modifiers(rule: ListRule) -> list[str]:
    found = ["important"] if rule.important else []
    found += _listed("client", map(_client, rule.clients), map(_client, rule.not_clients))
    found += _listed("ctag", rule.tags, rule.not_tags)
    found += _listed("denyallow", rule.deny_allow, ())
    found += _listed("dnstype", map(type_text, rule.rrtypes), map(type_text, rule.not_rrtypes))
    if rule.rewrites:
        found.append(_rewrite(rule))
    elif rule.action in _ANSWERS or rule.action in (RuleAction.DROP, RuleAction.TCP_ONLY):
        raise NoLine(f"action {rule.action}")
    return found


def _listed(label: str, wanted: Iterable[str], unwanted: Iterable[str]) -> list[str]:
    values = [*wanted, *(f"~{text}" for text in unwanted)]
    return [f"{label}={'|'.join(values)}"] if values else []


def _client(text: str) -> str:
    if _PLAIN_CLIENT.fullmatch(text):
        return text
    return "'" + _SPECIAL.sub(r"\\\g<0>", text) + "'"


def _rewrite(rule: ListRule) -> str:
    if len(rule.data) > 1:
        raise NoLine(f"{len(rule.data)} RRs in one rule")
    if rule.data:
        return "dnsrewrite=" + _escaped(f"NOERROR;{type_text(rule.data[0].rrtype)};{_value(rule.data[0])}")
    if rule.action is RuleAction.ALLOW and not rule.rcode:
        return "dnsrewrite"
    return f"dnsrewrite={_RCODE_TEXTS[rule.rcode]}"


def _value(datum: Datum) -> str:
    if datum.rrtype != RRType.TXT:
        return datum.data
    wire = to_wire(RRType.TXT, datum.data)
    octets = b""
    at = 0
    while at < len(wire):
        octets += wire[at + 1 : at + 1 + wire[at]]
        at += 1 + wire[at]
    return octets.decode("utf-8", "replace")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,")
