"""A clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Clock:
    """``clock()`` is ``now_s``."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Call:
    due_s: float
    run: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Calls:
    """``call_later`` on a ``Clock``: ``pass_s`` moves time and runs what falls due, in order."""

    clock: Clock
    pending: list[Call] = field(default_factory=list)

    def call_later(self, delay_s: float, run: Callable[[], None]) -> Call:
        call = Call(self.clock.now_s + delay_s, run)
        self.pending.append(call)
        return call

    @property
    def armed(self) -> int:
        return sum(not call.cancelled for call in self.pending)

    def pass_s(self, span_s: float) -> None:
        end_s = self.clock.now_s + span_s
        while True:
            due = [call for call in self.pending if not call.cancelled and call.due_s <= end_s]
            if not due:
                break
            call = min(due, key=lambda c: c.due_s)
            self.pending.remove(call)
            self.clock.now_s = max(self.clock.now_s, call.due_s)
            call.run()
        self.clock.now_s = end_s
