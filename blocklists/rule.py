"""What a list can say beyond "these names": one ``ListRule``, and the entry of an address range.

A list is names in bulk (``entry.py``: key and ``Cover``, in the index), address ranges in bulk (``AddressEntry``), and
rules: the few lines that need more than that. **A parser hands a line over in the cheapest of the three**: ``||x^`` and
``*.x CNAME .`` are entries; ``||x^$important`` is a rule; an address, or an ``rpz-ip`` owner with ``CNAME .``, is an
address entry. Entries cost 7 octets and take part in one look-up for all of them; a rule costs some hundred octets.

A rule matches a query where its ``trigger`` is met by its ``pattern`` and every *condition* that it has holds:
``rrtypes``, ``clients``, ``tags``, ``deny_allow``. What then happens is its ``action``, weighed against other matches
as ``rules_index.py`` and ``policy/candidates.py`` tell. Rules are facts: frozen, without behaviour, the same after a
way through JSON (``encode``, ``decode``).

Names in rules are text: A-labels in lower case, without trailing dot.

Sources of the meanings: AdGuard, "DNS filtering rules syntax" (adblock); draft-vixie-dnsop-dns-rpz, sections 3 to 6
(triggers and actions of response policy zones).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Final

import msgspec

MAX_PATTERN_SIZE: Final = 1_000  # characters; the longest expression of AdGuard's own list has 300
MAX_TEXT_SIZE: Final = 500  # characters of ``ListRule.text``: it is for people
MAX_CONDITIONS: Final = 1_000  # values of one condition
MAX_DATA: Final = 100  # RRs of one rewrite


class Trigger(StrEnum):
    """What the pattern is compared with."""

    QNAME = "qname"  # the name asked for, and every name that the answer leads to
    CLIENT_IP = "client_ip"  # the address of the client (kind NETWORK)
    RESPONSE_IP = "response_ip"  # an address in the answer (kind NETWORK, or REGEX on its text)
    NSDNAME = "nsdname"  # the name of a nameserver of the zone that the answer came from
    NSIP = "nsip"  # the address of such a nameserver (kind NETWORK)


class Kind(StrEnum):
    """How ``pattern`` is to be read."""

    EXACT = "exact"  # this name
    SUBTREE = "subtree"  # this name and every name below it
    BELOW = "below"  # every name below this one, not itself
    WILDCARD = "wildcard"  # text in which "*" stands for any characters, dots too; see ``ListRule``
    REGEX = "regex"  # an expression of RE2, found anywhere in the name; case is ignored
    EVERYTHING = "everything"  # every name; the pattern is empty
    NETWORK = "network"  # an address range as CIDR text, host bits zero: "192.0.2.0/24", "2001:db8::1/128"


class RuleAction(StrEnum):
    """What a matching rule asks for.

    BLOCK is answered as the category of the list says (NXDOMAIN, block page, ...); NXDOMAIN, NODATA, REFUSED and
    REWRITE state the answer themselves and are blocks otherwise; so are DROP and TCP_ONLY. ALLOW and PASSTHRU are the
    same wish in two syntaxes: the list has nothing against the name.
    """

    BLOCK = "block"
    ALLOW = "allow"
    PASSTHRU = "passthru"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    REFUSED = "refused"
    DROP = "drop"  # no response at all (the query is logged all the same)
    TCP_ONLY = "tcp_only"  # over UDP an empty response with TC set; over TCP as if there were no such rule
    REWRITE = "rewrite"  # answered with ``rcode`` and ``data``


class AddressKind(IntEnum):
    """The bulk entries of address ranges: trigger and action. Stored in files: numbers are never reused."""

    RESPONSE_BLOCK = 1  # trigger RESPONSE_IP, action BLOCK: also what a plain list of addresses means
    RESPONSE_ALLOW = 2  # action PASSTHRU
    CLIENT_BLOCK = 3
    CLIENT_ALLOW = 4
    NSIP_BLOCK = 5
    NSIP_ALLOW = 6


_NOWHERE: Final = frozenset(("0.0.0.0", "::", "127.0.0.1", "::1"))


class Datum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One RR of a rewrite. ``data`` is its RDATA in presentation form (RFC 1035 5.1, RFC 9460 2.1), names absolute
    without trailing dot.

    A CNAME target that begins with ``*.`` stands for the queried name put before the rest (RPZ, "wildcarded CNAME").
    """

    rrtype: int
    data: str


class ListRule(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line of a list that needs more than an entry.

    ``kind`` and ``pattern``: for WILDCARD, ``*`` stands for any number of any characters and the rest for itself; it
    is found anywhere in the name, except that ``||`` in front holds it to the beginning of the name or of a label,
    ``|`` in front to the beginning of the name, and ``^`` or ``|`` behind to the end of the name.

    ``rewrites``: the rule is of the rewriting kind (``$dnsrewrite``): it is asked before every other rule of its list,
    and only an ALLOW that is of the same kind undoes it (all of them, or those with its ``rcode`` and ``data`` where
    it has ``data`` or an ``rcode`` other than 0). Response policy zones leave it False.

    Conditions; an empty one is none:

    - ``rrtypes``: the query's type is among them; ``not_rrtypes``: is not.
    - ``clients``: the client is one of them; ``not_clients``: none. An item is an address, a CIDR, or the code or name
      of an agency or unit (case is ignored).
    - ``tags``, ``not_tags``: the same for tags of clients.
    - ``deny_allow``: names that the rule leaves alone, each with all below.

    ``line`` is the number of the line in the list, from 1 (0: unknown); ``text`` that line, at most
    ``MAX_TEXT_SIZE`` printable characters.
    """

    kind: Kind
    pattern: str
    action: RuleAction = RuleAction.BLOCK
    trigger: Trigger = Trigger.QNAME
    important: bool = False
    rewrites: bool = False
    rcode: int = 0
    data: tuple[Datum, ...] = ()
    rrtypes: tuple[int, ...] = ()
    not_rrtypes: tuple[int, ...] = ()
    clients: tuple[str, ...] = ()
    not_clients: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    deny_allow: tuple[str, ...] = ()
    line: int = 0
    text: str = ""

    @property
    def leads_elsewhere(self) -> bool:
        """Whether it answers with data of its own that are more than the null address or the client's own: the list's
        author then decides where clients go.
        """
        return self.action is RuleAction.REWRITE and any(datum.data not in _NOWHERE for datum in self.data)

    @property
    def allows(self) -> bool:
        """Whether the rule asks for the name to be left alone."""
        return self.action is RuleAction.ALLOW or self.action is RuleAction.PASSTHRU


@dataclass(frozen=True, slots=True)
class AddressEntry:
    """One address range of a list, without conditions: 17 octets when stored (``packed``)."""

    kind: AddressKind
    network: IPv4Network | IPv6Network

    @property
    def packed(self) -> bytes:
        """The first address, IPv4 as ::ffff:a.b.c.d, then the length of the prefix in that form (0 to 128)."""
        octets = self.network.network_address.packed
        if len(octets) == 4:
            return MAPPED + octets + bytes([96 + self.network.prefixlen])
        return octets + bytes([self.network.prefixlen])


MAPPED: Final = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"  # RFC 4291 2.5.5.2: an IPv4 address among those of IPv6

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(tuple[ListRule, ...])


def encode(rules: Iterable[ListRule]) -> bytes:
    """Rules as a JSON array: the same rules give the same octets."""
    return _ENCODER.encode(tuple(rules))


def decode(content: bytes) -> tuple[ListRule, ...]:
    """The rules of ``encode``. Raises ``ValueError`` for anything else."""
    return _DECODER.decode(content)
