"""What makes one policy another: every fact that was added, removed or changed, in the order of ``model.py``.

It knows the parts of a policy and by what a thing is found again in its part (``KEYS``), and nothing else of the
model: facts are compared field by field as the dataclasses declare them, so that a new field is compared too. A new
part must be entered in ``KEYS`` (a test holds them together). In which order a part holds its things says nothing.
``difference_words.py`` tells it to people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from policy.model import Policy

Key = tuple[int | str, ...]


class ChangeKind(StrEnum):
    """What became of a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of one part (a field of ``Policy``) that differs.

    ``before`` is None for what was added, ``after`` for what was removed. ``fields``: those that differ, in the order
    of the model; empty where a thing has none (a protected name) or is there on one side only.
    """

    kind: ChangeKind
    part: str
    key: Key
    before: Any
    after: Any
    fields: tuple[str, ...] = ()


def _by_id(thing: Any) -> Key:
    return (thing.id,)


KEYS: Final[Mapping[str, Callable[[Any], Key]]] = {
    "regency": lambda _regency: (),
    "agencies": _by_id,
    "units": _by_id,
    "networks": lambda network: (network.cidr,),
    "forwarders": _by_id,
    "devices": lambda device: (device.kind.value, device.value),
    "categories": _by_id,
    "services": _by_id,
    "lists": _by_id,
    "protected": lambda name: (name,),
    "schedules": _by_id,
    "schedule_overrides": lambda one: (one.schedule_id, one.scope.kind.value, one.scope.id),
    "holidays": lambda holiday: (holiday.date,),
    "rules": _by_id,
    "pauses": _by_id,
}
COUNTED: Final = frozenset({"revision"})  # fields of ``Policy`` that say when, not what


def difference(before: Policy, after: Policy) -> tuple[Change, ...]:
    """What must be done to ``before`` for it to say what ``after`` says, part by part, each by its keys."""
    found: list[Change] = []
    for part in KEYS:
        old, new = _things(before, part), _things(after, part)
        for key in sorted(old.keys() | new.keys()):
            one, other = old.get(key), new.get(key)
            if one != other:
                found.append(_change(part, key, one, other))
    return tuple(found)


def _things(policy: Policy, part: str) -> dict[Key, Any]:
    """The things of a part by key. One that is there twice (no sound policy has that) is told apart by its turn."""
    content = getattr(policy, part)
    found: dict[Key, Any] = {}
    turns: dict[Key, int] = {}
    for thing in content if isinstance(content, tuple) else (content,):
        key = KEYS[part](thing)
        turn = turns[key] = turns.get(key, 0) + 1
        found[key if turn == 1 else (*key, turn)] = thing
    return found


def _change(part: str, key: Key, one: Any, other: Any) -> Change:
    if one is None:
        return Change(ChangeKind.ADDED, part, key, None, other)
    if other is None:
        return Change(ChangeKind.REMOVED, part, key, one, None)
    names = (field.name for field in fields(one))
    differing = tuple(name for name in names if getattr(one, name) != getattr(other, name))
    return Change(ChangeKind.CHANGED, part, key, one, other, differing)
