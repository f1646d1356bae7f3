"""The load generator of ours (``bench/c/pace.c``): a fixed rate or a full window, and every answer's latency."""

from __future__ import annotations

import subprocess
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import compiling
from bench.figures import percentile
from bench.load import LOAD_CORE, BenchError

BLOCKED = "blocked"
MISS = "miss"
CACHED = "cached"
_CODES = {BLOCKED: 3}
_PER_US = 10
_FIELDS = 3


@dataclass(frozen=True, slots=True)
class Queries:
    """A file of queries as the generator reads it, and the class of each line."""

    path: Path
    classes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Paced:
    """One run. ``latency_us``: sorted, by class, of right answers; ``wrong``: answers with another code than expected.

    ``strange``: datagrams that answered nothing that was open. ``lag_us``: how late the generator itself sent, p99.
    """

    sent: int
    took_s: float
    wrong: int
    strange: int
    latency_us: dict[str, list[float]]
    lag_us: float

    @property
    def answered(self) -> int:
        return sum(len(part) for part in self.latency_us.values())

    @property
    def per_s(self) -> float:
        return self.answered / self.took_s

    def p(self, share: float, classes: Collection[str] = ()) -> float:
        """The percentile of latency in microseconds, of some classes (none named: of all)."""
        parts = (part for name, part in self.latency_us.items() if not classes or name in classes)
        return percentile(sorted(value for part in parts for value in part), share)


class Pace:
    """The compiled generator."""

    def __init__(self, program: Path, directory: Path) -> None:
        self._program = program
        self._out = directory / "pace.out"

    @classmethod
    def built(cls, directory: Path) -> Pace | None:
        """None without a C compiler."""
        program = compiling.build("pace", directory)
        return cls(program, directory) if program is not None else None

    def at_rate(
        self,
        port: int,
        queries: Queries,
        per_s: float,
        seconds: float,
        clients: int = 50,
        cores: Collection[int] = (LOAD_CORE,),
    ) -> Paced:
        """Sends ``per_s`` queries a second, whatever comes back."""
        return self._run(port, queries, clients, ("open", f"{per_s:.0f}", f"{seconds:g}"), cores)

    def flat_out(
        self,
        port: int,
        queries: Queries,
        seconds: float,
        window: int = 100,
        clients: int = 50,
        cores: Collection[int] = (LOAD_CORE,),
    ) -> Paced:
        """Sends as fast as is answered; queries of class "miss" are not waited for."""
        return self._run(port, queries, clients, ("closed", str(window), f"{seconds:g}"), cores)

    def _run(
        self, port: int, queries: Queries, clients: int, mode: tuple[str, str, str], cores: Collection[int]
    ) -> Paced:
        pinned = ["taskset", "-c", ",".join(str(core) for core in cores)]
        done = subprocess.run(
            [*pinned, str(self._program), str(port), str(queries.path), str(clients), str(self._out), *mode],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            raise BenchError(f"pace against port {port} ended with {done.returncode}: {done.stderr[-500:]}")
        sent, took_us, strange = (int(field) for field in done.stdout.split())
        outcomes = array("i")
        outcomes.frombytes(self._out.read_bytes())
        if len(outcomes) != sent * _FIELDS or not sent:
            raise BenchError(f"pace against port {port} sent {sent} queries and kept {len(outcomes)} numbers")
        return read_outcomes(outcomes, queries.classes, max(took_us, 1) / 1e6, strange)


def read_outcomes(outcomes: Sequence[int], classes: Sequence[str], took_s: float, strange: int = 0) -> Paced:
    """What the generator kept of each query: latency or -1, code or -1, lag; times in tenths of a microsecond."""
    latency_us: dict[str, list[float]] = {name: [] for name in dict.fromkeys(classes)}
    wrong = 0
    latencies, codes, lags = (outcomes[field::_FIELDS] for field in range(_FIELDS))
    for number, (latency, code) in enumerate(zip(latencies, codes, strict=True)):
        name = classes[number % len(classes)]
        if code == _CODES.get(name, 0):
            latency_us[name].append(latency / _PER_US)
        elif code >= 0:
            wrong += 1
    for part in latency_us.values():
        part.sort()
    return Paced(len(lags), took_s, wrong, strange, latency_us, percentile(sorted(lags), 0.99) / _PER_US)


def write_queries(path: Path, queries: Iterable[tuple[str, str, str]]) -> Queries:
    """Writes name, type and class of each query."""
    kept = list(queries)
    path.write_text("".join(f"{name} {rrtype} {kind}\n" for name, rrtype, kind in kept), encoding="ascii")
    return Queries(path, [kind for _, _, kind in kept])
