"""The generation of a time: for explanations of what was, is, or will be.

Of a generation that was pruned only the policy is left (``history.py``): it is then asked with the lists in force now,
and ``note`` says so.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from snapshots.generation import Generation, open_generation, read_policy
from snapshots.history import read_manifest
from snapshots.layout import numbers
from snapshots.switches import in_force_at

_LISTS_OF_NOW: Final = "of this generation only the policy is left: lists are asked as they are in force now"
_BEFORE_ALL: Final = "nothing is known to have been published then: the policy in force now is asked"


class Chosen(NamedTuple):
    """``generation`` is the caller's to close unless it is the current one, or shares its index (``borrowed``)."""

    generation: Generation
    borrowed: bool
    note: str = ""


def number_at(root: Path, at_s: float, current: int) -> tuple[int, str]:
    """The generation that was in force at that time, and what to know about that choice."""
    number = in_force_at(root, at_s)
    return (number, "") if number else (current, _BEFORE_ALL)


def open_beside(root: Path, number: int, current: Generation) -> Chosen:
    """Generation ``number``, while ``current`` is open. Raises ``GenerationDamaged`` where it is not known any more."""
    if number == current.number:
        return Chosen(current, True)
    if number in numbers(root):
        return Chosen(open_generation(root, number), False)
    policy, manifest = read_policy(root, number), read_manifest(root, number)
    past = replace(current, number=number, policy=policy, manifest=manifest, damaged=())
    return Chosen(past, True, _LISTS_OF_NOW)
