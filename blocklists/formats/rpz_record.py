"""What one RR of a response policy zone means: an entry, an address entry, a part of a rule, or a reason why nothing.

One meaning for zones that come as files (``rpz.py``) and by transfer. Source: draft-vixie-dnsop-dns-rpz-00, sections 3
(actions) and 4 (triggers).

``CNAME .`` and landing names are the list's block, which the category answers as it answers all blocks; whatever
states another answer is a rule. Several RRs of local data at one owner are one rule, whatever stands between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from blocklists.entry import SUBTREE, Cover
from blocklists.formats.harvest import MAX_RULES, Harvest, Reason, excerpt
from blocklists.formats.rpz_address import network_of
from blocklists.rule import (
    MAX_DATA,
    MAX_TEXT_SIZE,
    AddressEntry,
    AddressKind,
    Datum,
    Kind,
    ListRule,
    RuleAction,
    Trigger,
)
from dnswire.constants import RRType
from dnswire.name import ROOT, labels, to_text

# Where national lists send the names that they block; a source can state others (``Source.landing``).
DEFAULT_LANDING: Final = frozenset(
    (
        "lamanlabuh.aduankonten.id",  # TrustPositif's zone
        "trustpositif.komdigi.go.id",
        "trustpositif.kominfo.go.id",
        "internetpositif.id",
        "internet-positif.org",
        # Addresses that are nobody's: zones made from hosts files carry them.
        "0.0.0.0",
        "127.0.0.1",
        "::",
        "::1",
    )
)

# Types whose data a rewrite can hold; see ``rdata_text.py``.
LOCAL_TYPES: Final = frozenset((RRType.A, RRType.AAAA, RRType.CNAME, RRType.TXT, RRType.MX, RRType.PTR))
# What a zone has for itself, at its apex and signed: no list of anybody's names.
ZONE_TYPES: Final = frozenset(
    (RRType.SOA, RRType.NS, RRType.DS, RRType.RRSIG, RRType.NSEC, RRType.DNSKEY, RRType.NSEC3, 51, 63)
)  # 51 NSEC3PARAM, 63 ZONEMD

_TRIGGERS: Final = {
    b"rpz-ip": Trigger.RESPONSE_IP,
    b"rpz-client-ip": Trigger.CLIENT_IP,
    b"rpz-nsip": Trigger.NSIP,
    b"rpz-nsdname": Trigger.NSDNAME,
}
_ACTIONS: Final = {
    ".": RuleAction.BLOCK,
    "*": RuleAction.NODATA,
    "rpz-passthru": RuleAction.PASSTHRU,
    "rpz-drop": RuleAction.DROP,
    "rpz-tcp-only": RuleAction.TCP_ONLY,
}
_BULK: Final = {
    (Trigger.RESPONSE_IP, RuleAction.BLOCK): AddressKind.RESPONSE_BLOCK,
    (Trigger.RESPONSE_IP, RuleAction.PASSTHRU): AddressKind.RESPONSE_ALLOW,
    (Trigger.CLIENT_IP, RuleAction.BLOCK): AddressKind.CLIENT_BLOCK,
    (Trigger.CLIENT_IP, RuleAction.PASSTHRU): AddressKind.CLIENT_ALLOW,
    (Trigger.NSIP, RuleAction.BLOCK): AddressKind.NSIP_BLOCK,
    (Trigger.NSIP, RuleAction.PASSTHRU): AddressKind.NSIP_ALLOW,
}
_LABEL: Final = re.compile(rb"[a-z0-9_-]+")
_TOP_NUMBER: Final = re.compile(rb"\d+|0x[0-9a-f]*")
_ALLOW_SHIFT: Final = 2  # a cover that blocks becomes the one that allows


class RpzRecords:
    """Takes the RRs of one zone and puts what they mean into ``harvest``; ``finish`` when all were taken.

    ``landing`` as in ``Options``, beside ``DEFAULT_LANDING``; ``subdomains`` as in ``Format.parse``.
    """

    def __init__(self, landing: Iterable[str], subdomains: bool | None, harvest: Harvest) -> None:
        self._landing = DEFAULT_LANDING.union(landing)
        self._subdomains = subdomains
        self.harvest = harvest
        self._local: dict[bytes, ListRule] = {}

    def take(self, owner: bytes, rrtype: int, data: str, line: int = 0, text: bytes = b"") -> None:
        """One RR. ``owner``: its labels before the zone's name, in lower case and wire form without the root's octet.

        ``data``: RDATA in presentation form as in ``Datum``; "." for the root. ``line`` and ``text`` are for people.
        """
        harvest = self.harvest
        if not owner or rrtype in ZONE_TYPES:
            harvest.noise += 1
            return
        if rrtype not in LOCAL_TYPES:
            harvest.pass_over(line, text or _shown(owner), Reason.RRTYPE)
            return
        parts = labels(owner + ROOT)
        trigger = _TRIGGERS.get(parts[-1], Trigger.QNAME)
        if trigger is not Trigger.QNAME:
            parts.pop()
        if trigger is Trigger.QNAME or trigger is Trigger.NSDNAME:
            self._name(owner, trigger, parts, rrtype, data, line, text)
        else:
            self._network(owner, trigger, parts, rrtype, data, line, text)

    def finish(self) -> None:
        """All RRs were taken: hands over the rules of local data."""
        for rule in self._local.values():
            self.harvest.add_rule(rule)
        self._local.clear()

    def action(self, rrtype: int, data: str, pattern: str) -> RuleAction:
        """What an RR at ``pattern`` asks for; ``REWRITE`` for local data."""
        if data in self._landing:
            return RuleAction.BLOCK
        if rrtype != RRType.CNAME:
            return RuleAction.REWRITE
        if data == pattern:  # an old way of writing rpz-passthru
            return RuleAction.PASSTHRU
        return _ACTIONS.get(data, RuleAction.REWRITE)

    def cover(self, starred: bool, action: RuleAction) -> int:
        """The cover of an entry that blocks or passes through."""
        cover = int(Cover.BELOW if starred else Cover.SELF)
        if self._subdomains is not None:
            cover = SUBTREE if self._subdomains else int(Cover.SELF)
        return cover << _ALLOW_SHIFT if action is RuleAction.PASSTHRU else cover

    def _name(
        self, owner: bytes, trigger: Trigger, parts: list[bytes], rrtype: int, data: str, line: int, text: bytes
    ) -> None:
        starred = bool(parts) and parts[0] == b"*"
        names = parts[1:] if starred else parts
        reason = _name_reason(names)
        if reason is not None:
            self.harvest.reject(line, text or _shown(owner), reason)
            return
        pattern = b".".join(names).decode("ascii")
        action = self.action(rrtype, data, ("*." if starred else "") + pattern)
        if trigger is Trigger.QNAME and action in (RuleAction.BLOCK, RuleAction.PASSTHRU):
            self.harvest.add(self.cover(starred, action), owner[2 if starred else 0 :][::-1], 1)
            return
        kind = Kind.BELOW if starred else Kind.EXACT
        if self._subdomains is not None:
            kind = Kind.SUBTREE if self._subdomains else Kind.EXACT
        self._rule(owner, ListRule(kind, pattern, action, trigger, line=line, text=_said(owner, text)), rrtype, data)

    def _network(
        self, owner: bytes, trigger: Trigger, parts: list[bytes], rrtype: int, data: str, line: int, text: bytes
    ) -> None:
        network = network_of(parts)
        if network is None:
            self.harvest.reject(line, text or _shown(owner), Reason.ADDRESS_OWNER)
            return
        action = self.action(rrtype, data, "")
        bulk = _BULK.get((trigger, action))
        if bulk is not None:
            self.harvest.addresses.append(AddressEntry(bulk, network))
            return
        rule = ListRule(Kind.NETWORK, str(network), action, trigger, line=line, text=_said(owner, text))
        self._rule(owner, rule, rrtype, data)

    def _rule(self, owner: bytes, rule: ListRule, rrtype: int, data: str) -> None:
        if rule.action is not RuleAction.REWRITE:
            self.harvest.add_rule(rule)
            return
        if not self.harvest.rewrites:
            # Not gathered first: where a publisher takes another landing name, the whole zone looks like this.
            self.harvest.pass_over(rule.line, rule.text.encode(), Reason.REWRITE)
            return
        known = self._local.get(owner)
        if known is None and len(self._local) >= MAX_RULES:
            self.harvest.reject(rule.line, rule.text.encode(), Reason.TOO_MANY_RULES)
            return
        before = known.data if known is not None else ()
        datum = Datum(int(rrtype), data)
        if datum in before:
            return
        if len(before) >= MAX_DATA:
            self.harvest.reject(rule.line, rule.text.encode(), Reason.TOO_MANY_RULES)
            return
        first = known or rule
        self._local[owner] = ListRule(
            first.kind,
            first.pattern,
            first.action,
            first.trigger,
            data=(*before, datum),
            line=first.line,
            text=first.text,
        )


def _name_reason(names: list[bytes]) -> Reason | None:
    """Why labels are no name to list. One label is a name here: an RR is whole, and no line that was cut."""
    if not names:
        return Reason.EVERYTHING
    if not all(_LABEL.fullmatch(part) for part in names):
        return Reason.CHARACTER
    return Reason.NUMERIC_TOP if _TOP_NUMBER.fullmatch(names[-1]) else None


def _shown(owner: bytes) -> bytes:
    return to_text(owner + ROOT).encode()


def _said(owner: bytes, text: bytes) -> str:
    return excerpt(text or _shown(owner))[:MAX_TEXT_SIZE]
