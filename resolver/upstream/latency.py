"""How long a server's replies take: the 95th percentile of the last 64."""

from __future__ import annotations

from typing import Final

_KEPT: Final = 64
_ENOUGH: Final = 16
_EVERY: Final = 16  # replies between two computations: sorting for each would cost more than it tells


class Latency:
    """Round-trip times of one server, in seconds. ``p95_s``: 0 until 16 are known."""

    __slots__ = ("_count", "_times_s", "p95_s")

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._count = 0
        self.p95_s = 0.0

    def add(self, rtt_s: float) -> None:
        """One reply more."""
        if len(self._times_s) < _KEPT:
            self._times_s.append(rtt_s)
        else:
            self._times_s[self._count % _KEPT] = rtt_s
        self._count += 1
        if self._count >= _ENOUGH and self._count % _EVERY == 0:
            ordered = sorted(self._times_s)
            self.p95_s = ordered[len(ordered) * 95 // 100]
