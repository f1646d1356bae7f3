"""Lines that give a name an address of their own (hosts files, dnsmasq, Unbound): the rule that they are.

Such a rule says where clients go, so that it counts only where the source may rewrite (``Harvest.add_rule``).
"""

from __future__ import annotations

from blocklists.entry import EXACT, name_of
from blocklists.formats.harvest import Harvest, Reason, excerpt
from blocklists.formats.odd import examine
from blocklists.rule import MAX_TEXT_SIZE, Datum, Kind, ListRule, RuleAction
from dnswire.constants import RRType
from dnswire.name import to_text


def take_answer(harvest: Harvest, kind: Kind, token: bytes, data: tuple[Datum, ...], line: int, text: bytes) -> None:
    """Takes the rule that answers ``token`` (a name in lower case) with ``data``; or counts it as no name."""
    key = examine(token)
    if isinstance(key, Reason):
        harvest.reject(line, token, key)
        return
    said = excerpt(text, MAX_TEXT_SIZE)[:MAX_TEXT_SIZE]
    harvest.add_rule(ListRule(kind, to_text(name_of(key)), RuleAction.REWRITE, data=data, line=line, text=said))


def kind_of(cover: int) -> Kind:
    """The kind of a rule that covers what an entry would."""
    return Kind.EXACT if cover == EXACT else Kind.SUBTREE


def address_datum(address: str) -> Datum:
    """The RR of a numeric address."""
    return Datum(int(RRType.AAAA if ":" in address else RRType.A), address)
