"""Names that this resolver answers from its own configuration and hosts file, without asking anybody.

A name with any record here is ours: asked for another type it has no data, rather than what somebody else says of it.
``*.x`` stands for all names below x that have no records of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dnswire import name as wire
from dnswire import rdata
from dnswire.constants import Rcode, RRType
from dnswire.response import question_rr, rr, soa_rr
from dnswire.rrtypes import type_number
from resolver.block import Rendered
from resolver.settings import LocalRecord

_MAX_ALIASES: Final = 8
_NEGATIVE_TTL_S: Final = 60
_NO_LIMIT_S: Final = 2_147_483_647
_WILDCARD: Final = b"\x01*"

RRset = list[tuple[int, bytes]]
"""(TTL in seconds, RDATA) of each RR."""


@dataclass(frozen=True, slots=True)
class Own:
    """An answer of our own. ``aliases``: the names that its CNAMEs lead to, in order; ``ttl_s``: its largest TTL.

    Where the last alias is not ours, it is ``rendered.alias``, and its addresses are asked of upstreams.
    """

    rendered: Rendered
    aliases: tuple[bytes, ...]
    ttl_s: int


class LocalRecords:
    """Records by name and type. Raises ``ValueError`` for data that its type cannot have."""

    __slots__ = ("_below", "_names")

    def __init__(self, records: Iterable[LocalRecord] = ()) -> None:
        self._names: dict[bytes, dict[int, RRset]] = {}
        self._below: dict[bytes, dict[int, RRset]] = {}
        for record in records:
            owner = wire.from_text(record.name).lower()
            rrtype = type_number(record.type)
            self.add(owner, rrtype, record.ttl_s, rdata.to_wire(rrtype, record.value))

    def add(self, owner: bytes, rrtype: int, ttl_s: int, data: bytes) -> None:
        """One RR more, unless it is there; only while nobody else uses the object."""
        if owner.startswith(_WILDCARD):
            rrsets = self._below.setdefault(owner[len(_WILDCARD) :], {})
        else:
            rrsets = self._names.setdefault(owner, {})
        rrset = rrsets.setdefault(rrtype, [])
        if all(known != data for _, known in rrset):
            rrset.append((ttl_s, data))

    def __len__(self) -> int:
        return len(self._names) + len(self._below)

    def find(self, name: bytes, rrtype: int, max_ttl_s: int = _NO_LIMIT_S, owner: bytes = b"") -> Own | None:
        """The answer to a question for the lower-case wire name; None where it is not ours.

        ``owner``: of the first RRs, where it is not the question's name. No TTL is above ``max_ttl_s``.
        """
        rrsets = self._rrsets(name)
        if rrsets is None:
            return None
        found = _Found(max_ttl_s)
        aliases: list[bytes] = []
        while rrtype != RRType.CNAME and RRType.CNAME in rrsets and len(aliases) < _MAX_ALIASES:
            rrset = rrsets[RRType.CNAME][:1]
            found.add(owner, RRType.CNAME, rrset)
            owner = rrset[0][1].lower()
            aliases.append(owner)
            following = self._rrsets(owner)
            if following is None:
                return found.own(aliases, owner)
            rrsets = following
        if rrtype in rrsets:
            found.add(owner, rrtype, rrsets[rrtype])
            return found.own(aliases)
        return found.own(aliases, negative=True)

    def _rrsets(self, name: bytes) -> dict[int, RRset] | None:
        found = self._names.get(name)
        if found is None and self._below:
            for parent in wire.parents(name):
                if parent != name and parent in self._below:
                    return self._below[parent]
        return found


class _Found:
    """An answer section as it grows."""

    def __init__(self, max_ttl_s: int) -> None:
        self._max_ttl_s = max_ttl_s
        self._section = b""
        self._count = 0
        self._ttl_s = 0

    def add(self, owner: bytes, rrtype: int, rrset: RRset) -> None:
        """One RRset; ``owner`` empty: the question's name."""
        for ttl_s, data in rrset:
            clipped_s = min(ttl_s, self._max_ttl_s)
            self._section += rr(owner, rrtype, clipped_s, data) if owner else question_rr(rrtype, clipped_s, data)
            self._ttl_s = max(self._ttl_s, clipped_s)
        self._count += len(rrset)

    def own(self, aliases: list[bytes], alias: bytes = b"", negative: bool = False) -> Own:
        """All of it; ``alias``: where it goes on, ``negative``: that the last name has no such data."""
        authority = b""
        if negative:
            ttl_s = min(_NEGATIVE_TTL_S, self._max_ttl_s)
            authority = soa_rr(ttl_s)
            self._ttl_s = max(self._ttl_s, ttl_s)
        rendered = Rendered(
            Rcode.NOERROR, self._section, self._count, authority, 1 if authority else 0, alias=alias, ttl_s=self._ttl_s
        )
        return Own(rendered, tuple(aliases), self._ttl_s)
