"""In which order the servers of a group are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from resolver.upstream.health import Health

# Measurements wander; sorting for each query would cost more than it saves.
_RESORT_S: Final = 0.25
# One query in so many goes to another server first, so that one that has become faster is noticed.
_EXPLORE_EVERY: Final = 64


class Order(Protocol):
    """A strategy. ``plan`` gives server indexes, first choice first, every server once."""

    def plan(self, now_s: float) -> tuple[int, ...]:
        """The order at ``now_s``."""

    def changed(self) -> None:
        """A server went down or came back."""


def _down_last(servers: Sequence[Health], up: list[int]) -> tuple[int, ...]:
    # All are kept: where every server is down, asking is the quickest way to notice that one is back.
    down = sorted((i for i, h in enumerate(servers) if h.down), key=lambda i: servers[i].retry_s)
    return tuple(up + down)


class StrictOrder:
    """As configured; a server that is down stands behind those that are not."""

    __slots__ = ("_plan", "_servers")

    def __init__(self, servers: Sequence[Health]) -> None:
        self._servers = servers
        self._plan: tuple[int, ...] = ()
        self.changed()

    def plan(self, now_s: float) -> tuple[int, ...]:
        """The order; it changes only with ``changed``."""
        return self._plan

    def changed(self) -> None:
        """Works the order out anew."""
        self._plan = _down_last(self._servers, [i for i, h in enumerate(self._servers) if not h.down])


class FastestFirst:
    """By measured round-trip time, those not measured yet first, those that are down last."""

    __slots__ = ("_count", "_plan", "_servers", "_valid_until_s")

    def __init__(self, servers: Sequence[Health]) -> None:
        self._servers = servers
        self._plan: tuple[int, ...] = ()
        self._valid_until_s = float("-inf")
        self._count = 0

    def plan(self, now_s: float) -> tuple[int, ...]:
        """The order, at most a quarter of a second old."""
        if now_s >= self._valid_until_s:
            up = [i for i, h in enumerate(self._servers) if not h.down]
            up.sort(key=lambda i: self._servers[i].rtt_s)
            self._plan = _down_last(self._servers, up)
            self._valid_until_s = now_s + _RESORT_S
        self._count += 1
        if self._count % _EXPLORE_EVERY == 0:
            return self._exploring(self._count // _EXPLORE_EVERY)
        return self._plan

    def changed(self) -> None:
        """The next plan is worked out anew."""
        self._valid_until_s = float("-inf")

    def _exploring(self, turn: int) -> tuple[int, ...]:
        others = [i for i in self._plan[1:] if not self._servers[i].down]
        if not others:
            return self._plan
        first = others[turn % len(others)]
        return (first, *(i for i in self._plan if i != first))
