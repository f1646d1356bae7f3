"""Questions that no upstream could answer a moment ago.

RFC 9520 3.2 has resolvers cache resolution failures for at least one second. Otherwise every retry of every client
of a dead name or a dead link occupies an exchange until its deadline.
"""

from __future__ import annotations

from resolver.upstream.failure import Reason, UpstreamFailure


class RecentFailures:
    """Failures by question, for ``span_s`` seconds, at most ``max_entries`` (the oldest goes first)."""

    __slots__ = ("_entries", "_max_entries", "_span_s", "hits")

    def __init__(self, span_s: float = 1.0, max_entries: int = 4_096) -> None:
        self._span_s = span_s
        self._max_entries = max_entries
        self._entries: dict[bytes, tuple[float, UpstreamFailure]] = {}
        self.hits = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes, now_s: float) -> UpstreamFailure | None:
        """The failure of ``key``, if it is recent."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now_s - entry[0] >= self._span_s:
            del self._entries[key]
            return None
        self.hits += 1
        return entry[1]

    def put(self, key: bytes, failure: UpstreamFailure, now_s: float) -> None:
        """Remembers a failure of the upstreams. Overload and stopping are our own state, not the name's."""
        if failure.reason in (Reason.OVERLOADED, Reason.CLOSED):
            return
        self._entries.pop(key, None)
        if len(self._entries) >= self._max_entries:
            self._drop_stale(now_s)
        self._entries[key] = (now_s, failure)

    def _drop_stale(self, now_s: float) -> None:
        self._entries = {k: e for k, e in self._entries.items() if now_s - e[0] < self._span_s}
        if len(self._entries) >= self._max_entries:
            # Still full within one span: a flood of unanswerable names. What it costs to forget them is one exchange
            # each, and those are bounded.
            self._entries.clear()
