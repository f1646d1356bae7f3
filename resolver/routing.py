"""Which group of upstream servers a question goes to: conditional forwarding by suffix and by agency.

The longest suffix wins; of routes for the same suffix an agency's own goes before the common one. Where none fits, the
first group is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from dnswire import name as wire
from resolver.settings import Route, ServerGroup

# What a cache key ends in for group 0, by DO and CD, which change what an upstream answers (RFC 4035 3.2).
_FIRST: Final = (b"\x00", b"\x01", b"\x02", b"\x03")
_OTHER_GROUP: Final = 4
_DIGEST_SIZE: Final = 8


class Target:
    """Where a question goes. ``group``: index of the group. ``keys``: what its cache key ends in, by DO (1) and CD (2).

    ``public``: the group speaks for the Internet, so its answers are guarded against rebinding. ``inside``: a route
    leads to a group that knows our own networks, so that their reverse zones are its to answer.
    """

    __slots__ = ("group", "inside", "keys", "public")

    def __init__(self, group: int, keys: tuple[bytes, bytes, bytes, bytes], public: bool, inside: bool) -> None:
        self.group = group
        self.keys = keys
        self.public = public
        self.inside = inside


FIRST: Final = Target(0, _FIRST, True, False)


class Table:
    """The routes that hold for one agency, its own and the common ones. ``number`` tells tables apart."""

    __slots__ = ("_by_suffix", "_first", "number")

    def __init__(self, number: int, by_suffix: dict[bytes, Target], first: Target) -> None:
        self.number = number
        self._by_suffix = by_suffix
        self._first = first

    def find(self, name: bytes) -> Target:
        """Where questions for the lower-case wire name go."""
        if self._by_suffix:
            for parent in wire.parents(name):
                target = self._by_suffix.get(parent)
                if target is not None:
                    return target
        return self._first


class Routing:
    """All routes of a worker. Raises ``ValueError`` for a route to no group."""

    def __init__(self, groups: Sequence[ServerGroup], routes: Sequence[Route]) -> None:
        keys = [_FIRST, *(_keys(group) for group in groups[1:])]
        first = Target(0, _FIRST, not groups[0].internal, False) if groups else FIRST
        routed = {
            group.name: Target(number, keys[number], not group.internal, group.internal)
            for number, group in enumerate(groups)
        }
        common: dict[bytes, Target] = {}
        own: dict[str, dict[bytes, Target]] = {}
        for route in routes:
            if route.group not in routed:
                raise ValueError(f"a route leads to the group {route.group!r}, which does not exist")
            place = own.setdefault(route.agency, {}) if route.agency else common
            place.setdefault(wire.from_text(route.suffix).lower(), routed[route.group])
        self.common = Table(0, common, first)
        self._tables = {
            agency: Table(number, common | suffixes, first) for number, (agency, suffixes) in enumerate(own.items(), 1)
        }

    @property
    def agencies(self) -> frozenset[str]:
        """Codes of the agencies that have routes of their own."""
        return frozenset(self._tables)

    def table(self, agency: str) -> Table:
        """The routes that hold for an agency, by its code."""
        return self._tables.get(agency, self.common)


def _keys(group: ServerGroup) -> tuple[bytes, bytes, bytes, bytes]:
    """Key endings by what the group is, not by its place: a cache kept over a restart must not change groups."""
    known = msgspec.json.encode((group.name, sorted({(one.address, one.port) for one in group.servers})))
    digest = hashlib.blake2b(known, digest_size=_DIGEST_SIZE).digest()
    plain, do, cd, do_cd = (bytes((flags | _OTHER_GROUP,)) + digest for flags in range(4))
    return plain, do, cd, do_cd


ONE_GROUP: Final = Routing((), ())
