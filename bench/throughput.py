"""CPU a query and answers a second: 80 % cached and 20 % blocked, and forwarded misses; as fast as is answered."""

from __future__ import annotations

from pathlib import Path

from bench import names as bench_names
from bench.figures import Figures
from bench.load import BenchError, Load, ask, dnsperf
from bench.programs import cpu_s, spent_s
from bench.resolver_servers import NOERROR, Server

WORKER_US, PROGRAM_US, PER_S, MISS_US = "worker_us", "program_us", "per_s", "miss_us"


def warm(server: Server, mixed: Path) -> None:
    """Every name once, so that what is measured is cached; and a look at whether it does the job at all."""
    load = dnsperf(server.port, mixed, seconds=None)
    clean = bench_names.clean_names(1)[0]
    if ask(server.port, clean, 2.0) != NOERROR:
        raise BenchError(f"{server.name} does not answer {clean}")
    _check(server, load)


def measure_mixed(server: Server, mixed: Path, seconds: float, figures: Figures) -> None:
    worker, whole = cpu_s(server.worker_pids), cpu_s(server.program.pids())
    load = dnsperf(server.port, mixed, seconds)
    _check(server, load)
    figures.add(server.name, PER_S, load.per_s)
    figures.add(server.name, WORKER_US, spent_s(worker) / load.answered * 1e6)
    figures.add(server.name, PROGRAM_US, spent_s(whole) / load.answered * 1e6)


def measure_misses(server: Server, directory: Path, run: str, count: int, figures: Figures) -> None:
    """``run`` makes the names new."""
    queries = directory / "misses.txt"
    bench_names.write_miss_queries(queries, run, count)
    worker = cpu_s(server.worker_pids)
    load = dnsperf(server.port, queries, seconds=None, outstanding=50)
    _check(server, load)
    figures.add(server.name, MISS_US, spent_s(worker) / load.answered * 1e6)


def _check(server: Server, load: Load) -> None:
    if load.answered < 0.99 * load.sent:
        raise BenchError(f"{server.name} answered {load.answered} of {load.sent} queries ({load.codes})")
