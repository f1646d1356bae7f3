"""One timer for many deadlines.

A resolver sets a deadline for every query and hardly any of them comes to pass. A timer of the event loop for each
would cost more than sending the query; here setting and clearing one is adding to and removing from a set (Varghese
and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987), and the loop has one timer, asleep while nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

# Spans longer than the ring go round again, so this bounds memory and work, not what can be waited for.
_RING_SIZE: Final = 512

NEVER: Final = -1.0


class Handle(Protocol):
    """What ``call_later`` returns."""

    def cancel(self) -> None:
        """Takes the call back."""


CallLater = Callable[[float, Callable[[], None]], Handle]


class Timed:
    """Something with one deadline. ``due_s``: when, by the wheel's clock; ``NEVER`` while it has none.

    ``due_s`` may be moved *later* by plain assignment: the wheel looks at it again before it calls ``expired``.
    """

    __slots__ = ("due_s", "slot")

    def __init__(self) -> None:
        self.due_s = NEVER
        self.slot = -1

    def expired(self, now_s: float) -> None:
        """Called once ``due_s`` has passed; the deadline is cleared by then."""
        raise NotImplementedError


class Wheel:
    """Deadlines, never early, late by at most one tick (and by what the event loop is late).

    ``call_later`` and ``clock`` (seconds, monotonic) are the event loop's; ``tick_s`` is the grain.
    """

    __slots__ = ("_armed", "_call_later", "_clock", "_position", "_ring", "_tick_s", "count")

    def __init__(self, call_later: CallLater, clock: Callable[[], float], tick_s: float = 0.025) -> None:
        self._call_later = call_later
        self._clock = clock
        self._tick_s = tick_s
        self._ring: list[set[Timed]] = [set() for _ in range(_RING_SIZE)]
        self._position = int(clock() / tick_s)
        self._armed: Handle | None = None
        self.count = 0

    def add(self, item: Timed, due_s: float) -> None:
        """Gives ``item`` the deadline ``due_s`` in place of the one it had."""
        if item.slot >= 0:
            self.discard(item)
        if self._armed is None:
            self._arm()
        item.due_s = due_s
        # The tick behind the deadline: an item is never called early.
        tick = int(due_s / self._tick_s) + 1
        if tick <= self._position:
            tick = self._position + 1
        elif tick >= self._position + _RING_SIZE:
            tick = self._position + _RING_SIZE - 1
        item.slot = tick % _RING_SIZE
        self._ring[item.slot].add(item)
        self.count += 1

    def discard(self, item: Timed) -> None:
        """Clears the deadline of ``item``, if it has one."""
        item.due_s = NEVER
        if item.slot >= 0:
            self._ring[item.slot].discard(item)
            item.slot = -1
            self.count -= 1

    def advance(self, now_s: float) -> None:
        """Calls what is due by ``now_s``."""
        target = int(now_s / self._tick_s)
        # After a long stall one turn of the ring has seen every item.
        if target - self._position > _RING_SIZE:
            self._position = target - _RING_SIZE
        while self._position < target:
            self._position += 1
            slot = self._position % _RING_SIZE
            due = self._ring[slot]
            if due:
                self._ring[slot] = set()
                self._expire(due, now_s)

    def close(self) -> None:
        """Forgets every deadline."""
        for bucket in self._ring:
            for item in bucket:
                item.due_s = NEVER
                item.slot = -1
            bucket.clear()
        self.count = 0
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None

    def _expire(self, due: set[Timed], now_s: float) -> None:
        for item in due:
            item.slot = -1
        self.count -= len(due)
        for item in due:
            # One item's end may have cleared or renewed another's deadline meanwhile.
            if item.due_s == NEVER or item.slot >= 0:
                continue
            if item.due_s > now_s:
                self.add(item, item.due_s)
                continue
            item.due_s = NEVER
            item.expired(now_s)

    def _arm(self) -> None:
        # While the wheel slept its position stood still: nothing was in it, so it may jump.
        if not self.count:
            self._position = max(self._position, int(self._clock() / self._tick_s))
        self._armed = self._call_later(self._tick_s, self._tick)

    def _tick(self) -> None:
        self._armed = None
        try:
            self.advance(self._clock())
        finally:
            # Also behind a callback that raised: one faulty item must not stop everybody's clock.
            if self.count and self._armed is None:
                self._arm()
