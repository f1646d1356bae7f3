"""Two workers on two cores beside one: what of the second core's worth is lost.

With four cores or more the load generator has cores of its own and throughput is compared directly. With two it has to
share them, and no throughput there says anything. What can be measured is what sharing costs: one worker is offered a
rate, two workers twice that rate, the machine not being full; a worker has the same to do in both, so its CPU time a
query differs by what the workers take from each other (locks in the kernel, memory that both write, caches of the
processor). Scaling is then 2 x CPU a query of one / CPU a query of two. The generator's own load falls on both cores in
both cases, twice as heavy in the second, which counts against us.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figures
from bench.load import Load, dnsperf
from bench.paced import Pace, Paced, Queries
from bench.programs import cpu_s, settle, spent_s
from bench.report import Row, row
from bench.resolver_servers import Ours, Server

# Ports decide which worker a query goes to (SO_REUSEPORT): with many, both get nearly the same.
_CLIENTS = 400
_DIRECT_CORES = 4
# Of what one worker can do at most: two of these and twice the generator's part must fit on two cores.
_OFFERED = 0.25
_TARGET = 1.8


def start(stack: contextlib.ExitStack, one: Ours, two: Ours, mixed: Path) -> dict[int, Server]:
    """Both programs, by number of workers, each worker with all queries of ``mixed`` in its cache."""
    servers = {
        workers: program.start(stack, workers, frozenset(range(workers)) if _is_direct() else frozenset((0, 1)))
        for workers, program in ((1, one), (2, two))
    }
    settle([server.program for server in servers.values()])
    for server in servers.values():
        for _ in range(2):
            dnsperf(server.port, mixed, None, clients=_CLIENTS)
    return servers


def measure(
    servers: dict[int, Server],
    pace: Pace,
    mixed: Path,
    queries: Queries,
    capacity_per_s: float,
    seconds: float,
    figures: Figures,
) -> None:
    """One run with one worker, one with two; ``queries`` are those of ``mixed``."""
    for workers, server in servers.items():
        before = [cpu_s([pid]) for pid in server.worker_pids]
        run: Load | Paced
        if _is_direct():
            run = dnsperf(server.port, mixed, seconds, 100 * workers, _CLIENTS, (2, 3))
        else:
            rate = capacity_per_s * _OFFERED * workers
            run = pace.at_rate(server.port, queries, rate, seconds, _CLIENTS, (0, 1))
        if run.answered < 0.99 * run.sent:
            print(
                f"{workers} worker(s) answered {run.answered} of {run.sent}, the machine was full: this run is left out"
            )
            continue
        spent = [spent_s(one) for one in before]
        figures.add(server.name, f"{workers} us", sum(spent) / run.answered * 1e6)
        figures.add(server.name, f"{workers} per_s", run.per_s)
        figures.add(server.name, f"{workers} least share", min(spent) / max(sum(spent), 1e-9) * 100)


def _is_direct() -> bool:
    return (os.cpu_count() or 1) >= _DIRECT_CORES


def rows(area: str, ours: str, figures: Figures) -> Iterator[Row]:
    one_us, two_us = figures.median(ours, "1 us"), figures.median(ours, "2 us")
    one_per_s, two_per_s = figures.median(ours, "1 per_s"), figures.median(ours, "2 per_s")
    if not one_us or not two_us or not one_per_s or not two_per_s:
        return
    yield row(area, "CPU a query, two workers beside one", "us", two_us, one_us, "one worker")
    if _is_direct():
        yield row(area, "two workers on two cores, answers/s", "x one", two_per_s / one_per_s, at_least=_TARGET)
    else:
        yield row(area, "two workers on two cores, from CPU a query", "x one", 2 * one_us / two_us, at_least=_TARGET)
    yield row(area, "of two workers, the less busy one's share", "%", figures.median(ours, "2 least share"))
