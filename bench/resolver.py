"""The resolver beside Unbound, dnsdist and dnsmasq: the same names blocked, the same upstream, the same queries.

What a figure means:
- *CPU a query*: microseconds of CPU time of the server's processes for each answer that the load generator got. Ours
  is given for the worker (which answers and logs) and for the whole program (with the loader that fills the store).
- *start*: from the command to the first blocked name being answered as blocked, the names already being there in the
  form the server reads (ours: a snapshot; the peers': their files). *First start* compiles the list from text as well.
- *memory*: proportional set size (shared pages divided among those who share them) of all processes, with mappings.

``BENCH_FULL=1`` measures longer; ``BENCH_NAMES=n`` changes the size of the list.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import echo, peers
from bench import names as bench_names
from bench.load import BenchError, Load, ask, dnsperf, first_answer
from bench.programs import Program, cpu_s, find, pss_mb, spent_s
from bench.report import Row, row

AREA = "resolver"
SERVER_CORE = 0
UPSTREAM_CORE = 1
NXDOMAIN = 3
NOERROR = 0

FULL = os.environ.get("BENCH_FULL") == "1"
NAMES = int(os.environ.get("BENCH_NAMES", "1000000"))
RUNS = 5 if FULL else 3
SECONDS = 10.0 if FULL else 3.0
QUERIES = 100_000
CLEAN = 1_000
MISSES = 100_000 if FULL else 30_000
START_WITHIN_S = 240.0

UPSTREAM_PORT, OURS_PORT, OURS_API_PORT = 15301, 15302, 15380
PEER_PORTS = (15303, 15304, 15305)
ECHO_PORT = 15306

# A name that answers NXDOMAIN because it is listed: the last one of the list, so that all of it has been read.
_LISTED_AT = -1


@dataclass
class Server:
    """A running server and what was measured of it. ``worker_pids`` answer queries; the program may have others."""

    name: str
    port: int
    program: Program
    worker_pids: list[int]
    start_s: float
    memory_mb: float = 0.0
    per_s: list[float] = field(default_factory=list)
    worker_us: list[float] = field(default_factory=list)
    program_us: list[float] = field(default_factory=list)
    miss_us: list[float] = field(default_factory=list)


def run() -> list[Row]:
    """Starts all servers one after the other, then measures them in turn, ``RUNS`` times."""
    _check_compiled()
    with tempfile.TemporaryDirectory(prefix="saring-bench-") as path, contextlib.ExitStack() as stack:
        directory = Path(path)
        listed = directory / "names.txt"
        bench_names.write_names(listed, NAMES)
        mixed = directory / "mixed.txt"
        bench_names.write_mixed_queries(mixed, listed, QUERIES, blocked_share=0.2, clean=CLEAN)
        marker = _marker(listed)

        _start_upstream(stack, directory)
        first_start_s, ours = _start_ours(stack, directory, listed, marker)
        others = list(_start_peers(stack, directory, listed, marker))
        floor = list(_start_echo(stack, directory))
        servers = [ours, *others]
        for server in servers:
            _warm(server, mixed)
        for number in range(RUNS):
            for server in (*servers, *floor):
                _measure_mixed(server, mixed)
            for server in servers:
                _measure_misses(server, directory, f"r{number}{server.port}")
        for server in servers:
            server.memory_mb = pss_mb(server.program.pids())
        worker_memory_mb = pss_mb(ours.worker_pids)
        index_bytes = _index_bytes(directory / "var")
    return [
        *_rows(ours, others, first_start_s, worker_memory_mb, index_bytes),
        *_beside_the_floor(ours, floor),
    ]


def _check_compiled() -> None:
    from saring.interpreted import compiled_modules

    left = [name for name, is_compiled in compiled_modules().items() if not is_compiled]
    if left:
        print(f"Note: interpreted, so slower than it should be: {', '.join(left)} (make compiled).")


def _marker(listed: Path) -> str:
    return listed.read_text(encoding="ascii").splitlines()[_LISTED_AT]


def _start_upstream(stack: contextlib.ExitStack, directory: Path) -> None:
    program = find("nsd")
    if program is None:
        raise BenchError("NSD is not installed: apt-get install nsd")
    command = peers.upstream_command(program, directory, UPSTREAM_PORT)
    started = stack.enter_context(Program(command, UPSTREAM_CORE, directory / "nsd.out"))
    first_answer(started, UPSTREAM_PORT, bench_names.clean_names(1)[0], NOERROR, within_s=10)


# ---------------------------------------------------------------- ours


def _start_ours(stack: contextlib.ExitStack, directory: Path, listed: Path, marker: str) -> tuple[float, Server]:
    """The first start imports, compiles and publishes; the second is what an operator sees every day after."""
    configuration = _write_configuration(directory, listed)
    command = [*peers.saring_command(), "serve"]
    environ = {"SARING_CONFIG": str(configuration)}
    with Program(command, SERVER_CORE, directory / "saring-first.out", directory, environ) as first:
        first_start_s = first_answer(first, OURS_PORT, marker, NXDOMAIN, START_WITHIN_S)
        print(f"saring: first start with {NAMES:,} names from text in {first_start_s:.1f} s")
        first.stop()
    program = stack.enter_context(Program(command, SERVER_CORE, directory / "saring.out", directory, environ))
    start_s = first_answer(program, OURS_PORT, marker, NXDOMAIN, START_WITHIN_S)
    print(f"saring: started in {start_s:.2f} s")
    return first_start_s, Server("Saring", OURS_PORT, program, [_worker_pid(directory / "var")], start_s)


def _write_configuration(directory: Path, listed: Path) -> Path:
    document = directory / "regency.toml"
    document.write_text(
        '[regency]\nname = "Bench"\n\n'
        '[[agency]]\ncode = "uji"\nname = "Uji"\nnetworks = ["127.0.0.0/8"]\n\n'
        '[[category]]\ncode = "perjudian"\ntitle = "Perjudian"\nnegative = true\n\n'
        f'[[list]]\ncode = "daftar"\ntitle = "Daftar"\nlocation = "{listed}"\nformat = "plain"\n'
        'categories = ["perjudian"]\n',
        encoding="utf-8",
    )
    configuration = directory / "saring.toml"
    configuration.write_text(
        f'[dns]\nlisten = ["127.0.0.1:{OURS_PORT}"]\nworkers = 1\n\n'
        f'[upstream]\nservers = ["127.0.0.1:{UPSTREAM_PORT}"]\n\n'
        f'[storage]\nstate_dir = "{directory / "var"}"\n\n'
        f'[api]\nlisten = "127.0.0.1:{OURS_API_PORT}"\n\n'
        f'[log]\nlevel = "warning"\n\n[bootstrap]\ndocument = "{document}"\n',
        encoding="utf-8",
    )
    return configuration


def _worker_pid(state: Path) -> int:
    """The worker writes its number once a second; a file of the run before it names a process that is gone."""
    path = state / "run" / "worker-0.json"
    limit_s = time.monotonic() + 10
    while time.monotonic() < limit_s:
        with contextlib.suppress(OSError, ValueError, KeyError):
            pid = int(json.loads(path.read_text())["pid"])
            if Path(f"/proc/{pid}").exists():
                return pid
        time.sleep(0.1)
    raise BenchError(f"the worker never wrote {path}")


def _index_bytes(state: Path) -> int:
    return sum(file.stat().st_size for file in (state / "snapshots" / "index").rglob("*") if file.is_file())


# ---------------------------------------------------------------- the others


def _start_peers(stack: contextlib.ExitStack, directory: Path, listed: Path, marker: str) -> Iterator[Server]:
    known = (peers.unbound, peers.dnsdist, peers.dnsmasq)
    for port, make in zip(PEER_PORTS, known, strict=True):
        peer = make(port, UPSTREAM_PORT, listed)
        path = find(peer.program)
        if path is None:
            print(f"{peer.name}: not measured, not installed (apt-get install {peer.program})")
            continue
        command = peer.command(path, directory)
        program = stack.enter_context(Program(command, SERVER_CORE, directory / f"{peer.program}.out"))
        start_s = first_answer(program, port, marker, NXDOMAIN, START_WITHIN_S)
        print(f"{peer.name}: started in {start_s:.1f} s")
        yield Server(peer.name, port, program, program.pids(), start_s)


def _start_echo(stack: contextlib.ExitStack, directory: Path) -> Iterator[Server]:
    program = echo.build(directory)
    if program is None:
        print("recvmmsg echo: not measured, no C compiler")
        return
    started = stack.enter_context(Program([str(program), str(ECHO_PORT)], SERVER_CORE, directory / "echo.out"))
    start_s = first_answer(started, ECHO_PORT, "echo.test", NOERROR, within_s=10)
    yield Server("recvmmsg echo", ECHO_PORT, started, started.pids(), start_s)


# ---------------------------------------------------------------- measuring


def _warm(server: Server, mixed: Path) -> None:
    """Every name once, so that what is measured is cached; and a look at whether it does the job at all."""
    load = dnsperf(server.port, mixed, seconds=None)
    clean = bench_names.clean_names(1)[0]
    if ask(server.port, clean, 2.0) != NOERROR:
        raise BenchError(f"{server.name} does not answer {clean}")
    _check(server, load)


def _check(server: Server, load: Load) -> None:
    if load.answered < 0.99 * load.sent:
        raise BenchError(f"{server.name} answered {load.answered} of {load.sent} queries ({load.codes})")


def _measure_mixed(server: Server, mixed: Path) -> None:
    worker, whole = cpu_s(server.worker_pids), cpu_s(server.program.pids())
    load = dnsperf(server.port, mixed, SECONDS)
    _check(server, load)
    server.per_s.append(load.per_s)
    server.worker_us.append(spent_s(worker) / load.answered * 1e6)
    server.program_us.append(spent_s(whole) / load.answered * 1e6)


def _measure_misses(server: Server, directory: Path, run: str) -> None:
    queries = directory / f"misses-{run}.txt"
    bench_names.write_miss_queries(queries, run, MISSES)
    worker = cpu_s(server.worker_pids)
    load = dnsperf(server.port, queries, seconds=None, outstanding=50)
    _check(server, load)
    server.miss_us.append(spent_s(worker) / load.answered * 1e6)
    queries.unlink()


# ---------------------------------------------------------------- rows


def _rows(
    ours: Server, others: Sequence[Server], first_start_s: float, worker_memory_mb: float, index_bytes: int
) -> list[Row]:
    return [
        *_compared("CPU a query, 80 % cached + 20 % blocked (worker, log on)", "us", ours, others, "worker_us", 0.6),
        *_compared("CPU a query, whole program", "us", ours, others, "program_us"),
        *_compared("answers on one core, same queries", "queries/s", ours, others, "per_s"),
        *_compared("CPU a forwarded miss (ours: worker)", "us", ours, others, "miss_us", 0.7),
        *_started(ours, others, first_start_s),
        *_remembered(ours, others, worker_memory_mb),
        row(AREA, "index on disk and mapped", "bytes/name", index_bytes / NAMES, at_most=12),
    ]


def _compared(
    name: str, unit: str, ours: Server, others: Sequence[Server], what: str, target: float | None = None
) -> Iterator[Row]:
    mine = statistics.median(getattr(ours, what))
    theirs = {other.name: statistics.median(getattr(other, what)) for other in others}
    if not theirs:
        yield row(AREA, name, unit, mine)
    # DESIGN 9 asks for a ratio to the best peer on answers, and to Unbound on misses.
    judged = "Unbound RPZ" if what == "miss_us" else min(theirs, key=lambda peer: theirs[peer], default="")
    for peer, figure in theirs.items():
        yield row(AREA, name, unit, mine, figure, peer, ratio_at_most=target if peer == judged else None)


def _beside_the_floor(ours: Server, floor: Sequence[Server]) -> Iterator[Row]:
    mine = statistics.median(ours.worker_us)
    for server in floor:
        theirs = statistics.median(server.worker_us)
        yield row(AREA, "CPU a query, beside the floor", "us", mine, theirs, server.name, ratio_at_most=1.25)


def _started(ours: Server, others: Sequence[Server], first_start_s: float) -> Iterator[Row]:
    yield row(AREA, f"first start, {NAMES:,} names from text", "s", first_start_s)
    yield row(AREA, f"start with {NAMES:,} names", "s", ours.start_s, at_most=0.5)
    for other in others:
        yield row(AREA, f"start with {NAMES:,} names", "s", ours.start_s, other.start_s, other.name)


def _remembered(ours: Server, others: Sequence[Server], worker_memory_mb: float) -> Iterator[Row]:
    yield row(AREA, f"memory with {NAMES:,} names, our worker alone", "MB", worker_memory_mb)
    for other in others:
        yield row(AREA, f"memory with {NAMES:,} names", "MB", ours.memory_mb, other.memory_mb, other.name)
