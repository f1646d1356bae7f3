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
from blocklists.rule import ListRule
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


def _holders(library: Library, matches: list[Match], codes: Mapping[int, str]) -> tuple[Holder, ...]:
    found: list[Holder] = []
    for match in matches[:MAX_SHOWN]:
        code = codes.get(match.list_id)
        state = library.state(code) if code is not None else None
        if state is not None and state.version:
            found.append(_holder(library, state, match))
    return tuple(found)


def _holder(library: Library, state: ListState, match: Match) -> Holder:
    rule = match.rule
    kept = [version for version in state.versions if version.number <= state.version]
    since = _since(library, state.code, kept, rule) if rule is not None else kept[-1]
    return Holder(
        code=state.code,
        entry=rule.text if rule is not None else str(match.labels),
        kind=f"rule: {rule.action}" if rule is not None else "allow range" if match.allow else "range",
        version=state.version,
        since_version=since.number,
        since_s=since.stored_s,
        # Ranges are not looked for in older versions.
        since_oldest=rule is None or (since is kept[0] and since.number > 1),
        line=rule.line if rule is not None else 0,
        text=rule.text if rule is not None else "",
    )


def _since(library: Library, code: str, kept: list[Version], rule: ListRule) -> Version:
    """The first version from which on, without a break, the rule was there, in whatever line."""
    since = kept[-1]
    for version in reversed(kept[:-1]):
        try:
            rules = read_rules(library.entries_path(code, version.number))
        except (EntriesDamaged, OSError):
            break
        if not any(other.text == rule.text and other.action is rule.action for other in rules):
            break
        since = version
    return since
