"""Which guarded names the rules of a list would bar: what the admission gate asks of rules, as of entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from blocklists.asker import EVERYBODY
from blocklists.rule import ListRule, Trigger
from blocklists.rule_table import Placed, RuleTable, denies
from dnswire.name import from_text


def rule_hits(rules: Sequence[ListRule], names: Iterable[str]) -> Iterator[tuple[str, ListRule]]:
    """Each guarded name with each rule that would bar it for some query: types and clients are not asked about."""
    table = RuleTable()
    for number, rule in enumerate(rules):
        if rule.trigger is Trigger.QNAME and not rule.allows:
            try:
                table.add(Placed(number, 0, rule, EVERYBODY))
            except ValueError:
                continue  # it will not be in force either
    table.close()
    if not len(table):
        return
    for text in names:
        name = from_text(text).lower()
        for _, placed in table.find(name):
            if not denies(placed.denied, name):
                yield text, placed.rule
