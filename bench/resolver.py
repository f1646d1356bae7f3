"""The resolver beside Unbound, Knot Resolver, dnsdist, dnsmasq: the same names blocked, same upstream, same queries.

What a figure means:
- *CPU a query*: microseconds of CPU time of the server's processes for each answer that the load generator got. Ours
  is given for the worker (which answers and logs) and for the whole program (with the loader that fills the store).
- *start*: from the command to the first blocked name being answered as blocked, the names already being there in the
  form the server reads (ours: a snapshot; the peers': their files). *First start* compiles the list from text as well.
- *memory*: proportional set size (shared pages divided among those who share them) of all processes, with mappings.
- *latency*, *realistic* and *two workers*: ``latency.py``, ``realistic.py`` (with ``traffic.py``), ``scaling.py``.

``BENCH_FULL=1`` measures longer; ``BENCH_NAMES=n`` changes the size of the list.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import latency, realistic, scaling, throughput
from bench import names as bench_names
from bench.figures import Figures
from bench.load import BenchError
from bench.paced import Pace
from bench.programs import pss_mb
from bench.report import Row, row
from bench.resolver_servers import (
    ECHO,
    TWO_WORKERS_PORT,
    Ours,
    Server,
    start_echo,
    start_peers,
    start_upstream,
)

AREA = "resolver"
OURS = "Saring"

FULL = os.environ.get("BENCH_FULL") == "1"
NAMES = int(os.environ.get("BENCH_NAMES", "1000000"))
RUNS = 7 if FULL else 5
# A machine has pauses of its own, some a second; what one run in five or two meets must not be a server's figure.
LATENCY_RUNS = 15 if FULL else 9
SECONDS = 10.0 if FULL else 2.0
PACED_SECONDS = 5.0 if FULL else 1.0
QUERIES = 100_000
CLEAN = 1_000
MISSES = 100_000 if FULL else 20_000
# No server gets through them in a run, or the run ends earlier.
REALISTIC = 1_000_000 if FULL else 200_000

NOT_EQUAL = """\
What is not equal between the systems:
- The query log is on with Saring alone, one record a query with the client's agency; the others write nothing.
- Saring decides by agency, category and schedule, and answers with EDE; the peers know one list for all clients.
- Unbound and Knot Resolver read the names as RPZ, two triggers a name, and answer a blocked one with a SOA or EDE of
  theirs; dnsdist's are a suffix tree, dnsmasq's are local domains.
- dnsdist does not resolve: its cache holds whole packets by the query's octets, so that another flag or EDNS option is
  another entry; it must have a resolver behind it. The others cache messages or RRs and age their TTLs.
- Caches: Saring 64 MiB; Unbound 64 + 128 MB; Knot Resolver 256 MB, in memory that counts as its own; dnsdist a million
  packets; dnsmasq 100,000 entries. Knot Resolver is told to keep for an hour what it would keep for 5 s (STUB). The
  share asked upstream says whose cache kept what, and who asked again too early.
- Nobody validates DNSSEC. Saring also hardens what it asks (0x20, cookies, a source port a query) and rebinding
  protection is on; Unbound's ports are random and its hardening is as it comes.
- One process a server, each pinned with all its threads and processes to one core (Saring's loader and API as well).
- dnsdist and Saring take datagrams in batches; the others one at a time. Receive buffers are 4 MB where a server can
  be told so (not Knot Resolver, not dnsmasq).
- dnsperf waits for answers (closed loop) and finds the capacity; latency is by a generator of ours at a fixed rate,
  Poisson arrivals, from the intended moment of sending to the kernel's receive time: pauses are charged in full.
"""


def run() -> list[Row]:
    """Starts all servers one after the other, then measures them in turn, ``RUNS`` times."""
    _check_compiled()
    figures = Figures(AREA, OURS)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="saring-bench-") as path, contextlib.ExitStack() as stack:
        directory = Path(path)
        listed, mixed = directory / "names.txt", directory / "mixed.txt"
        bench_names.write_names(listed, NAMES)
        bench_names.write_mixed_queries(mixed, listed, QUERIES, blocked_share=0.2, clean=CLEAN)
        # The last name of the list: who blocks it has read all of it.
        marker = listed.read_text(encoding="ascii").splitlines()[-1]

        can_delay = start_upstream(stack, directory)
        program = Ours(directory, listed, marker)
        first_start_s = _first_start(program)
        running = stack.enter_context(contextlib.ExitStack())
        ours = program.start(running)
        print(f"{OURS}: started in {ours.start_s:.2f} s")
        field = Field([ours, *start_peers(running, directory, listed, marker)])
        floor = list(start_echo(running, directory))

        _throughput(field, floor, directory, mixed, figures)
        rows += _throughput_rows(figures)
        rows += _start_and_memory(field, first_start_s, program.index_bytes())
        pace = Pace.built(directory)
        if pace is None or not can_delay:
            print("Latency, realistic, two workers: not measured, no C compiler (apt-get install gcc libc6-dev)")
        else:
            rows += _or_none("latency", lambda: _latency(field, floor, pace, directory, mixed, figures))
            rows += _or_none("realistic", lambda: _realistic(field, pace, directory, listed, figures))
            running.close()
            rows += _or_none("two workers", lambda: _two_workers(program, pace, directory, mixed, figures))
    print(NOT_EQUAL)
    return rows


def _or_none(what: str, measure: Callable[[], list[Row]]) -> list[Row]:
    """What has been measured before stays, whatever becomes of this."""
    try:
        return measure()
    except BenchError as error:
        print(f"FAILED, {what}: {error}")
        return []


class Field:
    """The servers that are measured, ours first. A peer that fails is left out from then on; ours must not."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers

    def each(self, action: Callable[[Server], object]) -> None:
        for server in tuple(self.servers):
            try:
                action(server)
            except BenchError as error:
                if server.name == OURS:
                    raise
                print(f"{server.name}: left out from here on: {error}")
                self.servers.remove(server)


def _check_compiled() -> None:
    from saring.interpreted import compiled_modules

    left = [name for name, is_compiled in compiled_modules().items() if not is_compiled]
    if left:
        print(f"Note: interpreted, so slower than it should be: {', '.join(left)} (make compiled).")


def _first_start(program: Ours) -> float:
    """The first start imports, compiles and publishes; every other one is what an operator sees day by day."""
    with contextlib.ExitStack() as alone:
        start_s = program.start(alone).start_s
    print(f"{OURS}: first start with {NAMES:,} names from text in {start_s:.1f} s")
    return start_s


# ---------------------------------------------------------------- as fast as is answered


def _throughput(field: Field, floor: list[Server], directory: Path, mixed: Path, figures: Figures) -> None:
    field.each(lambda server: throughput.warm(server, mixed))
    for number in range(RUNS):
        field.each(lambda server: throughput.measure_mixed(server, mixed, SECONDS, figures))
        for server in floor:
            throughput.measure_mixed(server, mixed, SECONDS, figures)
        field.each(
            lambda server, run=number: throughput.measure_misses(
                server, directory, f"r{run}{server.port}", MISSES, figures
            )
        )


def _throughput_rows(figures: Figures) -> Iterator[Row]:
    # The floor is no peer.
    ours_us, floor_us = figures.median(OURS, throughput.WORKER_US), figures.median(ECHO, throughput.WORKER_US)
    figures.forget(ECHO)
    yield from figures.rows(
        "CPU a query, 80 % cached + 20 % blocked (worker, log on)", "us", throughput.WORKER_US, ratio_at_most=0.6
    )
    yield from figures.rows("CPU a query, whole program", "us", throughput.PROGRAM_US)
    yield from figures.rows("answers on one core, same queries", "queries/s", throughput.PER_S)
    yield from figures.rows(
        "CPU a forwarded miss (ours: worker)", "us", throughput.MISS_US, ratio_at_most=0.7, judged_by="Unbound RPZ"
    )
    if floor_us is not None:
        yield row(AREA, "CPU a query, beside the floor", "us", ours_us, floor_us, ECHO, ratio_at_most=1.25)


def _start_and_memory(field: Field, first_start_s: float, index_bytes: int) -> Iterator[Row]:
    ours, *others = field.servers
    yield row(AREA, f"first start, {NAMES:,} names from text", "s", first_start_s)
    yield row(AREA, f"start with {NAMES:,} names", "s", ours.start_s, at_most=0.5)
    for other in others:
        yield row(AREA, f"start with {NAMES:,} names", "s", ours.start_s, other.start_s, other.name)
    memory_mb = pss_mb(ours.program.pids())
    yield row(AREA, f"memory with {NAMES:,} names, our worker alone", "MB", pss_mb(ours.worker_pids))
    for other in others:
        yield row(AREA, f"memory with {NAMES:,} names", "MB", memory_mb, pss_mb(other.program.pids()), other.name)
    yield row(AREA, "index on disk and mapped", "bytes/name", index_bytes / NAMES, at_most=12)


# ---------------------------------------------------------------- at a fixed rate


def _latency(
    field: Field, floor: list[Server], pace: Pace, directory: Path, mixed: Path, figures: Figures
) -> list[Row]:
    queries = latency.classed(mixed, directory / "classed.txt")
    halves = {server.name: (figures.median(server.name, throughput.PER_S) or 0) / 2 for server in field.servers}
    common = min(halves.values())
    for _ in range(LATENCY_RUNS):
        for server in floor:
            latency.measure(server, pace, queries, common, PACED_SECONDS, latency.COMMON, figures)
        for load, rates in ((latency.COMMON, dict.fromkeys(halves, common)), (latency.OWN, halves)):
            field.each(
                lambda server, load=load, rates=rates: latency.measure(
                    server, pace, queries, rates[server.name], PACED_SECONDS, load, figures
                )
            )
    print(_told(figures, halves, common, ""))
    own_us = figures.median(ECHO, f"{latency.COMMON} p99")
    figures.forget(ECHO)
    if own_us is not None:
        print(f"  the machine's own (the echo, at the same rate): p99 {own_us:,.0f} us")
    return list(latency.rows(figures, common))


def _realistic(field: Field, pace: Pace, directory: Path, listed: Path, figures: Figures) -> list[Row]:
    of = realistic.prepare(directory, listed, REALISTIC)
    path = directory / "realistic.txt"
    field.each(lambda server: realistic.warm(server, pace, of))
    for number in range(RUNS):
        field.each(
            lambda server, run=number: realistic.measure_capacity(
                server, pace, of, path, f"c{run}", PACED_SECONDS, figures
            )
        )
    halves = {server.name: (figures.median(server.name, realistic.PER_S) or 0) / 2 for server in field.servers}
    common = min(halves.values())
    for number in range(RUNS):
        for load, rates in ((latency.COMMON, dict.fromkeys(halves, common)), (latency.OWN, halves)):
            field.each(
                lambda server, run=f"{load[0]}{number}", load=load, rates=rates: realistic.measure_latency(
                    server, pace, of, path, run, rates[server.name], PACED_SECONDS, load, figures
                )
            )
    print(_told(figures, halves, common, "realistic "))
    print(realistic.upstream_alone(pace, of, path, max(halves.values())))
    return list(realistic.rows(figures, common))


def _told(figures: Figures, halves: dict[str, float], common: float, prefix: str) -> str:
    """What a reader needs to judge the latencies: the rates, and how late the generator itself was."""
    lines = [f"{prefix or 'cached and blocked '}latency, at {common:,.0f} queries/s each and at half of what each can:"]
    for name, half in halves.items():
        lags = [figures.median(name, f"{prefix}{load} lag") or 0 for load in (latency.COMMON, latency.OWN)]
        answered = [figures.median(name, f"{prefix}{load} answered") or 0 for load in (latency.COMMON, latency.OWN)]
        lines.append(
            f"  {name}: {half:,.0f} queries/s; answered rightly {answered[0]:.2f} and {answered[1]:.2f} %; "
            f"the generator was late by {lags[0]:.0f} and {lags[1]:.0f} us (p99)"
        )
    return "\n".join(lines)


def _two_workers(program: Ours, pace: Pace, directory: Path, mixed: Path, figures: Figures) -> list[Row]:
    queries = latency.classed(mixed, directory / "classed.txt")
    capacity = figures.median(OURS, throughput.PER_S) or 0
    two = program.copied(directory / "two", TWO_WORKERS_PORT)
    with contextlib.ExitStack() as stack:
        servers = scaling.start(stack, program, two, mixed)
        for _ in range(RUNS):
            scaling.measure(servers, pace, mixed, queries, capacity, SECONDS, figures)
    print(scaling.__doc__)
    return list(scaling.rows(AREA, OURS, figures))
