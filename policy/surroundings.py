"""What a policy is reviewed against and does not hold itself: the time, Saring's own names, what lists hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from policy.letters import LettersRequired


@dataclass(frozen=True, slots=True)
class OwnName:
    """A name that must work for everybody; ``what`` it is, for the sentence that refuses a rule against it."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around a policy.

    ``now_s``: what has passed counts no more; None: all times are looked at. ``silent_lists``: by code, why a list
    says nothing at present (switched off, never fetched, without entries).
    """

    now_s: float | None = None
    own_names: tuple[OwnName, ...] = ()
    silent_lists: Mapping[str, str] = field(default_factory=dict)
    letters: LettersRequired = field(default_factory=LettersRequired)
