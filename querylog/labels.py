"""From identifiers of a generation to the texts that a row keeps, so that its reason survives renames and removals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RuleLabel:
    """What a row keeps of a rule."""

    title: str
    letter: str  # number of the official letter it rests on, "" where none


class Labels(Protocol):
    """Texts of one generation. Each method raises ``LookupError`` for an identifier the generation does not know."""

    def agency(self, agency_id: int) -> str:
        """Code of an agency."""

    def unit(self, unit_id: int) -> str:
        """Code of a unit."""

    def rule(self, rule_id: int) -> RuleLabel:
        """Title and letter of a rule."""

    def list(self, list_id: int) -> str:
        """Code of a list."""

    def category(self, category_id: int) -> str:
        """Code of a category."""


# Raises ``LookupError`` for a generation that is not (or no longer) there.
LabelsOf = Callable[[int], Labels]


class Labeller:
    """Texts for (generation, identifier) pairs: 0 is ``""``, what nobody knows any more is ``#<id>``."""

    def __init__(self, labels_of: LabelsOf) -> None:
        self._labels_of = labels_of

    def agency(self, generation: int, agency_id: int) -> str:
        """Code of an agency."""
        return _text(self._labels(generation), "agency", agency_id)

    def unit(self, generation: int, unit_id: int) -> str:
        """Code of a unit."""
        return _text(self._labels(generation), "unit", unit_id)

    def list(self, generation: int, list_id: int) -> str:
        """Code of a list."""
        return _text(self._labels(generation), "list", list_id)

    def category(self, generation: int, category_id: int) -> str:
        """Code of a category."""
        return _text(self._labels(generation), "category", category_id)

    def rule(self, generation: int, rule_id: int) -> RuleLabel:
        """Title and letter of a rule."""
        if rule_id == 0:
            return RuleLabel("", "")
        labels = self._labels(generation)
        try:
            return labels.rule(rule_id) if labels is not None else RuleLabel(f"#{rule_id}", "")
        except LookupError:
            return RuleLabel(f"#{rule_id}", "")

    def rule_title(self, generation: int, rule_id: int) -> str:
        """Title of a rule."""
        return self.rule(generation, rule_id).title

    def letter(self, generation: int, rule_id: int) -> str:
        """Number of the letter a rule rests on."""
        return self.rule(generation, rule_id).letter

    def _labels(self, generation: int) -> Labels | None:
        try:
            return self._labels_of(generation)
        except LookupError:
            return None


def _text(labels: Labels | None, kind: str, identifier: int) -> str:
    if identifier == 0:
        return ""
    try:
        return str(getattr(labels, kind)(identifier)) if labels is not None else f"#{identifier}"
    except LookupError:
        return f"#{identifier}"
