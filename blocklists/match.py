"""What the index says of a name, an address or a nameserver: one list's opinion each."""

from __future__ import annotations

from typing import NamedTuple

from blocklists.rule import ListRule


class Match(NamedTuple):
    """One list's entry or rule that covers a name (or address).

    ``labels``: so many labels of the name, from the root, are the entry's name; 0 where a rule matches without naming
    one (an expression, a client, a nameserver). Of an address it is the length of the prefix. ``rule`` is None for
    entries, which state nothing but block or allow.
    """

    labels: int
    list_id: int
    allow: bool
    rule: ListRule | None = None

    @property
    def weight(self) -> int:
        """How much it counts beside other matches of its own list: rewriting rules before important ones before all
        others (AdGuard, ``dnsrewrite`` and ``important``).
        """
        rule = self.rule
        if rule is None:
            return 0
        return 2 if rule.rewrites else 1 if rule.important else 0
