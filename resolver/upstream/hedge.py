"""When a second server is asked although the first may still answer (Dean and Barroso, "The Tail at Scale", 2013).

After the time in which 95 of 100 replies of the first come, and for a bounded share of all queries: when a server slows
down, a second question for each query would only slow down the next one.
"""

from __future__ import annotations

from typing import Final

from resolver.upstream.health import Health

# Below this a late reply is no trouble to anyone.
_MIN_PATIENCE_S: Final = 0.01
# What may be saved up in quiet times for a bad moment.
_MAX_SAVED: Final = 10.0


class Hedges:
    """The budget of a group: ``share`` of a hedge for each query, ten saved up at most."""

    __slots__ = ("_saved", "_share", "asked", "won")

    def __init__(self, share: float) -> None:
        self._share = share
        self._saved = _MAX_SAVED
        self.asked = 0
        self.won = 0

    def patience_s(self, first: Health, attempt_s: float) -> float:
        """One query more begins, with ``first``: how long to wait before a second server is asked; 0: not at all."""
        self._saved = min(self._saved + self._share, _MAX_SAVED)
        p95_s = first.latency.p95_s
        if not p95_s or p95_s >= attempt_s:
            return 0.0
        return max(p95_s, _MIN_PATIENCE_S)

    def take(self) -> bool:
        """Whether one more may be asked now; it is counted then."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        self.asked += 1
        return True
