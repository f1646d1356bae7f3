"""Who gives up his place when all are taken: whoever waits longest beyond his time, in the zone that takes most.

A flood of names that nobody answers, spread over so many zones that none has too many (``zone_pressure.py``), fills
every place for as long as exchanges may take; whoever comes then would be refused, though an upstream knows the answer
within milliseconds. So the newcomer is let in and another goes. Unbound does it by ``jostle-timeout``, BIND by the soft
quota of ``recursive-clients``.

An exchange is let alone as long as its server usually needs: nobody who asks what is answered is ever pushed out, and
places cannot be emptied faster than they are worth anything.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Final

from resolver.upstream.exchange import Exchange

# Looked at for each place: a flood holds most of the oldest, and to look at all would be what the flood is after.
_LOOKED_AT: Final = 4
# Of the evicted, one in so many is still waited for on the side. Without any, a flood would hide that a server is dead:
# nobody would wait long enough to notice.
_WATCHED: Final = 16

Load = Callable[[bytes], float]
"""How much of what is under way is for the zone of a lower-case wire name."""


def no_load(name: bytes) -> float:
    """All zones alike: then the longest beyond its time goes."""
    return 1.0


class Places:
    """Exchanges under way, the oldest first, but for those that were spared. ``expected_s(exchange)``: how long it is
    let alone; ``math.inf``: always.
    """

    __slots__ = ("_expected_s", "_load", "_taken", "evicted")

    def __init__(self, expected_s: Callable[[Exchange], float], load: Load = no_load) -> None:
        self._expected_s = expected_s
        self._load = load
        self._taken: OrderedDict[Exchange, float] = OrderedDict()
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, exchange: Exchange, now_s: float) -> None:
        """``exchange`` begins."""
        self._taken[exchange] = now_s

    def leave(self, exchange: Exchange) -> None:
        """It has ended."""
        self._taken.pop(exchange, None)

    def all(self) -> list[Exchange]:
        """Those under way."""
        return list(self._taken)

    def evict(self, now_s: float) -> Exchange | None:
        """The exchange that has to go, to be ended by the caller; None where all have their time still.

        Of the oldest: what counts is how long it is overdue, times how much its zone takes.
        """
        found = None
        worst = 0.0
        looked_at = list(islice(self._taken.items(), _LOOKED_AT))
        for exchange, since_s in looked_at:
            expected_s = self._expected_s(exchange)
            overdue_s = now_s - since_s - expected_s
            if expected_s == math.inf:
                self._taken.move_to_end(exchange)  # or a few of them would be all that is looked at
            if overdue_s <= 0:
                continue
            weight = overdue_s * max(self._load(exchange.question[:-4]), 1.0)
            if weight > worst:
                found, worst = exchange, weight
        if found is not None:
            for exchange, _ in looked_at:
                if exchange is found:
                    break
                self._taken.move_to_end(exchange)  # spared; or the few that are would soon be all that is looked at
            self.evicted += 1
            if self.evicted % _WATCHED == 0:
                found.overlaps = True  # its end leaves stragglers (``carrier.py``), who blame a silent server in time
        return found
