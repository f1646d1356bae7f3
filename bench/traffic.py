"""Synthesised traffic with the shape of an office's: few names asked often, a tail asked once, some of it blocked.

Where the shape is from: 100,000 queries recorded at a provider and given away with dnsperf. Of their names the 1,000
most asked for make 38 % of the queries, their counts fall with rank ** -0.95 (3,496 for the first, 384 for the tenth,
29 for the two hundredth), and 57 % of the queries are for names asked once. A is 68 % of the types. What was recorded
in 2012 knows no HTTPS, and asks for PTR and MX as mail servers do: their share is given to AAAA and HTTPS here.

Where it departs from that recording: issue 5 asks for 15 % misses and 3 % blocked, so that the tail is shorter.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

from bench.paced import BLOCKED, CACHED, MISS

POPULAR = 4_000
EXPONENT = 0.95
TYPES = {"A": 0.68, "AAAA": 0.18, "HTTPS": 0.14}
MISS_SHARE = 0.15
BLOCKED_SHARE = 0.03
# Names of as many zones, as in real traffic: a server may well bound what waits for one zone.
ZONES = 1_000
# Stands where a run writes what makes its names new.
RUN = "@"

Query = tuple[str, str, str]


def popular_names(count: int = POPULAR) -> list[str]:
    """Names that are asked often, most popular first; of zones whose upstream is far (``bench/c/upstream.c``)."""
    return [f"www{rank}.jauh{rank % ZONES}.test" for rank in range(count)]


def queries(count: int, listed: Sequence[str], chance: random.Random) -> Iterator[Query]:
    """Name, type and class of ``count`` queries. Missed names hold ``RUN``: to be replaced, anew for each run."""
    names = popular_names()
    often = _zipf(len(names))
    blocked_often = _zipf(len(listed))
    types, type_weights = list(TYPES), list(itertools.accumulate(TYPES.values()))
    kinds = chance.choices(
        [MISS, BLOCKED, CACHED], [MISS_SHARE, BLOCKED_SHARE, 1 - MISS_SHARE - BLOCKED_SHARE], k=count
    )
    rrtypes = chance.choices(types, cum_weights=type_weights, k=count)
    for number, (kind, rrtype) in enumerate(zip(kinds, rrtypes, strict=True)):
        match kind:
            case "miss":
                name = f"{RUN}{number}.jauh{chance.randrange(ZONES)}.test"
            case "blocked":
                name = chance.choices(listed, cum_weights=blocked_often)[0]
            case _:
                name = chance.choices(names, cum_weights=often)[0]
        yield name, rrtype, kind


def _zipf(count: int) -> list[float]:
    """Cumulative weights of ranks."""
    return list(itertools.accumulate(rank**-EXPONENT for rank in range(1, count + 1)))
