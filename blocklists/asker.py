"""Who asks, as far as lists care: which of their conditions on clients hold.

Conditions are few and the same for all queries of a client, so they are settled once for each client. Clients of whom
the same conditions hold are equal here, and may share what was worked out for one of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from blocklists.match import Match
from blocklists.rule import ListRule

EVERYBODY: Final = 0  # the audience of rules without conditions on clients


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of a client: its address (4 or 16 octets, empty where it is not known), the codes and names of its
    agency and unit, its tags.
    """

    address: bytes = b""
    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asker:
    """``audiences``: the numbers of those that the client is in; ``matches``: lists' rules on its address alone.

    ``over_tcp``: the query came over a transport that is not spoofed, so that TCP_ONLY rules are met already.
    """

    audiences: frozenset[int] = frozenset((EVERYBODY,))
    matches: tuple[Match, ...] = ()
    over_tcp: bool = False


ANYBODY: Final = Asker()


class Audiences:
    """The distinct conditions on clients of all rules, numbered."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[tuple[str, ...], ...], int] = {((), (), (), ()): EVERYBODY}
        self._known: list[_Audience] = []

    def number(self, rule: ListRule) -> int:
        """The number of the audience of a rule."""
        key = rule.clients, rule.not_clients, rule.tags, rule.not_tags
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._numbers)
            self._known.append(_Audience(rule))
        return found

    def __len__(self) -> int:
        return len(self._known)

    def of(self, client: Client) -> frozenset[int]:
        """The numbers of the audiences that a client is in."""
        names = frozenset(name.casefold() for name in client.names)
        address = _address(client.address)
        found = [EVERYBODY]
        for number, audience in enumerate(self._known, EVERYBODY + 1):
            if audience.holds(address, names, client.tags):
                found.append(number)
        return frozenset(found)


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(octets: bytes) -> _Address | None:
    if not octets:
        return None
    found = ipaddress.ip_address(octets)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


class _Audience:
    """One set of conditions: any of the wanted, none of the unwanted, for clients and for tags."""

    def __init__(self, rule: ListRule) -> None:
        self._wanted = _Clients(rule.clients)
        self._unwanted = _Clients(rule.not_clients)
        self._tags = rule.tags
        self._not_tags = rule.not_tags

    def holds(self, address: _Address | None, names: frozenset[str], tags: Sequence[str]) -> bool:
        if self._wanted.texts and not self._wanted.include(address, names):
            return False
        if self._unwanted.texts and self._unwanted.include(address, names):
            return False
        if self._tags and not any(tag in self._tags for tag in tags):
            return False
        return not any(tag in self._not_tags for tag in tags)


class _Clients:
    """Addresses, ranges and names in one set."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.texts = texts
        self._names: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for text in texts:
            try:
                self._networks.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                self._names.add(text.casefold())

    def include(self, address: _Address | None, names: frozenset[str]) -> bool:
        if not self._names.isdisjoint(names):
            return True
        return address is not None and any(address in network for network in self._networks)
