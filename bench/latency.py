"""Latency at half of capacity, open loop: at half of each server's own, and at half of the least capable one's.

The first is what issue 5 asks; it has the fastest server do the most. The second gives all the same to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figures
from bench.paced import BLOCKED, CACHED, Pace, Paced, Queries, write_queries
from bench.report import Row
from bench.resolver_servers import Server

OWN, COMMON = "half of its own capacity", "the same rate"


def classed(mixed: Path, path: Path) -> Queries:
    """dnsperf's file of cached and blocked names, for the generator of ours."""
    lines = mixed.read_text(encoding="ascii").splitlines()
    names = (line.partition(" ")[0] for line in lines)
    return write_queries(path, ((name, "A", CACHED if name.endswith(".bersih.test") else BLOCKED) for name in names))


def measure(
    server: Server, pace: Pace, queries: Queries, per_s: float, seconds: float, load: str, figures: Figures
) -> Paced:
    """One run at ``per_s``; ``load`` is ``OWN`` or ``COMMON``."""
    run = pace.at_rate(server.port, queries, per_s, seconds)
    add_latency(server.name, run, load, figures)
    return run


def add_latency(name: str, run: Paced, kind: str, figures: Figures) -> None:
    """Percentiles in microseconds, the share that was answered rightly, and how late the generator itself was."""
    figures.add(name, f"{kind} p50", run.p(0.5))
    figures.add(name, f"{kind} p99", run.p(0.99))
    figures.add(name, f"{kind} answered", 100 * run.answered / run.sent)
    figures.add(name, f"{kind} lag", run.lag_us)


def rows(figures: Figures, common_per_s: float) -> Iterator[Row]:
    """DESIGN 9 and issue 5: p99 no worse than the best peer's."""
    for kind, text in ((OWN, OWN), (COMMON, f"{common_per_s:,.0f} queries/s each")):
        yield from figures.rows(f"latency p50, {text}", "us", f"{kind} p50")
        yield from figures.rows(f"latency p99, {text}", "us", f"{kind} p99", ratio_at_most=1.0)
