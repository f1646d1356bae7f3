"""Realistic traffic (``traffic.py``) against an upstream that takes 20 ms: CPU a query, answers a second, latency."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import traffic
from bench.figures import Figures
from bench.latency import COMMON, OWN, add_latency
from bench.load import BenchError
from bench.paced import BLOCKED, CACHED, Pace, Queries, write_queries
from bench.programs import cpu_s, spent_s
from bench.report import Row
from bench.resolver_servers import DELAY_MS, UPSTREAM_PORT, Server

CPU_US, PROGRAM_US, PER_S, ASKED = "realistic us", "realistic program us", "realistic per_s", "realistic asked"
_HITS = (CACHED, BLOCKED)
_WARM_WITHIN_S = 30.0
_WARM_AT_MOST = 3
# "seen.bench" A (bench/c/upstream.c).
_SEEN = b"\0\1\1\0\0\1\0\0\0\0\0\0\4seen\5bench\0\0\1\0\1"


@dataclass(frozen=True, slots=True)
class Traffic:
    """The queries of all runs; a run makes the missed names its own."""

    text: str
    classes: list[str]
    warming: Queries

    def of_run(self, path: Path, run: str) -> Queries:
        path.write_text(self.text.replace(traffic.RUN, run), encoding="ascii")
        return Queries(path, self.classes)


def prepare(directory: Path, listed: Path, count: int) -> Traffic:
    """``count`` queries; those that are meant to be cached are to be asked once before."""
    chance = random.Random(5)
    some = chance.sample(listed.read_text(encoding="ascii").splitlines(), 2_000)
    queries = list(traffic.queries(count, some, chance))
    once = sorted({query for query in queries if query[2] == CACHED})
    template = write_queries(directory / "traffic.txt", queries)
    return Traffic(
        template.path.read_text(encoding="ascii"),
        list(template.classes),
        write_queries(directory / "warming.txt", once),
    )


def warm(server: Server, pace: Pace, of: Traffic) -> None:
    """Each popular name once, no more waiting at a time than the smallest receive buffer holds; lost ones again."""
    for _ in range(_WARM_AT_MOST):
        run = pace.flat_out(server.port, of.warming, _WARM_WITHIN_S)
        if run.answered > 0.999 * len(of.warming.classes):
            return
    raise BenchError(f"{server.name} answered {run.answered} of {run.sent} when the popular names were first asked")


def measure_capacity(
    server: Server, pace: Pace, of: Traffic, path: Path, run: str, seconds: float, figures: Figures
) -> None:
    """As fast as is answered."""
    queries = of.of_run(path, run)
    seen = _seen_upstream()
    worker, whole = cpu_s(server.worker_pids), cpu_s(server.program.pids())
    done = pace.flat_out(server.port, queries, seconds)
    if not done.answered:
        raise BenchError(f"{server.name} answered nothing of {done.sent} realistic queries")
    figures.add(server.name, CPU_US, spent_s(worker) / done.answered * 1e6)
    figures.add(server.name, PROGRAM_US, spent_s(whole) / done.answered * 1e6)
    figures.add(server.name, PER_S, done.per_s)
    figures.add(server.name, ASKED, 100 * (_seen_upstream() - seen - 1) / done.sent)


def measure_latency(
    server: Server,
    pace: Pace,
    of: Traffic,
    path: Path,
    run: str,
    per_s: float,
    seconds: float,
    load: str,
    figures: Figures,
) -> None:
    """At a fixed rate; ``load`` is ``OWN`` or ``COMMON``."""
    done = pace.at_rate(server.port, of.of_run(path, run), per_s, seconds)
    if not done.answered:
        raise BenchError(f"{server.name} answered nothing of {done.sent} realistic queries")
    add_latency(server.name, done, f"realistic {load}", figures)
    figures.add(server.name, f"realistic {load} p99 hits", done.p(0.99, _HITS))


def upstream_alone(pace: Pace, of: Traffic, path: Path, per_s: float) -> str:
    """Whether the upstream keeps its time at the rate that the fastest server asks of it; in words."""
    run = pace.at_rate(UPSTREAM_PORT, of.of_run(path, "alone"), per_s, 1.0)
    slow = [name for name in run.latency_us if name != BLOCKED]
    # It blocks nothing, so that those answers count as wrong.
    answered = run.answered / max(run.sent - run.wrong, 1)
    return (
        f"Upstream alone, {per_s:,.0f} queries/s: {100 * answered:.1f} % answered, p50 "
        f"{run.p(0.5, slow) / 1000:.1f} ms, p99 {run.p(0.99, slow) / 1000:.1f} ms (meant: {DELAY_MS} ms)."
    )


def rows(figures: Figures, common_per_s: float) -> Iterator[Row]:
    yield from figures.rows("realistic: CPU a query (ours: worker, log on)", "us", CPU_US)
    yield from figures.rows("realistic: CPU a query, whole program", "us", PROGRAM_US)
    yield from figures.rows("realistic: answers on one core", "queries/s", PER_S)
    yield from figures.rows("realistic: share asked upstream (15 are misses)", "%", ASKED)
    for kind, text in ((OWN, OWN), (COMMON, f"{common_per_s:,.0f} queries/s each")):
        yield from figures.rows(f"realistic: latency p50, {text}", "us", f"realistic {kind} p50")
        yield from figures.rows(f"realistic: latency p99, {text}", "us", f"realistic {kind} p99")
        yield from figures.rows(f"realistic: p99 of cached and blocked, {text}", "us", f"realistic {kind} p99 hits")
        yield from figures.rows(f"realistic: answered rightly, {text}", "%", f"realistic {kind} answered")


def _seen_upstream() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2.0)
        client.connect(("127.0.0.1", UPSTREAM_PORT))
        client.send(_SEEN)
        return int.from_bytes(client.recv(512)[-4:], "big")
