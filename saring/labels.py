"""Texts for the query log's identifiers, from the generation they were written under.

The loader asks for the generation of each record; a handful are in use at a time, so the last few are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from policy.model import Policy
from querylog.labels import Labels, RuleLabel
from snapshots.generation import GenerationDamaged, read_policy

KEPT_GENERATIONS = 8


class PolicyLabels:
    """The texts of one policy. Each method raises ``LookupError`` for an identifier that is not in it."""

    def __init__(self, policy: Policy) -> None:
        self._agencies = {one.id: one.code for one in policy.agencies}
        self._units = {one.id: one.code for one in policy.units}
        self._lists = {one.id: one.code for one in policy.lists}
        self._categories = {one.id: one.code for one in policy.categories}
        self._rules = {one.id: RuleLabel(one.title, one.basis.number) for one in policy.rules}

    def agency(self, agency_id: int) -> str:
        """Code of an agency."""
        return self._agencies[agency_id]

    def unit(self, unit_id: int) -> str:
        """Code of a unit."""
        return self._units[unit_id]

    def rule(self, rule_id: int) -> RuleLabel:
        """Title and letter of a rule."""
        return self._rules[rule_id]

    def list(self, list_id: int) -> str:
        """Code of a list."""
        return self._lists[list_id]

    def category(self, category_id: int) -> str:
        """Code of a category."""
        return self._categories[category_id]


class GenerationLabels:
    """``querylog.labels.LabelsOf`` over a snapshots directory: call it with a generation's number."""

    def __init__(self, snapshots_root: Path, kept: int = KEPT_GENERATIONS) -> None:
        self._root = snapshots_root
        self._kept = kept
        self._known: OrderedDict[int, PolicyLabels] = OrderedDict()

    def __call__(self, generation: int) -> Labels:
        """The texts of ``generation``. Raises ``LookupError`` where it is not there or not readable.

        A failure is not remembered: the generation may be on its way from another node.
        """
        known = self._known.get(generation)
        if known is None:
            known = self._known[generation] = self._read(generation)
        self._known.move_to_end(generation)
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return known

    def _read(self, generation: int) -> PolicyLabels:
        try:
            return PolicyLabels(read_policy(self._root, generation))
        except GenerationDamaged as error:
            raise LookupError(f"generation {generation} cannot be read: {error}") from error
