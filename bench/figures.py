"""What was measured of several servers in several runs, and the rows of ours beside each of the others."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

from bench.report import Row, row


class Figures:
    """Values by server and kind, one a run; a figure is their median."""

    def __init__(self, area: str, ours: str) -> None:
        self._area = area
        self._ours = ours
        self._values: dict[tuple[str, str], list[float]] = {}

    def add(self, server: str, kind: str, value: float) -> None:
        self._values.setdefault((server, kind), []).append(value)

    def median(self, server: str, kind: str) -> float | None:
        """None where nothing of that kind was measured of the server."""
        values = self._values.get((server, kind))
        return statistics.median(values) if values else None

    def forget(self, server: str) -> None:
        """Away with all that was measured of a server."""
        self._values = {key: values for key, values in self._values.items() if key[0] != server}

    def servers(self, kind: str) -> list[str]:
        """The others of which that kind was measured, in the order of their first run."""
        return [server for server, measured in self._values if measured == kind and server != self._ours]

    def rows(
        self, name: str, unit: str, kind: str, ratio_at_most: float | None = None, judged_by: str = ""
    ) -> Iterator[Row]:
        """A row beside each other server. ``ratio_at_most`` is the target beside ``judged_by``, else the least one."""
        theirs = {server: self.median(server, kind) or 0.0 for server in self.servers(kind)}
        mine = self.median(self._ours, kind)
        if not theirs:
            yield row(self._area, name, unit, mine)
        judge = judged_by or min(theirs, key=lambda server: theirs[server], default="")
        for server, value in theirs.items():
            target = ratio_at_most if server == judge else None
            yield row(self._area, name, unit, mine, value, server, ratio_at_most=target)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the sorted ``values`` that at least ``share`` of them do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values, no percentile")
    # 0.07 * 100 is a little more than 7.
    return values[max(math.ceil(len(values) * share - 1e-9), 1) - 1]
