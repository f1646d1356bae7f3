"""Why a candidate won or lost, in one sentence each."""

from __future__ import annotations

from typing import Final

from policy.candidates import Candidate, Settled
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


def outcome(candidate: Candidate, settled: Settled, before: bool, subject: str = "name") -> str:
    """What became of a candidate for a ``subject``. ``before``: it stands before the first that settles the matter."""
    winner = settled.winner
    assert winner is not None  # the default has a word about everything
    if candidate is winner:
        return _of_winner(winner, subject)
    if candidate is settled.passed:
        return f"lets the {subject} through, in the filtered mode that {_words(winner)} asks for"
    if candidate.observes:
        return _of_observer(candidate, settled, before, subject)
    if candidate.filters and before and not winner.filters:
        return f"not needed: {_words(winner)} bars the {subject}"
    # Beside safe search that wins, all others lose to what lets the name through.
    stronger = winner if candidate.filters or settled.passed is None else settled.passed
    return f"loses to {_words(stronger)}: {_because(candidate, stronger)}"


def _of_winner(winner: Candidate, subject: str) -> str:
    if winner.filters:
        return f"decides: lets the {subject} through in the engine's filtered mode"
    return f"decides: lets the {subject} through" if winner.allows else f"decides: bars the {subject}"


def _of_observer(candidate: Candidate, settled: Settled, before: bool, subject: str) -> str:
    winner, counted = settled.winner, settled.counted
    assert winner is not None
    if candidate is counted:
        return f"counted: it would have barred the {subject}"
    if counted is not None and before:
        return f"would have barred the {subject} too; the observing rule before it is counted"
    if winner.filters:
        return f"not counted: {_words(winner)} makes the engine answer in its filtered mode"
    if winner.allows:
        return f"not counted: {_words(winner)} would have let the {subject} through all the same"
    return f"not counted: {_words(winner)} bars the {subject}"


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
