"""Questions that no upstream could answer a moment ago.

RFC 9520 3.2 has resolvers cache resolution failures, for a second at least and five minutes at most, longer each time
that they go on. Otherwise every retry of every client of a dead name or a dead link occupies an exchange until its
deadline.
"""

from __future__ import annotations

from resolver.upstream.failure import Reason, UpstreamFailure

_FACTOR = 2.0


class _Failed:
    """One question: why and until when, and how long it is remembered if it fails again."""

    __slots__ = ("failure", "next_span_s", "until_s")

    def __init__(self, failure: UpstreamFailure, until_s: float, next_span_s: float) -> None:
        self.failure = failure
        self.until_s = until_s
        self.next_span_s = next_span_s


class RecentFailures:
    """Failures by question, for ``span_s`` seconds, twice as long each time up to ``max_span_s``.

    At most ``max_entries``. All instants are of the group's monotonic clock.
    """

    __slots__ = ("_entries", "_max_entries", "_max_span_s", "_span_s", "hits")

    def __init__(self, span_s: float = 1.0, max_span_s: float = 30.0, max_entries: int = 4_096) -> None:
        self._span_s = span_s
        self._max_span_s = max_span_s
        self._max_entries = max_entries
        self._entries: dict[bytes, _Failed] = {}
        self.hits = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes, now_s: float) -> UpstreamFailure | None:
        """The failure of ``key``, if it is recent."""
        entry = self._entries.get(key)
        if entry is None or now_s >= entry.until_s:
            return None
        self.hits += 1
        return entry.failure

    def put(self, key: bytes, failure: UpstreamFailure, now_s: float) -> None:
        """Remembers a failure of the upstreams. Overload and stopping are our own state, not the name's."""
        if failure.reason in (Reason.OVERLOADED, Reason.EVICTED, Reason.CLOSED):
            return
        before = self._entries.pop(key, None)
        # One that failed long ago is not going on failing.
        goes_on = before is not None and now_s < before.until_s + before.next_span_s
        span_s = before.next_span_s if before is not None and goes_on else self._span_s
        if len(self._entries) >= self._max_entries:
            self._drop_stale(now_s)
        self._entries[key] = _Failed(failure, now_s + span_s, min(span_s * _FACTOR, self._max_span_s))

    def discard(self, key: bytes) -> None:
        """``key`` was answered."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """A server came back: every question is worth asking."""
        self._entries.clear()

    def _drop_stale(self, now_s: float) -> None:
        self._entries = {key: entry for key, entry in self._entries.items() if now_s < entry.until_s}
        if len(self._entries) >= self._max_entries:
            # Still full within one span: a flood of unanswerable names. What it costs to forget them is one exchange
            # each, and those are bounded.
            self._entries.clear()
