"""Names that a zone shall not block and would."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from blocklists.entries import read_rules
from blocklists.entry import BELOW, EXACT, key_of, kind
from blocklists.guarded import rule_hits
from blocklists.lookup import looking_up
from blocklists.normalise import ProtectedHit
from dnswire.name import from_text, parents, to_text


def guarded_hits(entries: Path, guarded: Collection[str]) -> tuple[ProtectedHit, ...]:
    """The entries and rules of a file that would block one of the names."""
    hits: list[ProtectedHit] = []
    with looking_up(entries) as lookup:
        for text in guarded:
            own = from_text(text).lower()
            for name in parents(own):
                key = key_of(name)
                cover = lookup.cover(key) if key else 0
                if cover & (EXACT if name == own else BELOW):
                    hits.append(ProtectedHit(text, to_text(name), kind(cover), 0))
    hits += [
        ProtectedHit(text, rule.text or rule.pattern, rule.kind, rule.line)
        for text, rule in rule_hits(read_rules(entries), guarded)
    ]
    return tuple(hits)
