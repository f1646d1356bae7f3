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

from typing import Final

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
_KEY_SIZE: Final = 264  # a name, type and class, one octet


class FastLane:
    """The fast lane beside one worker's pipeline. ``begin`` is called before each batch of ``answer``."""

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
        self._end = 0
        self._limit = 0
        if not cython.compiled:  # compiled, an array of C
            self._key = bytearray(_KEY_SIZE)
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

    def answer(self, message: memoryview, source: bytes, into: memoryview) -> int:
        """Writes the response to ``message`` into ``into`` (room for ``UDP_SIZE`` octets) and returns its size.

        ``source``: the 16 octets of the socket's address. 0: nothing was done, and the pipeline has to answer.
        """
        # 1 Admit by socket source, before anything that a client can claim.
        known = self._pipeline.in_force.taught.get(source)
        now_s = self._now_s
        if known is None or (self._pipeline._limiting and not known.source.within(now_s)):
            return 0

        # 2 Parse strictly. What is written into ``into`` meanwhile is the question.
        key_size = self._read(message, into)
        if not key_size:
            return 0

        # 3, 4, 5, 7 What the pipeline did with this client's question before, if it would do so again.
        if cython.compiled:
            key: bytes = self._key[:key_size]  # type: ignore[assignment]  # a slice of an array of C is bytes
        else:
            key = bytes(self._key[:key_size])
        ready = known.ready.get(key)
        if ready is None or not self._holds(ready, now_s):
            return 0
        end = self._end
        size = end + len(ready.body) - _BODY_HEAD
        if size > self._limit:
            return 0

        # 8 Finish.
        into[0] = message[0]
        into[1] = message[1]
        copy(into, 2, ready.body, 0, _BODY_HEAD)
        copy(into, end, ready.body, _BODY_HEAD, size - end)
        if not self._age(ready, into, size):
            return 0

        # 9 Spool, then send.
        if self._pipeline._limiting:
            known.source.judge(now_s)
        self._spool.append_again(self._time_us, known.address, known.agency_id, known.unit_id, ready.rest)
        tally = known.tally[ready.verdict]
        tally.value += 1
        self._count(ready)
        return size

    def _read(self, message: memoryview, into: memoryview) -> int:
        """Reads an ordinary question into ``_key``, as ``teaching.key_of`` has it; its size there, 0 where it is none.

        Ordinary: a header that asks one question and nothing else, an uncompressed name, class IN, and either nothing
        behind it or one OPT RR of version 0 without options.
        """
        size = len(message)
        if size < _HEADER + 5 or message[2] != _RD_OCTET or message[3] & ~(_AD_OCTET | _CD_OCTET):
            return 0
        if message[4] or message[5] != 1 or message[6] or message[7] or message[8] or message[9]:
            return 0
        if message[10] or message[11] > 1:
            return 0

        at = _HEADER
        length = message[at]
        while length:
            at += length + 1
            # Behind the label stand, at least, the root, type and class. A length over 63 is a pointer, or reserved.
            if length > 63 or at + 5 > size or at - _HEADER >= _NAME:
                return 0
            length = message[at]
        name_size = at + 1 - _HEADER
        end = at + 5
        if end > size or message[at + 3] or message[at + 4] != 1:
            return 0

        for at in range(name_size):
            octet = message[at + _HEADER]
            into[at + _HEADER] = octet
            # Lengths are below 64 and "A" is 65, so that folding case leaves them alone.
            self._key[at] = octet + 32 if 65 <= octet <= 90 else octet
        for at in range(name_size, name_size + 4):
            octet = message[at + _HEADER]
            into[at + _HEADER] = octet
            self._key[at] = octet

        form = (_AD if message[3] & _AD_OCTET else 0) | (_CD if message[3] & _CD_OCTET else 0)
        limit = 512
        if message[11]:
            if size != end + _OPT_SIZE or message[end] or message[end + 1] or message[end + 2] != _OPT:
                return 0
            # Extended RCODE and version, then flags, then the size of the options.
            if message[end + 5] or message[end + 6] or message[end + 7] & ~_DO_OCTET or message[end + 8]:
                return 0
            if message[end + 9] or message[end + 10]:
                return 0
            form |= _EDNS | (_DO if message[end + 7] else 0)
            limit = min(max((message[end + 3] << 8) | message[end + 4], 512), _UDP_SIZE)
        elif size != end:
            return 0
        self._key[name_size + 4] = form
        self._end = end
        self._limit = limit
        return name_size + 5

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
        ttls = ready.ttls
        entry = ready.entry
        if entry is None or not ttls:
            return True
        age_s = int(self._now_s - entry.stored_s)
        for at in range(0, len(ttls) - 5, 6):
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
        size = self.answer(message, source, stretch(into, 0, _UDP_SIZE))  # type: ignore[arg-type]  # bytes do as well
        return bytes(into[:size])
