"""The rules and address ranges of all lists: what they say about a query, an address, a nameserver.

The index of names answers most queries alone; this stands beside it where any list has more to say (``Index.rules``
is None where none has). All that can be worked out before a query comes is worked out when it is opened.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from blocklists.address_table import AddressTable
from blocklists.asker import ANYBODY, EVERYBODY, Asker, Audiences, Client
from blocklists.match import Match
from blocklists.rewrites import settled
from blocklists.rule import MAPPED, AddressKind, Datum, Kind, ListRule, RuleAction, Trigger
from blocklists.rule_table import Placed, RuleTable, denies
from dnswire.constants import RRType
from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, to_text

_KINDS: Final = {
    Trigger.RESPONSE_IP: (AddressKind.RESPONSE_BLOCK, AddressKind.RESPONSE_ALLOW),
    Trigger.CLIENT_IP: (AddressKind.CLIENT_BLOCK, AddressKind.CLIENT_ALLOW),
    Trigger.NSIP: (AddressKind.NSIP_BLOCK, AddressKind.NSIP_ALLOW),
}
_ALLOWING: Final = frozenset((AddressKind.RESPONSE_ALLOW, AddressKind.CLIENT_ALLOW, AddressKind.NSIP_ALLOW))
_WIDTH: Final = 128
_V4: Final = 4
_V4_SIZE: Final = 4
_V4_BITS: Final = 96
_MAPPED_VALUE: Final = int.from_bytes(MAPPED, "big")
_NONE: Final[tuple[Match, ...]] = ()


class RulesIndex:
    """Rules of lists, open. Not to be used after ``close``; safe to share between threads.

    ``skipped``: how many rules cannot be used by this version of the program. ``about_clients``, ``about_addresses``,
    ``about_servers``: whether any rule or range is about the asking client, addresses in answers, nameservers;
    ``tcp_only``: whether any asks for TCP.
    """

    def __init__(self, lists: Sequence[tuple[int, Sequence[ListRule]]], addresses: AddressTable | None = None) -> None:
        self.count = 0
        self.skipped = 0
        self._addresses = addresses
        self._audiences = Audiences()
        self._names = RuleTable()
        self._servers = RuleTable()
        self._texts = RuleTable()
        self._networks: dict[Trigger, _Networks] = {}
        self.tcp_only = False
        for list_id, rules in lists:
            self._add_all(list_id, rules)
        for table in (self._names, self._servers, self._texts):
            self.skipped += len(table.close())
        kinds = addresses.kinds if addresses is not None else frozenset()
        self.about_clients = bool(len(self._audiences)) or self._about(Trigger.CLIENT_IP, kinds)
        self.about_addresses = bool(len(self._texts)) or self._about(Trigger.RESPONSE_IP, kinds)
        self.about_server_addresses = self._about(Trigger.NSIP, kinds)
        self.about_servers = bool(len(self._servers)) or self.about_server_addresses
        self._name_rules = bool(len(self._names))

    def _about(self, trigger: Trigger, kinds: frozenset[AddressKind]) -> bool:
        return trigger in self._networks or not kinds.isdisjoint(_KINDS[trigger])

    def _add_all(self, list_id: int, rules: Iterable[ListRule]) -> None:
        for rule in rules:
            try:
                self._add(Placed(self.count, list_id, rule, self._audiences.number(rule)))
            except ValueError:
                self.skipped += 1
                continue
            self.count += 1
            self.tcp_only = self.tcp_only or rule.action is RuleAction.TCP_ONLY

    def _add(self, placed: Placed) -> None:
        rule = placed.rule
        if rule.trigger is Trigger.QNAME:
            self._names.add(placed)
        elif rule.trigger is Trigger.NSDNAME:
            self._servers.add(placed)
        elif rule.kind is Kind.REGEX and rule.trigger is Trigger.RESPONSE_IP:
            self._texts.add(placed)
        else:
            self._networks.setdefault(rule.trigger, _Networks()).add(ipaddress.ip_network(rule.pattern), placed)

    def asker(self, client: Client, over_tcp: bool = False) -> Asker:
        """What lists make of a client; the same object for all clients where no list cares."""
        over_tcp = over_tcp and self.tcp_only
        if not self.about_clients:
            return Asker(over_tcp=True) if over_tcp else ANYBODY
        audiences = self._audiences.of(client)
        matches = _NONE
        if client.address and (Trigger.CLIENT_IP in self._networks or self._addresses is not None):
            asker = Asker(audiences, over_tcp=over_tcp)
            # "labels" counts labels of a name, and such a rule names none.
            matches = tuple(
                match._replace(labels=0) for match in self._by_address(client.address, Trigger.CLIENT_IP, 0, asker)
            )
        return Asker(audiences, matches, over_tcp)

    def match(self, name: bytes, rrtype: int, asker: Asker, entries: tuple[Match, ...] = _NONE) -> tuple[Match, ...]:
        """Every rule about a query, beside the names index's ``entries`` for it; the longest matched names first."""
        if not self._name_rules:
            return entries + asker.matches if asker.matches else entries
        found = self._names.find(name)
        if not found and not asker.matches:
            return entries
        matches = [
            Match(labels, placed.list_id, placed.rule.allows, placed.rule)
            for labels, placed in found
            if _applies(placed, rrtype, asker) and not (placed.denied and denies(placed.denied, name))
        ]
        if not matches and not asker.matches:
            return entries
        matches = [_led_on(match, name) for match in settled(matches)]
        matches += entries
        matches += asker.matches
        matches.sort(key=_longest_first)
        return tuple(matches)

    def match_address(self, address: bytes, asker: Asker) -> tuple[Match, ...]:
        """Every rule and range about an address in an answer (4 or 16 octets); the longest prefixes first."""
        if not self.about_addresses:
            return _NONE
        rrtype = int(RRType.A if len(address) == 4 else RRType.AAAA)
        matches = self._by_address(address, Trigger.RESPONSE_IP, rrtype, asker)
        if len(self._texts):
            text = str(ipaddress.ip_address(address)).encode()
            matches += [
                Match(0, placed.list_id, placed.rule.allows, placed.rule)
                for placed in self._texts.search(text)
                if _applies(placed, rrtype, asker)
            ]
        return tuple(settled(matches))

    def match_server(self, name: bytes, addresses: Sequence[bytes], asker: Asker) -> tuple[Match, ...]:
        """Every rule about a nameserver: its wire name in lower case, and its addresses where they are known."""
        matches = [
            Match(0, placed.list_id, placed.rule.allows, placed.rule)
            for _, placed in self._servers.find(name)
            if _applies(placed, 0, asker)
        ]
        if self.about_server_addresses:
            for address in addresses:
                matches += self._by_address(address, Trigger.NSIP, 0, asker)
        return tuple(settled(matches))

    def _by_address(self, address: bytes, trigger: Trigger, rrtype: int, asker: Asker) -> list[Match]:
        found: list[Match] = []
        if self._addresses is not None:
            kinds = _KINDS[trigger]
            found = [
                Match(row.length, row.list_id, row.kind in _ALLOWING)
                for row in self._addresses.find(address)
                if row.kind in kinds
            ]
        networks = self._networks.get(trigger)
        if networks is not None:
            found += [
                Match(length, placed.list_id, placed.rule.allows, placed.rule)
                for length, placed in networks.find(address)
                if _applies(placed, rrtype, asker)
            ]
            found.sort(key=_longest_first)
        return found

    def close(self) -> None:
        """Gives the mapping back."""
        if self._addresses is not None:
            self._addresses.close()


class _Networks:
    """Rules by address range: a dictionary for each length of prefix that occurs."""

    __slots__ = ("_by_length",)

    def __init__(self) -> None:
        self._by_length: dict[int, dict[int, list[Placed]]] = {}

    def add(self, network: ipaddress.IPv4Network | ipaddress.IPv6Network, placed: Placed) -> None:
        """Takes a rule."""
        length = network.prefixlen + (_V4_BITS if network.version == _V4 else 0)
        key = _value(network.network_address.packed) >> (_WIDTH - length)
        self._by_length.setdefault(length, {}).setdefault(key, []).append(placed)

    def find(self, address: bytes) -> list[tuple[int, Placed]]:
        """The rules whose range holds an address of 4 or 16 octets, with the length of its prefix (IPv4: of 32)."""
        value = _value(address)
        shift = _V4_BITS if value >> (_WIDTH - _V4_BITS) == _MAPPED_VALUE else 0
        found: list[tuple[int, Placed]] = []
        for length, table in self._by_length.items():
            rules = table.get(value >> (_WIDTH - length))
            if rules is not None:
                found += [(max(length - shift, 0), placed) for placed in rules]
        return found


def _value(address: bytes) -> int:
    return int.from_bytes(MAPPED + address if len(address) == _V4_SIZE else address, "big")


def _led_on(match: Match, name: bytes) -> Match:
    """A rewrite to ``*.target`` with the queried name in the place of the star (RPZ: "wildcarded CNAME").

    Where the two do not fit into one name, there is no such name.
    """
    rule = match.rule
    if rule is None or not any(datum.rrtype == RRType.CNAME and datum.data.startswith("*.") for datum in rule.data):
        return match
    target = next(datum.data for datum in rule.data if datum.rrtype == RRType.CNAME)
    text = f"{to_text(name)}{target[1:]}"
    try:
        from_text(text)
    except NameSyntaxError:
        return match._replace(rule=msgspec.structs.replace(rule, action=RuleAction.NXDOMAIN, data=()))
    return match._replace(rule=msgspec.structs.replace(rule, data=(Datum(int(RRType.CNAME), text),)))


def _longest_first(match: Match) -> int:
    return -match.labels


def _applies(placed: Placed, rrtype: int, asker: Asker) -> bool:
    """Whether the conditions of a rule hold; ``rrtype`` 0: there is none to hold them against."""
    rule = placed.rule
    if placed.audience != EVERYBODY and placed.audience not in asker.audiences:
        return False
    if rule.rrtypes and rrtype not in rule.rrtypes:
        return False
    if rule.not_rrtypes and rrtype in rule.not_rrtypes:
        return False
    return not (asker.over_tcp and rule.action is RuleAction.TCP_ONLY)
