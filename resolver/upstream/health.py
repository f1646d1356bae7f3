"""What is known of one upstream server: how fast it answers, whether it answers at all."""

from __future__ import annotations

from typing import Final

from resolver.upstream.latency import Latency

# RFC 6298's weight. One slow name moves the estimate little, a changed path shows within some ten queries.
_RTT_WEIGHT: Final = 0.125


class Health:
    """State of one server. All instants are of the group's monotonic clock; nothing here reads one.

    A server is *down* after ``failures_to_down`` failures in a row. While it is down it is asked last, and a probe goes
    out each time ``retry_s`` has passed, after twice as long each time.
    """

    __slots__ = (
        "_backoff_s",
        "_failures_to_down",
        "_first_backoff_s",
        "_max_backoff_s",
        "answered_s",
        "down",
        "failures",
        "latency",
        "retry_s",
        "rtt_s",
    )

    def __init__(self, failures_to_down: int = 3, first_backoff_s: float = 1.0, max_backoff_s: float = 30.0) -> None:
        self._failures_to_down = failures_to_down
        self._first_backoff_s = first_backoff_s
        self._max_backoff_s = max_backoff_s
        self._backoff_s = 0.0
        self.down = False
        self.failures = 0
        self.retry_s = 0.0
        self.rtt_s = 0.0  # 0: not measured yet
        self.answered_s = float("-inf")
        self.latency = Latency()

    def answered(self, now_s: float) -> bool:
        """A valid reply came. Returns whether the server came back from being down."""
        self.answered_s = now_s
        self.failures = 0
        self._backoff_s = 0.0
        came_back = self.down
        self.down = False
        return came_back

    def measured(self, rtt_s: float) -> None:
        """A reply took ``rtt_s``."""
        self.latency.add(rtt_s)
        if self.rtt_s:
            self.rtt_s += (rtt_s - self.rtt_s) * _RTT_WEIGHT
        else:
            self.rtt_s = rtt_s

    def failed(self, sent_s: float, now_s: float, rtt_floor_s: float) -> bool:
        """An attempt sent at ``sent_s`` failed. Returns whether the server went down by it.

        Not counted where the server answered something since: then the name is slow, not the server.
        """
        if self.answered_s >= sent_s:
            return False
        self.failures += 1
        self.rtt_s = max(self.rtt_s, rtt_floor_s)
        if self.failures < self._failures_to_down:
            return False
        went_down = not self.down
        # Of a thousand queries under way when a server dies, one decides; the rest would double the pause a
        # thousand times.
        if went_down or now_s >= self.retry_s:
            self._backoff_s = min(max(self._backoff_s * 2, self._first_backoff_s), self._max_backoff_s)
            self.retry_s = now_s + self._backoff_s
        self.down = True
        return went_down
