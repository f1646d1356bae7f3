"""The fast lane: a query's way (``pipeline.py``) for what was asked before, without an object of Python but its key.

The pipeline's steps, in the pipeline's order, and where each is here:

1. admit by socket source: only clients whom the pipeline has admitted are in ``InForce.taught``; their rate is judged
   by the same ``Source``;
2. parse strictly: ``_read``; what is not one ordinary question in its plainest form is not read any further;
3. who asks: the ``Known`` that step 1 found;
4. decide on the name, 5. cache, 7. inspect: all three were done by the pipeline when it made the ``Ready`` that the
   question finds in the client's view. It holds as long as the policy in force, the cached answer and the clock say
   that the pipeline would do the same again (``_holds``); step 6, asking upstreams, is never done here;
8. finish: ID, the question in the client's case, TTLs aged and clipped;
9. spool record, counters: before the answer is sent (ADR 0004).

**It may refuse, never guess.** Whatever it does not know, or doubts, it leaves untouched to the pipeline, which teaches
it (``teaching.py``). ``tests/differential/test_lanes_agree.py`` puts the same queries to both and demands the same
octets, the same log and the same counters.
"""

from __future__ import annotations

from typing import Any, Final

import cython

from dnswire.constants import HEADER_SIZE, MAX_NAME_SIZE
from dnswire.response import UDP_SIZE
from querylog.record import Transport
from resolver.pipeline import Pipeline
from resolver.ready import AD, CD, DO, EDNS, Ready

if not cython.compiled:  # compiled, fast_lane.pxd has them as functions of C
    from dnswire.octets import copy, put32, stretch

_HEADER: Final = int(HEADER_SIZE)
_NAME: Final = int(MAX_NAME_SIZE)
_UDP_SIZE: Final = int(UDP_SIZE)

_RD_OCTET: Final = 0x01  # third octet of a header: nothing but RD
_AD_OCTET: Final = 0x20  # fourth octet: these two or none
_CD_OCTET: Final = 0x10
_OPT_SIZE: Final = 11  # an OPT RR without options
_OPT: Final = 41
_DO_OCTET: Final = 0x80

_EDNS: Final = int(EDNS)
_DO: Final = int(DO)
_CD: Final = int(CD)
_AD: Final = int(AD)

_BODY_HEAD: Final = 10  # octets of Ready.body that belong into the header

PLACES: Final = 64  # questions that may be read before the first is answered
_PLACES: Final = int(PLACES)


class FastLane:
    """The fast lane beside one worker's pipeline.

    For a batch: ``begin`` once; ``read`` each datagram, at a place of its own; ``fetch_ready`` and ``fetch_parts`` for
    each place that was read, which only warm the processor's cache; then ``answer`` each.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._cache = pipeline._cache
        self._spool = pipeline._spool
        self._stats = pipeline._stats
        self._udp_hits = pipeline._stats.of_transport(Transport.UDP)
        self.faults = 0
        self._now_s = 0.0
        self._time_us = 0
        self._max_ttl_s = 0
        # By place: who asks, and what ``_read_question`` found.
        self._clients: list[Any] = [None] * _PLACES
        if not cython.compiled:  # compiled, arrays of C
            self._names = memoryview(bytearray(_PLACES * _NAME))
            self._name_sizes = [0] * _PLACES
            self._rrtypes = [0] * _PLACES
            self._forms = [0] * _PLACES
            self._marks = [0] * _PLACES
            self._ends = [0] * _PLACES
            self._limits = [0] * _PLACES
        pipeline.teaching = True

    def begin(self) -> bool:
        """Takes the time for a batch. False at the policy's edge: the pipeline has to pass it first."""
        now_s = self._pipeline._clock()
        in_force = self._pipeline.in_force
        if now_s >= in_force.valid_until_s:
            return False
        self._now_s = now_s
        self._time_us = int(now_s * 1_000_000)
        self._max_ttl_s = in_force.seconds_left(now_s)
        return True

    def read(self, place: int, message: memoryview, source: bytes, into: memoryview) -> bool:
        """Steps 1 and 2: whether the datagram is a question that ``answer`` may know.

        ``source``: the 16 octets of the socket's address. ``into`` has room for ``UDP_SIZE`` octets; ID and question
        are written there.
        """
        # 1 Admit by socket source, before anything that a client can claim.
        known = self._pipeline.in_force.taught.get(source)
        if known is None or (self._pipeline._limiting and not known.source.within(self._now_s)):
            return False

        # 2 Parse strictly.
        if not self._read_question(place, message, into):
            return False
        self._clients[place] = known
        ready = self._pipeline.in_force.ready
        self._marks[place] = ready.mark(
            self._names, place * _NAME, self._name_sizes[place], self._rrtypes[place], self._forms[place], known.place
        )
        ready.fetch_place(self._marks[place])
        return True

    def fetch_ready(self, place: int) -> None:
        """First half of the way from a question to what is known of it; a hint to the processor."""
        self._pipeline.in_force.ready.fetch_ready(self._marks[place])

    def fetch_parts(self, place: int) -> None:
        """Second half."""
        self._pipeline.in_force.ready.fetch_parts(self._marks[place])

    def answer(self, place: int, into: memoryview) -> int:
        """Steps 3 to 9 for what was read at ``place``: writes the response and returns its size.

        0: nothing was done, and the pipeline has to answer.
        """
        # 3, 4, 5, 7 What the pipeline did with this client's question before, if it would do so again.
        known = self._clients[place]
        now_s = self._now_s
        ready = self._pipeline.in_force.ready.find(
            self._marks[place],
            self._names,
            place * _NAME,
            self._name_sizes[place],
            self._rrtypes[place],
            self._forms[place],
            known.place,
        )
        if ready is None or not self._holds(ready, now_s):
            return 0
        end = self._ends[place]
        size = end + ready.body_size - _BODY_HEAD
        if size > self._limits[place]:
            return 0

        # 8 Finish.
        copy(into, 2, ready.body, ready.body_at, _BODY_HEAD)
        copy(into, end, ready.body, ready.body_at + _BODY_HEAD, size - end)
        if not self._age(ready, into, size):
            return 0

        # 9 Spool, then send. The rate is judged as late as this, since only now the pipeline will not do it; there was
        #   room for this query when it was read, and if others of the batch took it, this one is the last over it.
        if self._pipeline._limiting and not known.source.within(now_s):
            return 0
        if self._pipeline._limiting:
            known.source.judge(now_s)
        self._spool.append_again(
            self._time_us, known.address, known.agency_id, known.unit_id, ready.rest, ready.rest_size
        )
        tally = known.tally[ready.verdict]
        tally.value += 1
        self._count(ready)
        return size

    def _read_question(self, place: int, message: memoryview, into: memoryview) -> bool:
        """Reads an ordinary question: its name in lower case, type, form (``teaching.form_of``); False if it is none.

        Ordinary: a header that asks one question and nothing else, an uncompressed name, class IN, and either nothing
        behind it or one OPT RR of version 0 without options.
        """
        size = len(message)
        if size < _HEADER + 5 or message[2] != _RD_OCTET or message[3] & ~(_AD_OCTET | _CD_OCTET):
            return False
        if message[4] or message[5] != 1 or message[6] or message[7] or message[8] or message[9]:
            return False
        if message[10] or message[11] > 1:
            return False

        at = _HEADER
        length = message[at]
        while length:
            at += length + 1
            # Behind the label stand, at least, the root, type and class. A length over 63 is a pointer, or reserved.
            if length > 63 or at + 5 > size or at - _HEADER >= _NAME:
                return False
            length = message[at]
        name_size = at + 1 - _HEADER
        end = at + 5
        if end > size or message[at + 3] or message[at + 4] != 1:
            return False

        into[0] = message[0]
        into[1] = message[1]
        name = place * _NAME
        for at in range(name_size):
            octet = message[at + _HEADER]
            into[at + _HEADER] = octet
            # Lengths are below 64 and "A" is 65, so that folding case leaves them alone.
            self._names[name + at] = octet + 32 if 65 <= octet <= 90 else octet
        for at in range(end - 4, end):
            into[at] = message[at]
        self._name_sizes[place] = name_size
        self._rrtypes[place] = (message[end - 4] << 8) | message[end - 3]

        form = (_AD if message[3] & _AD_OCTET else 0) | (_CD if message[3] & _CD_OCTET else 0)
        limit = 512
        if message[11]:
            if size != end + _OPT_SIZE or message[end] or message[end + 1] or message[end + 2] != _OPT:
                return False
            # Extended RCODE and version, then flags, then the size of the options.
            if message[end + 5] or message[end + 6] or message[end + 7] & ~_DO_OCTET or message[end + 8]:
                return False
            if message[end + 9] or message[end + 10]:
                return False
            form |= _EDNS | (_DO if message[end + 7] else 0)
            limit = min(max((message[end + 3] << 8) | message[end + 4], 512), _UDP_SIZE)
        elif size != end:
            return False
        self._forms[place] = form
        self._ends[place] = end
        self._limits[place] = limit
        return True

    def _holds(self, ready: Ready, now_s: float) -> bool:
        """Whether the pipeline would still answer so."""
        entry = ready.entry
        if entry is not None:
            if entry.version != ready.version or now_s >= entry.expires_s or now_s < entry.stored_s:
                return False
            # From here on it may want to fetch the answer anew.
            if now_s >= entry.refresh_s:
                return False
        return now_s + ready.ttl_s <= self._pipeline.in_force.valid_until_s

    def _age(self, ready: Ready, into: memoryview, size: int) -> bool:
        """Writes the TTLs as ``response.relay`` does; False where one would stand outside the message."""
        ttls = ready.body
        entry = ready.entry
        if entry is None:
            return True
        age_s = int(self._now_s - entry.stored_s)
        for at in range(ready.body_at + ready.body_size, len(ttls) - 5, 6):
            offset = (ttls[at] << 8) | ttls[at + 1]
            if offset + 4 > size:
                return False
            # A TTL has 31 bits (RFC 2181 8).
            ttl_s = (ttls[at + 2] << 24) | (ttls[at + 3] << 16) | (ttls[at + 4] << 8) | ttls[at + 5]
            ttl_s = min(ttl_s - age_s, self._max_ttl_s)
            put32(into, offset, ttl_s if ttl_s > 0 else 0)
        return True

    def _count(self, ready: Ready) -> None:
        stats = self._stats
        stats.fast += 1
        self._udp_hits.value += 1
        ready.verdict_hits.value += 1
        ready.rcode_hits.value += 1
        if ready.category_hits is not None:
            ready.category_hits.value += 1
        if ready.list_hits is not None:
            ready.list_hits.value += 1
        entry = ready.entry
        if entry is not None:
            self._cache.touch(entry)

    def reply(self, message: bytes, source: bytes) -> bytes:
        """The response to one datagram, empty where the pipeline has to answer: a batch of one, for tests."""
        if not self.begin():
            return b""
        into = memoryview(bytearray(_UDP_SIZE))
        octets = stretch(into, 0, _UDP_SIZE)
        if not self.read(0, message, source, octets):  # type: ignore[arg-type]  # bytes can be read as well
            return b""
        self.fetch_ready(0)
        self.fetch_parts(0)
        return bytes(into[: self.answer(0, octets)])
