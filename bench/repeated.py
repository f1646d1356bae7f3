"""What a policy costs a query that was asked before: the pipeline in one process, with a policy and without one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import cast

from blocklists.asker import ANYBODY, Asker, Client
from blocklists.index import Index, Match
from dnswire import name as wire
from dnswire.answer import Answer, parse_answer
from policy.model import Policy
from querylog.record import Transport
from querylog.spool import SpoolWriter
from resolver.admission import Admission
from resolver.cache import Cache
from resolver.in_force import InForce
from resolver.local import Identity
from resolver.pipeline import Pipeline
from resolver.sources import NO_LIMITS, Sources
from resolver.stats import Stats
from resolver.upstream.failure import UpstreamFailure
from resolver.zone_pressure import ZonePressure

_QUERIES = 40_000
_TURNS = 9
_NAME = wire.from_text("www.kantor.example.org")
_QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + _NAME + b"\x00\x01\x00\x01"
_ANSWER = (
    b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + _NAME + b"\x00\x01\x00\x01"
    b"\xc0\x0c\x00\x01\x00\x01\x00\x01\x00\x00\x00\x04\xc0\x00\x02\x01"
)


class _NoLists:
    rules = None

    def asker(self, client: Client, over_tcp: bool = False) -> Asker:
        return ANYBODY

    def ask(self, name: bytes, rrtype: int, asker: Asker) -> tuple[Match, ...]:
        return ()


class _Upstream:
    def start(
        self,
        name: bytes,
        rrtype: int,
        rrclass: int,
        do: bool,
        cd: bool,
        now_s: float,
        done: Callable[[Answer | UpstreamFailure, int], None],
    ) -> bool:
        done(parse_answer(_ANSWER), 1)
        return False


class _Handle:
    def cancel(self) -> None:
        """Nothing comes later here."""


class _Nowhere:
    def send(self, response: bytes, address: object) -> None:
        """Drops it."""


def repeated_query_us(policies: tuple[Policy, Policy], host: str, at_s: float) -> tuple[float, float]:
    """CPU microseconds of a cached query under each policy, asked in turns; medians."""
    with tempfile.TemporaryDirectory() as directory:
        pipelines = [_pipeline(policy, Path(directory) / str(n), at_s) for n, policy in enumerate(policies)]
        times: list[list[float]] = [[], []]
        for turn in range(_TURNS + 1):
            for number, pipeline in enumerate(pipelines):
                taken_us = _turn_us(pipeline, host)
                if turn:  # the first one fills caches
                    times[number].append(taken_us)
        return median(times[0]), median(times[1])


def _turn_us(pipeline: Pipeline, host: str) -> float:
    nowhere = _Nowhere()
    udp = int(Transport.UDP)
    start_ns = time.process_time_ns()
    for _ in range(_QUERIES):
        pipeline.answer(_QUERY, host, udp, nowhere, None)
    return (time.process_time_ns() - start_ns) / _QUERIES / 1000


def _pipeline(policy: Policy, directory: Path, at_s: float) -> Pipeline:
    stats = Stats()
    cache = Cache(1 << 24, 0, 86_400, 3_600)
    spool = SpoolWriter(directory, "bench", 0, segment_size_bytes=1 << 26, quota_bytes=1 << 34)
    in_force = InForce.begin(1, policy, cast(Index, _NoLists()), at_s, stats.tallies)
    identity = Identity("bench", "bench")
    sources, pressure = Sources(NO_LIMITS), ZonePressure(0)
    return Pipeline(
        in_force,
        Admission(()),
        cache,
        (_Upstream(),),
        spool,
        stats,
        identity,
        lambda: at_s,
        lambda delay_s, call: _Handle(),
        sources,
        pressure,
    )
