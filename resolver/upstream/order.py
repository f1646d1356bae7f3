"""In which order the servers of a group are asked, and how many of them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from resolver.upstream.exchange import Exchange
from resolver.upstream.health import Health
from resolver.upstream.hedge import Hedges
from resolver.upstream.limits import GroupSettings

STRATEGIES: Final = ("strict", "fastest", "race")

# A hedge is worth its query only if it leaves in time.
_FINE_TICK_S: Final = 0.005
_TICK_S: Final = 0.025
# A datagram is taken for lost when four times as long has passed as nearly all replies take, and no sooner than this:
# a recursive server that has to ask its way takes its time for some names.
_RESEND_FACTOR: Final = 4.0
_MIN_RESEND_S: Final = 0.4

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


class Strategy:
    """How a group uses its servers: "strict" asks in the order given; "fastest" by measured round-trip time, and a
    second server where the first is late (``hedge.py``); "race" ``settings.racers`` at once, the fastest ones.

    ``tick_s``: how exact deadlines have to be for it; ``together``: whether it may ask several servers at a time.
    """

    __slots__ = ("_racers", "_servers", "hedges", "order", "tick_s", "together")

    def __init__(self, name: str, servers: Sequence[Health], settings: GroupSettings) -> None:
        if name not in STRATEGIES:
            raise ValueError(f"unknown upstream strategy {name!r}; there are {', '.join(STRATEGIES)}")
        self._servers = servers
        self.order: Order = StrictOrder(servers) if name == "strict" else FastestFirst(servers)
        self._racers = settings.racers if name == "race" else 1
        hedging = name == "fastest" and len(servers) > 1 and settings.hedge_share > 0
        self.hedges = Hedges(settings.hedge_share) if hedging else None
        self.together = self._racers > 1 or hedging
        self.tick_s = _FINE_TICK_S if self.hedges is not None else _TICK_S

    def wants_another(self, exchange: Exchange) -> bool:
        """Whether one more server is to be asked beside those that ``exchange`` has asked already."""
        asked = exchange.attempts
        if exchange.ended or asked >= min(self._racers, len(exchange.plan)):
            return False
        return not self._servers[exchange.plan[asked]].down

    def hedge_s(self, exchange: Exchange, now_s: float) -> float:
        """When a second server is to be asked although the first still has time; 0: never."""
        if self.hedges is None or exchange.ended or exchange.sends != 1:
            return 0.0
        first = self._servers[exchange.plan[0]]
        second = self._servers[exchange.plan[1]]
        patience_s = self.hedges.patience_s(first, exchange.attempt_s)
        return now_s + patience_s if patience_s and not second.down else 0.0

    def resend_s(self, exchange: Exchange, now_s: float) -> float:
        """When the first server is to be asked once more; 0: never."""
        if exchange.ended or exchange.sends != 1 or exchange.tcp:
            return 0.0
        first = self._servers[exchange.plan[0]]
        patience_s = max(_RESEND_FACTOR * first.latency.p95_s, _MIN_RESEND_S)
        return now_s + patience_s if patience_s < exchange.attempt_s else 0.0

    def hedges_now(self) -> bool:
        """Whether the budget allows it at the moment; it is charged then."""
        return self.hedges is not None and self.hedges.take()

    def answered(self, exchange: Exchange) -> None:
        """``exchange`` has its answer."""
        if self.hedges is not None and exchange.overlaps and exchange.answered_by != exchange.plan[0]:
            self.hedges.won += 1
