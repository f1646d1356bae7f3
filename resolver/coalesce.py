"""Many who ask the same at the same time, one exchange.

Not only to save work: each copy under way would be one more chance for a spoofed reply to fit (RFC 5452 5).
"""

from __future__ import annotations

from collections.abc import Callable

from dnswire.answer import Answer
from resolver.upstream.failure import Reason, UpstreamFailure

Done = Callable[[Answer | UpstreamFailure, int], None]


class Flight:
    """One exchange under way, and who waits for it, in the order they came."""

    __slots__ = ("_coalescer", "_key", "waiting")

    def __init__(self, coalescer: Coalescer, key: bytes, first: Done) -> None:
        self._coalescer = coalescer
        self._key = key
        self.waiting = [first]

    def landed(self, result: Answer | UpstreamFailure, upstream: int) -> None:
        """Gives the result to everybody who waits."""
        self._coalescer.land(self._key, self, result, upstream)


class Coalescer:
    """Exchanges under way by key: question (upstream group, name, type, class) and the DO and CD bits.

    ``max_waiting``: a DNSBomb (IEEE S&P 2024) piles queries up behind one slow answer to have them all answered at
    once; past this many the next is refused. ``failed(error)`` hears of a ``done`` that raised.
    """

    __slots__ = ("_failed", "_flights", "_max_waiting", "joined", "refused")

    def __init__(self, max_waiting: int, failed: Callable[[Exception], None]) -> None:
        self._max_waiting = max_waiting
        self._failed = failed
        self._flights: dict[bytes, Flight] = {}
        self.joined = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._flights)

    def join(self, key: bytes, done: Done) -> Flight | None:
        """A new flight, to be started by the caller with its ``landed``; or None where ``done`` waits in another one.

        Where too many wait, ``done`` is called with OVERLOADED before this returns None.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = Flight(self, key, done)
            self._flights[key] = flight
            return flight
        if len(flight.waiting) >= self._max_waiting:
            self.refused += 1
            done(UpstreamFailure(Reason.OVERLOADED), 0)
        else:
            self.joined += 1
            flight.waiting.append(done)
        return None

    def land(self, key: bytes, flight: Flight, result: Answer | UpstreamFailure, upstream: int) -> None:
        """Ends ``flight``. Whoever asks the same from within a ``done`` starts a new one."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        for done in flight.waiting:
            try:
                done(result, upstream)
            except Exception as error:
                # One waiter's fault must not cost the others their answer.
                self._failed(error)
        flight.waiting = []
