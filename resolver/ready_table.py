"""Where the fast lane finds what it was taught: by the octets of the question and the client's view, in one look.

A table with open addressing instead of a dictionary for one reason: its places can be fetched into the processor's
cache for a whole batch before the first is needed (``fetch_...``). What a name's ``Ready`` is spread over lies in
memory that nobody has touched since it was asked last, and waiting for that, line by line, costs as much as all else.

A question is looked for at ``PROBES`` places at most, so that nobody can make long chains of names whose marks collide:
he would only push out his own. Beyond ``MAX_BYTES`` a hand goes round and frees what it meets, one for each that comes.
Both may leave an older copy of a response behind, or one that is not found: whoever finds a response asks whether it
still holds, and what is not found is taught again.
"""

from __future__ import annotations

import os
from typing import Any, Final, cast

import cython

from resolver.ready import NAME_AT, Ready

if not cython.compiled:  # compiled, ready_table.pxd has them as functions of C
    from dnswire.octets import get64, same

    # Hints that only a processor can take; no line that names these runs here.
    p_object = prefetch = places = cast(Any, None)

MAX_BYTES: Final = 64 * 1024 * 1024
MIN_SLOTS: Final = 4_096
MAX_SLOTS: Final = 262_144  # as many responses as fit into MAX_BYTES fill six tenths
PROBES: Final = 8

_PROBES: Final = int(PROBES)
_NAME_AT: Final = int(NAME_AT)
_MIX: Final = 0x9E3779B97F4A7C15
_ALL: Final = 0xFFFFFFFFFFFFFFFF
_MAX_BODIES: Final = 4_096
# Places that ``shed`` looks at for each response that it may free: most are empty.
_PLACES_A_READY: Final = 8


class ReadyTable:
    """The responses in waiting of one generation and stretch of time, for all its views."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._seed = int.from_bytes(os.urandom(8), "big")
        self._slots: list[Ready | None] = []
        self._last = 0  # place; one less than a power of two
        self._count = 0
        self._leaving: list[Ready | None] = []
        self._bodies: dict[bytes, bytes] = {}
        self._hand = 0
        self.size_bytes = 0

    def mark(self, name: memoryview, start: int, size: int, rrtype: int, form: int, view: int) -> int:
        """Where to look for a question: ``size`` octets of ``name`` from ``start`` on, its type and form, the view."""
        mark = self._seed ^ ((((view << 24) | (rrtype << 8) | form) * _MIX) & _ALL)
        at = start
        stop = start + size
        while at + 8 <= stop:
            mark = ((mark ^ get64(name, at)) * _MIX) & _ALL
            mark ^= mark >> 32
            at += 8
        while at < stop:
            mark = ((mark ^ name[at]) * _MIX) & _ALL
            mark ^= mark >> 32
            at += 1
        return mark

    def find(
        self, mark: int, name: memoryview, start: int, size: int, rrtype: int, form: int, view: int
    ) -> Ready | None:
        """The response to the question that ``mark`` was told."""
        slots = self._slots
        if not slots:
            return None
        for step in range(_PROBES):
            ready = slots[(mark + step) & self._last]
            if ready is None:
                return None
            if ready.mark != mark or ready.view != view or ready.rrtype != rrtype or ready.form != form:
                continue
            if ready.name_size == size and same(name, start, ready.rest, _NAME_AT, size):
                return ready
        return None

    def put(self, ready: Ready) -> None:
        """Keeps a response in place of what its question had; sets its mark."""
        if self._count * 2 >= len(self._slots) and len(self._slots) < MAX_SLOTS:
            self._grow()
        if ready.entry is None:  # the same octets for thousands of listed names: once in memory, and in the cache
            if len(self._bodies) >= _MAX_BODIES:
                self._bodies.clear()
            ready.body = self._bodies.setdefault(ready.body, ready.body)
        ready.mark = self._mark_of(ready)
        place = self._place_for(ready)
        self._free(place)
        while self.size_bytes and self.size_bytes + ready.cost_bytes > self._max_bytes:
            self._hand = (self._hand + 1) & self._last
            self._free(self._hand)
        self._slots[place] = ready
        self._count += 1
        self.size_bytes += ready.cost_bytes

    def _mark_of(self, ready: Ready) -> int:
        rest = ready.rest
        octets = memoryview(rest) if not cython.compiled else cython.cast(cython.p_uchar, rest)
        return self.mark(octets, _NAME_AT, ready.name_size, ready.rrtype, ready.form, ready.view)

    def _place_for(self, ready: Ready) -> int:
        """The place of its question, or the first empty one behind its mark; where there is neither, the first."""
        mark = ready.mark
        for step in range(_PROBES):
            place = (mark + step) & self._last
            before = self._slots[place]
            if before is None or (before.mark == mark and _same_question(before, ready)):
                return place
        return mark & self._last

    def _free(self, place: int) -> None:
        before = self._slots[place]
        if before is not None:
            self.size_bytes -= before.cost_bytes
            self._count -= 1
            self._slots[place] = None

    def _grow(self) -> None:
        """Twice as many places; what finds none near its mark is dropped."""
        before = self._slots
        places = len(before) * 2 or MIN_SLOTS
        self._slots = [None] * places
        self._last = places - 1
        self._count = self.size_bytes = 0
        for ready in before:
            if ready is not None:
                place = self._place_for(ready)
                if self._slots[place] is None:
                    self._slots[place] = ready
                    self._count += 1
                    self.size_bytes += ready.cost_bytes

    def fetch_place(self, mark: int) -> None:
        """Asks for the place that ``mark`` names; no more than a hint to the processor."""
        if cython.compiled and self._slots:
            prefetch(cython.address(places(self._slots)[mark & self._last]))

    def fetch_ready(self, mark: int) -> None:
        """Asks for the response that is first at ``mark``, whichever it is."""
        if cython.compiled and self._slots:
            _fetch(places(self._slots)[mark & self._last], 3)

    def fetch_parts(self, mark: int) -> None:
        """Asks for what that response is made of."""
        if cython.compiled and self._slots:
            found = places(self._slots)[mark & self._last]
            if found != cython.cast(p_object, None):
                ready = cython.cast(Ready, found)
                _fetch(cython.cast(p_object, ready.rest), 5)
                _fetch(cython.cast(p_object, ready.body), 3)
                _fetch(cython.cast(p_object, ready.entry), 2)

    def shed(self, limit: int) -> bool:
        """Frees up to so many responses of a table that is no longer used; whether any may be left."""
        if self._slots:
            self._leaving, self._slots = self._slots, []
        for _ in range(min(limit * _PLACES_A_READY, len(self._leaving))):
            self._leaving.pop()
        return bool(self._leaving)


def _same_question(one: Ready, other: Ready) -> bool:
    if one.view != other.view or one.rrtype != other.rrtype or one.form != other.form:
        return False
    names = [ready.rest[_NAME_AT : _NAME_AT + ready.name_size] for ready in (one, other)]
    return names[0] == names[1]


def _fetch(thing: object, lines: int) -> None:
    for line in range(lines):
        prefetch(cython.cast(cython.p_char, thing) + line * 64)
