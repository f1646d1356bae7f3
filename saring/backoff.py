"""How long to wait before a dead process is started again."""

from __future__ import annotations


class Backoff:
    """At once after a death, then longer after each further one, and at once again after a good run.

    A process that was killed must be back within a second; one that cannot start must not burn a core. Times are
    monotonic seconds, given by the caller.
    """

    def __init__(self, first_s: float = 0.2, factor: float = 2.0, limit_s: float = 30.0, good_s: float = 10.0):
        self._first_s = first_s
        self._factor = factor
        self._limit_s = limit_s
        self._good_s = good_s
        self._failures = 0

    @property
    def failures(self) -> int:
        """Deaths in a row, none of them after a good run."""
        return self._failures

    def next_delay_s(self, lived_s: float) -> float:
        """The wait after a death; ``lived_s`` is how long the process had run. A long life forgives the past."""
        if lived_s >= self._good_s:
            self._failures = 0
        self._failures += 1
        if self._failures == 1:
            return 0.0
        return min(self._first_s * self._factor ** min(self._failures - 2, 30), self._limit_s)
