"""Why a candidate won or lost, in one sentence each."""

from __future__ import annotations

from typing import Final

from policy.candidates import Candidate
from policy.model import Layer
from policy.resolve import Standing

LAYER_NAMES: Final = {
    Layer.NONE: "none",
    Layer.MANDATORY: "mandatory rules",
    Layer.EXCEPTION: "exceptions",
    Layer.PROTECTED: "protected names",
    Layer.UNIT: "unit rules",
    Layer.AGENCY: "agency rules",
    Layer.REGENCY: "regency rules",
    Layer.LISTS: "lists",
    Layer.DEFAULT: "default",
}

STANDING: Final = {
    Standing.UNAPPROVED: "not in force: nobody approved it",
    Standing.NOT_YET: "not in force: its validity has not begun",
    Standing.EXPIRED: "not in force: its validity has ended",
    Standing.CLOSED: "not in force: outside its schedule",
    Standing.PAUSED: "at rest: the agency or unit is let off for a while",
}


def outcome(candidate: Candidate, winner: Candidate, counted: Candidate | None, before: bool) -> str:
    """What became of a candidate, given the one that won and the observing one that was counted (if any).

    ``before``: whether it stands before the winner, which only those that observe do.
    """
    if candidate is winner:
        return "decides: lets the name through" if winner.allows else "decides: bars the name"
    if candidate.observes:
        return _of_observer(candidate, winner, counted, before)
    return f"loses to {_words(winner)}: {_because(candidate, winner)}"


def _of_observer(candidate: Candidate, winner: Candidate, counted: Candidate | None, before: bool) -> str:
    if candidate is counted:
        return "counted: it would have barred the name"
    if counted is not None and before:
        return "would have barred the name too; the observing rule before it is counted"
    if winner.allows:
        return f"not counted: {_words(winner)} would have let the name through all the same"
    return f"not counted: {_words(winner)} bars the name"


def _words(candidate: Candidate) -> str:
    if candidate.rule is not None:
        return f"rule {candidate.rule.rule_id}"
    return {
        Layer.PROTECTED: "the protection of the name",
        Layer.LISTS: "a list",
        Layer.DEFAULT: "the default",
    }[candidate.layer]


def _because(loser: Candidate, winner: Candidate) -> str:
    if loser.layer is not winner.layer:
        return f"{LAYER_NAMES[winner.layer]} come before {LAYER_NAMES[loser.layer]}"
    if loser.scope is not winner.scope:
        return f"exceptions of the {winner.scope} come before those of the {loser.scope}"
    reasons = (
        "important goes first",
        "allow goes before block",
        "the longer name goes first",
        "the more direct goes first",
        "all else equal, the lower id goes first",
    )
    for place, reason in enumerate(reasons):
        if loser.key[place] != winner.key[place]:
            return reason
    return reasons[-1]
