"""What upstreams said, for as long as it holds: bounded by bytes, and not emptied by a flood of names asked once.

Eviction is S3-FIFO (Yang, Zhang, Qiu, Yue, Vinayak: "FIFO queues are all you need for cache eviction", SOSP 2023). A
new entry has to be asked for again within a small queue, a tenth of the bytes, to be let into the main one, so that a
scan (a crawler, a water-torture flood, a list being checked) passes through that tenth only. A hit changes one small
integer and moves nothing. SIEVE (NSDI 2024) is simpler still, but by its authors' own account not scan-resistant.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import cython

from dnswire.answer import Answer
from dnswire.constants import Rcode, RRType
from dnswire.name import is_subdomain

# RFC 9520 3.2 allows a failure 1 second to 5 minutes. Whoever repairs his zone should not have to wait for us.
FAILURE_TTL_S: Final = 5

# RFC 8767 5: after a failed refresh "the resolver SHOULD NOT ... more frequently than every 30 seconds" try it again.
STALE_RETRY_S: Final = 30

# An answer is fetched anew in the last tenth of its time, if that time is long enough to be worth it.
_REFRESH_AFTER: Final = 0.9
_REFRESH_MIN_LIFETIME_S: Final = 10
# Hits while it was fetched last that make a name popular.
_REFRESH_ABOVE: Final = 1

_NOERROR: Final = int(Rcode.NOERROR)
_NXDOMAIN: Final = int(Rcode.NXDOMAIN)

_MAX_FREQ: Final = 3
# An entry leaves the small queue for the main one when it was hit more often than this.
_PROMOTE_ABOVE: Final = 1
# The main queue's second chances are bounded for one insertion: it must not stall the loop however hot all entries are.
_MAX_SECOND_CHANCES: Final = 64

# Real cost in CPython 3.11, checked by tests/unit/resolver/test_cache_cost.py: the objects of an entry and its answer,
# their slots in dictionary and queue; then for each RR (a pair of offset and TTL), each name and address.
_ENTRY_COST: Final = 700
_RR_COST: Final = 80
_TARGET_COST: Final = 48
_GHOST_COST: Final = 104


_GONE: Final = Answer(b"", b"", 0, 0, 0, 0, int(Rcode.SERVFAIL), (0, 0, 0), (), 0, (), (), (), ())


# Holds nothing that could hold it: the collector need not know it, however many there are.
@cython.no_gc
@cython.cclass
class Entry:
    """One cached answer. Instants are wall-clock seconds. Replaced in place: read it before the next ``put``.

    ``refresh_s``: from when on a hit should fetch it anew (infinity: never, or somebody does already). ``retry_s``:
    until when, once expired, nobody need ask upstreams again, since they just failed. ``version`` changes with the
    answer, and when the entry leaves the cache; its answer is then gone, so that whoever still holds the entry does not
    hold memory that nobody counts.
    """

    __slots__ = (
        "answer",
        "expires_s",
        "freq",
        "in_main",
        "key",
        "live",
        "refresh_s",
        "retry_s",
        "size_bytes",
        "stored_s",
        "version",
    )

    def __init__(self, key: bytes, answer: Answer, stored_s: float, expires_s: float, size_bytes: int) -> None:
        self.key = key
        self.answer = answer
        self.stored_s = stored_s
        self.expires_s = expires_s
        self.refresh_s = math.inf
        self.retry_s = 0.0
        self.size_bytes = size_bytes
        self.freq = 0
        self.in_main = False
        self.live = True
        self.version = 0

    def leave(self) -> None:
        """The cache has let it go."""
        self.live = False
        self.version += 1
        self.answer = _GONE


class Cache:
    """Answers by key, the key being question, DO and CD (and the upstream group, where there are several).

    ``min_ttl_s`` and ``max_ttl_s`` clip positive answers, ``negative_max_ttl_s`` clips "no such name" and "no such
    data" (RFC 2308 5). An answer whose own words are "do not cache" (TTL 0, negative without SOA) is not, whatever the
    minimum. ``stale_max_s``: for how long after its end an answer may be given out stale (0: never; RFC 8767 5 suggests
    a day to three). ``refreshes``: whether popular answers are to be fetched before they end. Nothing here is
    asynchronous or locked: one worker, one thread.
    """

    __slots__ = (
        "_dead",
        "_entries",
        "_failure_ttl_s",
        "_ghost",
        "_ghost_order",
        "_main",
        "_max_size_bytes",
        "_max_ttl_s",
        "_min_ttl_s",
        "_negative_max_ttl_s",
        "_refreshes",
        "_small",
        "_small_bytes",
        "_stale_max_s",
        "evicted",
        "expired",
        "flushed",
        "hits",
        "inserted",
        "misses",
        "refreshed",
        "refused",
        "size_bytes",
        "stale_hits",
    )

    def __init__(
        self,
        max_size_bytes: int,
        min_ttl_s: int,
        max_ttl_s: int,
        negative_max_ttl_s: int,
        failure_ttl_s: int = FAILURE_TTL_S,
        stale_max_s: int = 0,
        refreshes: bool = False,
    ) -> None:
        self._max_size_bytes = max_size_bytes
        self._min_ttl_s = min_ttl_s
        self._max_ttl_s = max_ttl_s
        self._negative_max_ttl_s = negative_max_ttl_s
        self._failure_ttl_s = failure_ttl_s
        self._stale_max_s = stale_max_s
        self._refreshes = refreshes
        self._entries: dict[bytes, Entry] = {}
        # Queues hold entries, flushed ones too until they are popped. Popping the front of a deque is O(1); of a dict,
        # which would do for both look-up and order, it is a walk over all that was deleted before.
        self._small: deque[Entry] = deque()
        self._main: deque[Entry] = deque()
        self._small_bytes = 0
        self._dead = 0
        self._ghost: set[int] = set()
        self._ghost_order: deque[int] = deque()
        self.size_bytes = 0
        self.hits = 0
        self.misses = 0
        self.expired = 0
        self.inserted = 0
        self.evicted = 0
        self.flushed = 0
        self.refused = 0
        self.refreshed = 0
        self.stale_hits = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes, now_s: float) -> Entry | None:
        """The entry of ``key``, if it has not expired by ``now_s``."""
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return None
        # Stored in the future: the wall clock was set back, and what the entry's age is nobody knows.
        if now_s >= entry.expires_s or now_s < entry.stored_s:
            self.expired += 1
            return None
        self.touch(entry)
        return entry

    def touch(self, entry: Entry) -> None:
        """Counts a hit on an entry that was found without ``get``: eviction must see what is asked for."""
        if entry.freq < _MAX_FREQ:
            entry.freq += 1
        self.hits += 1

    def stale(self, key: bytes, now_s: float) -> Entry | None:
        """The entry of ``key`` that has expired, but not too long ago to be better than no answer (RFC 8767)."""
        entry = self._entries.get(key)
        if entry is None or is_failure(entry.answer):
            return None
        if now_s < entry.stored_s or not entry.expires_s <= now_s < entry.expires_s + self._stale_max_s:
            return None
        return entry

    def wants_refresh(self, entry: Entry) -> bool:
        """Whether a hit on ``entry`` behind its ``refresh_s`` should fetch it anew; True once, and for popular ones."""
        if entry.freq <= _REFRESH_ABOVE:
            return False
        entry.refresh_s = math.inf
        self.refreshed += 1
        return True

    def put(self, key: bytes, answer: Answer, now_s: float) -> None:
        """Keeps ``answer``, received at ``now_s``, in place of what ``key`` had; nothing, where it may not be kept.

        A failure leaves what is there and may still be used, stale: it only says when to ask again.
        """
        lifetime_s = self.lifetime_s(answer)
        if lifetime_s <= 0:
            return
        if is_failure(answer) and self.postpone(key, now_s):
            return
        self._keep(key, answer, now_s, now_s + lifetime_s, now_s)

    def postpone(self, key: bytes, now_s: float) -> bool:
        """Notes that upstreams failed for ``key``: what is known of it, fresh or stale, serves for ``STALE_RETRY_S``.

        False where nothing is known that could serve.
        """
        entry = self._entries.get(key)
        if entry is None or is_failure(entry.answer) or now_s < entry.stored_s:
            return False
        if now_s >= entry.expires_s + self._stale_max_s:
            return False
        entry.retry_s = now_s + STALE_RETRY_S
        return True

    def restore(self, key: bytes, answer: Answer, stored_s: float, now_s: float) -> bool:
        """Takes back what was kept over a restart (``cache_file.py``), with its age; never over what is newer."""
        expires_s = stored_s + self.lifetime_s(answer)
        if stored_s > now_s or now_s >= expires_s + self._stale_max_s or key in self._entries or is_failure(answer):
            return False
        self._keep(key, answer, stored_s, expires_s, now_s)
        return True

    def _keep(self, key: bytes, answer: Answer, stored_s: float, expires_s: float, now_s: float) -> None:
        size_bytes = cost_bytes(key, answer)
        # One answer of 64 KiB must not push out a hundred others.
        if size_bytes * 16 > self._max_size_bytes:
            self.refused += 1
            return
        self.inserted += 1
        entry = self._entries.get(key)
        if entry is None:
            entry = Entry(key, answer, stored_s, expires_s, size_bytes)
            self._insert(entry)
        else:
            self._resize(entry, size_bytes)
            entry.answer = answer
            entry.version += 1
            entry.stored_s = stored_s
            entry.expires_s = expires_s
        entry.retry_s = 0.0
        lifetime_s = expires_s - stored_s
        worth_it = self._refreshes and lifetime_s >= _REFRESH_MIN_LIFETIME_S and not is_failure(answer)
        entry.refresh_s = stored_s + lifetime_s * _REFRESH_AFTER if worth_it else math.inf
        while self.size_bytes > self._max_size_bytes:
            self._evict(now_s)

    def lifetime_s(self, answer: Answer) -> int:
        """How long ``answer`` is kept: its own TTL, clipped. 0: not at all."""
        if is_failure(answer):
            return self._failure_ttl_s
        if answer.ttl_s <= 0:
            return 0
        if _is_negative(answer):
            return min(answer.ttl_s, self._negative_max_ttl_s)
        return min(max(answer.ttl_s, self._min_ttl_s), self._max_ttl_s)

    def flush_name(self, name: bytes) -> int:
        """Forgets all that is known of the wire name (lower case), every type. Returns how many entries that were."""
        return self._flush([entry for entry in self._entries.values() if entry.answer.name == name])

    def flush_suffix(self, suffix: bytes) -> int:
        """Forgets the wire name (lower case) and all names below it. Returns how many entries that were."""
        return self._flush([entry for entry in self._entries.values() if is_subdomain(entry.answer.name, suffix)])

    def flush_all(self) -> int:
        """Forgets everything. Returns how many entries that were."""
        count = len(self._entries)
        for entry in self._entries.values():
            entry.leave()
        self._entries.clear()
        self._small.clear()
        self._main.clear()
        self._ghost.clear()
        self._ghost_order.clear()
        self._small_bytes = self._dead = self.size_bytes = 0
        self.flushed += count
        return count

    def keys(self) -> list[bytes]:
        """The keys of everything that is kept, expired or not: for a walk in parts, between which the cache changes."""
        return list(self._entries)

    def peek(self, key: bytes) -> Entry | None:
        """The entry of ``key`` whatever its age, without counting as asked for."""
        return self._entries.get(key)

    def counters(self) -> dict[str, int]:
        """Counters since the start; ``entries`` and ``size_bytes`` as of now."""
        return {
            "entries": len(self._entries),
            "size_bytes": self.size_bytes,
            "max_size_bytes": self._max_size_bytes,
            "hits": self.hits,
            "misses": self.misses + self.expired,
            "expired": self.expired,
            "inserted": self.inserted,
            "evicted": self.evicted,
            "flushed": self.flushed,
            "refused": self.refused,
            "refreshed": self.refreshed,
            "stale": self.stale_hits,
        }

    def _insert(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        self.size_bytes += entry.size_bytes
        mark = hash(entry.key)
        if mark in self._ghost:
            self._ghost.discard(mark)
            entry.in_main = True
            self._main.append(entry)
        else:
            self._small.append(entry)
            self._small_bytes += entry.size_bytes

    def _resize(self, entry: Entry, size_bytes: int) -> None:
        change = size_bytes - entry.size_bytes
        entry.size_bytes = size_bytes
        self.size_bytes += change
        if not entry.in_main:
            self._small_bytes += change

    def _evict(self, now_s: float) -> None:
        """Makes room once: moves on or drops the oldest of one queue."""
        if self._small and (self._small_bytes * 10 >= self._max_size_bytes or not self._main):
            self._evict_small(now_s)
        elif self._main:
            self._evict_main(now_s)
        elif self._ghost_order:
            self._forget_ghost()
        else:
            raise AssertionError("the cache is over its size and empty")

    def _evict_small(self, now_s: float) -> None:
        entry = self._small.popleft()
        if not entry.live:
            self._dead -= 1
            return
        self._small_bytes -= entry.size_bytes
        if entry.freq > _PROMOTE_ABOVE and entry.expires_s > now_s:
            entry.freq = 0
            entry.in_main = True
            self._main.append(entry)
            return
        self._drop(entry)
        self._remember_ghost(hash(entry.key))

    def _evict_main(self, now_s: float) -> None:
        for _ in range(_MAX_SECOND_CHANCES):
            entry = self._main.popleft()
            if not entry.live:
                self._dead -= 1
                return
            if not entry.freq or entry.expires_s <= now_s:
                self._drop(entry)
                return
            entry.freq -= 1
            self._main.append(entry)
        self._drop_oldest_main()

    def _drop_oldest_main(self) -> None:
        entry = self._main.popleft()
        if entry.live:
            self._drop(entry)
        else:
            self._dead -= 1

    def _drop(self, entry: Entry) -> None:
        del self._entries[entry.key]
        self.size_bytes -= entry.size_bytes
        entry.leave()
        self.evicted += 1

    def _remember_ghost(self, mark: int) -> None:
        if mark not in self._ghost:
            self._ghost.add(mark)
            self._ghost_order.append(mark)
            self.size_bytes += _GHOST_COST
        # As many as the main queue holds entries (the paper, 4.1).
        while len(self._ghost_order) > len(self._main) + 16:
            self._forget_ghost()

    def _forget_ghost(self) -> None:
        self._ghost.discard(self._ghost_order.popleft())
        self.size_bytes -= _GHOST_COST

    def _flush(self, entries: list[Entry]) -> int:
        for entry in entries:
            del self._entries[entry.key]
            self.size_bytes -= entry.size_bytes
            if not entry.in_main:
                self._small_bytes -= entry.size_bytes
            entry.leave()
        self._dead += len(entries)
        self.flushed += len(entries)
        # A flushed entry waits in its queue with all its bytes; not for long.
        if self._dead * 4 > len(self._entries):
            self._small = deque(entry for entry in self._small if entry.live)
            self._main = deque(entry for entry in self._main if entry.live)
            self._dead = 0
        return len(entries)


def cost_bytes(key: bytes, answer: Answer) -> int:
    """What keeping ``answer`` under ``key`` costs in memory, near enough."""
    targets = len(answer.aliases) + len(answer.bindings) + len(answer.addresses) + len(answer.glue)
    return (
        _ENTRY_COST
        + len(key)
        + len(answer.name)
        + len(answer.message)
        + _RR_COST * len(answer.ttls)
        + _TARGET_COST * (targets + len(answer.ede))
    )


def is_failure(answer: Answer) -> bool:
    """Whether the answer says only that the upstream could not tell (RFC 8767 4: any other RCODE than these two)."""
    return answer.rcode not in (_NOERROR, _NXDOMAIN)


def _is_negative(answer: Answer) -> bool:
    if answer.rcode == _NXDOMAIN or not answer.ancount:
        return True
    # Nothing but the way to a name without such data.
    return len(answer.aliases) >= answer.ancount and answer.rrtype not in (RRType.CNAME, RRType.DNAME, RRType.ANY)
