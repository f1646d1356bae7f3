"""Several rewriting rules of one list that match the same query: which answer they give together.

AdGuard, "DNS filtering rules syntax", ``dnsrewrite``: a response code goes before a CNAME, a CNAME before everything
else, and all else is summed up; an exception of the same kind takes out the rules with its value, or all.
"""

from __future__ import annotations

from typing import Final

import msgspec

from blocklists.match import Match
from blocklists.rule import MAX_DATA, ListRule, RuleAction
from dnswire.constants import RRType

_CNAME: Final = int(RRType.CNAME)


def settled(matches: list[Match]) -> list[Match]:
    """The matches with each list's rewrites made one, its exceptions to them taken out with what they undo."""
    if not any(match.rule is not None and _answers(match.rule) for match in matches):
        return matches
    rest: list[Match] = []
    groups: dict[tuple[int, bool], list[tuple[Match, ListRule]]] = {}
    for match in matches:
        rule = match.rule
        if rule is None or not _answers(rule):
            rest.append(match)
        else:
            groups.setdefault((match.list_id, rule.rewrites), []).append((match, rule))
    for group in groups.values():
        together = _together(group)
        if together is not None:
            rest.append(together)
    return rest


def _answers(rule: ListRule) -> bool:
    return rule.rewrites or rule.action is RuleAction.REWRITE


def _together(group: list[tuple[Match, ListRule]]) -> Match | None:
    exceptions = [rule for _, rule in group if rule.allows]
    left = [
        (match, rule)
        for match, rule in group
        if not rule.allows and not any(_undoes(exception, rule) for exception in exceptions)
    ]
    if not left:
        return None
    for match, rule in left:
        if not rule.data:
            return match
    for match, rule in left:
        if any(datum.rrtype == _CNAME for datum in rule.data):
            return match
    if not left[0][1].rewrites:
        # Local data of a zone and lines of a hosts file: of one name, the longest that matches.
        longest = left[0][0].labels
        left = [(match, rule) for match, rule in left if match.labels == longest]
    first, rule = left[0]
    if len(left) == 1:
        return first
    data = tuple(dict.fromkeys(datum for _, other in left for datum in other.data))[:MAX_DATA]
    return first._replace(rule=msgspec.structs.replace(rule, data=data))


def _undoes(exception: ListRule, rule: ListRule) -> bool:
    if rule.important and not exception.important:
        return False
    if not exception.data and not exception.rcode:
        return True
    return exception.data == rule.data and exception.rcode == rule.rcode
