"""What an edit changes, told: the difference of the policies in words, and what the database knows beyond policy.

Where a list is fetched from, a note, a limit: no decision depends on it, so policy has no such fact; it is told from
the acts that the journal will have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from admin_api.journal import Act
from policy.difference import ChangeKind, difference
from policy.difference_words import ChangeWords, in_words
from policy.model import Language, Policy

# By kind of row: the fields that the difference of policies tells, or that say nothing to people.
_TOLD: Final[dict[str, frozenset[str]]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "regency": "name zone language unknown_clients allow_list_only admin_networks answer",
        "agency": "code name allow_list_only",
        "unit": "agency_id code name allow_list_only",
        "network": "cidr agency_id unit_id",
        "forwarder": "cidr title agency_ids trusts",
        "device": "kind value agency_id unit_id",
        "category": "code title negative observe answer",
        "service": "code title category names",
        "blocklist": "code title categories national observe",
        "schedule": "code title zone windows periods skip_holidays skip_joint_leave",
        "schedule override": "scope schedule reading other",
        "holiday": "date title joint_leave imported",
        "protected name": "name",
        "rule": "title scope target action answer schedule valid_from valid_until mandatory exception important basis "
        "author approver",
    }.items()
}
POLICY_KINDS: Final = (*_TOLD, "exception", "pause")
_STAMPS: Final = frozenset({"id", "created", "changed"})
_KINDS: Final = {"create": ChangeKind.ADDED, "delete": ChangeKind.REMOVED}


def told(before: Policy, after: Policy, acts: Iterable[Act], language: Language | None = None) -> list[ChangeWords]:
    """All that is changed between two states of the database, policy first."""
    found = list(in_words(difference(before, after), before, after, language))
    return found + [words for act in acts if (words := _beyond(act)) is not None]


def _beyond(act: Act) -> ChangeWords | None:
    """What policy does not know of an act; None where it knows all."""
    known = _TOLD.get(act.kind, frozenset()) | _STAMPS
    subject = f"{act.kind} {act.label}"
    if act.kind in _TOLD and act.action != "update":
        return None
    if act.action in _KINDS:
        kind = _KINDS[act.action]
        return ChangeWords(kind, act.kind, act.label, subject, (), f"{subject} {kind.value}")
    was, now = act.before or {}, act.after or {}
    fields = [f"{name} {_text(was.get(name))} -> {_text(now[name])}" for name in now if name not in known]
    if act.action != "update" or not fields:
        return None
    return ChangeWords(ChangeKind.CHANGED, act.kind, act.label, subject, (), f"{subject}: {'; '.join(fields)}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "-"
    return "-" if value in (None, "") else str(value)
