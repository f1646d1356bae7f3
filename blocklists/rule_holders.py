"""Which lists have a rule or an address range about a name or an address, and since which version.

Asked of the index in force, since what a rule matches is more than looking it up; since when, of the versions that are
kept. Entries are ``holders.py``'s.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace

from blocklists.asker import ANYBODY
from blocklists.entries import EntriesDamaged, read_rules
from blocklists.holders import Holder
from blocklists.index import Index
from blocklists.library import Library
from blocklists.match import Match
from blocklists.rule import ListRule, RuleAction
from blocklists.state import ListState, Version
from dnswire.constants import RRType

MAX_SHOWN = 100  # of one name: a list can have any number of expressions that match everything


def rule_holders(library: Library, index: Index, codes: Mapping[int, str], name: bytes) -> tuple[Holder, ...]:
    """Rules about a query of type A for the wire name (lower case), whoever asks. ``codes``: of lists, by id."""
    matches = index.ask(name, RRType.A, ANYBODY)
    return _holders(library, [match for match in matches if match.rule is not None], codes)


def address_holders(library: Library, index: Index, codes: Mapping[int, str], text: str) -> tuple[Holder, ...]:
    """Rules and ranges about an address in an answer. Raises ``ValueError`` for what is no address."""
    address = ipaddress.ip_address(text)
    matches = list(index.rules.match_address(address.packed, ANYBODY)) if index.rules else []
    found = _holders(library, matches, codes)
    return tuple(replace(one, entry=_range(address, one.entry)) if one.kind.endswith("range") else one for one in found)


def _range(address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: str) -> str:
    return str(ipaddress.ip_network((address.packed, int(bits)), strict=False))


class _Kept:
    """The kept versions of lists: each is read once, however many of its rules match."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._states: dict[str, ListState] = {}
        self._rules: dict[tuple[str, int], frozenset[tuple[str, RuleAction]]] = {}

    def state(self, code: str) -> ListState:
        """The list's state."""
        if code not in self._states:
            self._states[code] = self._library.state(code)
        return self._states[code]

    def rules(self, code: str, number: int) -> frozenset[tuple[str, RuleAction]]:
        """Text and action of a version's rules, in whatever lines; none of a version that is damaged."""
        place = code, number
        if place not in self._rules:
            try:
                found = read_rules(self._library.entries_path(code, number))
            except (EntriesDamaged, OSError):
                found = ()
            self._rules[place] = frozenset((rule.text, rule.action) for rule in found)
        return self._rules[place]


def _holders(library: Library, matches: list[Match], codes: Mapping[int, str]) -> tuple[Holder, ...]:
    kept = _Kept(library)
    found: list[Holder] = []
    for match in matches[:MAX_SHOWN]:
        code = codes.get(match.list_id)
        if code is not None and kept.state(code).version:
            found.append(_holder(kept, kept.state(code), match))
    return tuple(found)


def _holder(kept: _Kept, state: ListState, match: Match) -> Holder:
    rule = match.rule
    versions = [version for version in state.versions if version.number <= state.version]
    since = _since(kept, state.code, versions, rule) if rule is not None else versions[-1]
    return Holder(
        code=state.code,
        entry=rule.text if rule is not None else str(match.labels),
        kind=f"rule: {rule.action}" if rule is not None else "allow range" if match.allow else "range",
        version=state.version,
        since_version=since.number,
        since_s=since.stored_s,
        # Ranges are not looked for in older versions.
        since_oldest=rule is None or (since is versions[0] and since.number > 1),
        line=rule.line if rule is not None else 0,
        text=rule.text if rule is not None else "",
    )


def _since(kept: _Kept, code: str, versions: list[Version], rule: ListRule) -> Version:
    """The first version from which on, without a break, the rule was there."""
    since = versions[-1]
    for version in reversed(versions[:-1]):
        if (rule.text, rule.action) not in kept.rules(code, version.number):
            break
        since = version
    return since
