"""One worker process: a uvloop, its sockets, a pipeline, and what keeps the pipeline's policy fresh.

The supervisor hands over bound sockets and starts as many workers as there are cores. A worker reads a snapshot and
appends to its spool; it asks nobody for anything else, so that it answers for as long as it lives.

SIGTERM: stop reading, let waiting queries end, close the spool, exit 0. SIGHUP: look for a new generation now.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import time
from pathlib import Path
from typing import Final

import uvloop

from querylog.record import Transport
from querylog.spool import SpoolWriter
from resolver import local, pipeline
from resolver.admission import Admission
from resolver.cache import Cache
from resolver.cache_keeper import CacheKeeper
from resolver.cookies import Cookies
from resolver.fast_lane import FastLane
from resolver.in_force import InForce
from resolver.pipeline import Pipeline
from resolver.settings import WorkerSettings
from resolver.sources import Sources
from resolver.stats import Stats
from resolver.surroundings import Surroundings, SurroundingsKeeper
from resolver.tcp import TcpLimits, TcpListener
from resolver.turn import Sender
from resolver.udp import BATCHED, UdpPort, open_port
from resolver.udp_door import UdpDoor
from resolver.upstream.groups import UpstreamGroups
from resolver.zone_pressure import ZonePressure
from snapshots.generation import Generation, open_current
from snapshots.watch import Watcher

_log = logging.getLogger(__name__)

# "An edit is in force within a second": publishing takes a part of it, opening and resolving another.
WATCH_INTERVAL_S: Final = 0.2
STATS_INTERVAL_S: Final = 1.0
DRAIN_S: Final = 5.0
# A query that waits is a dozen objects that die with it. Python's 700 would have the collector look at them again and
# again: a twelfth of a miss. It pauses for a fifth of a millisecond this way.
_YOUNG_OBJECTS: Final = 5_000
SHED_PLANS: Final = 1_000  # of a generation no longer in force, in one turn of the loop: a third of a millisecond


def run_worker(settings: WorkerSettings) -> None:
    """Runs a worker until SIGTERM. Raises ``snapshots`` errors where no sound generation exists."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker(settings).run())


class _Later:
    """The sender of a TCP connection's slow answers: the address is the future that its handler waits for."""

    def send(self, response: bytes, address: object) -> None:
        """Hands ``response`` to the waiting handler; a connection that is gone has cancelled it."""
        if isinstance(address, asyncio.Future) and not address.done():
            address.set_result(response)


class Worker:
    """The parts of one worker and their life."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._surroundings = SurroundingsKeeper(settings, self._settle)
        self._stats = Stats()
        self._stop = asyncio.Event()
        self._look = asyncio.Event()
        self._started_s = time.time()
        self._faults = 0

    async def run(self) -> None:
        """Answers queries until told to stop."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C reaches all; the supervisor says when to stop
        loop.add_signal_handler(signal.SIGHUP, self._look.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGHUP))  # held since the process began

        generation = open_current(Path(settings.snapshots_root))
        spool = SpoolWriter(
            Path(settings.spool_dir),
            settings.node,
            settings.spool_number if settings.spool_number >= 0 else settings.number,
            segment_size_bytes=settings.spool_segment_bytes,
            quota_bytes=settings.spool_quota_bytes,
        )
        cache = Cache(
            settings.cache_size_bytes,
            settings.min_ttl_s,
            settings.max_ttl_s,
            settings.negative_max_ttl_s,
            stale_max_s=settings.stale_max_s,
            refreshes=settings.cache_refresh,
        )
        self._keeper = CacheKeeper(
            cache,
            Path(settings.cache_path) if settings.cache_path else None,
            Path(settings.cache_orders_path) if settings.cache_orders_path else None,
            settings.cache_size_bytes,
            time.time,
        )
        pressure = ZonePressure(settings.zone_max_outstanding)
        upstreams = UpstreamGroups(settings.upstreams, loop, pressure.load)
        self._cache = cache
        self._spool = spool
        self._upstreams = upstreams
        self._pipeline = Pipeline(
            self._in_force(generation),
            Admission(settings.allow_from),
            cache,
            upstreams,
            spool,
            self._stats,
            local.Identity(settings.version, settings.hostname or socket.gethostname()),
            time.time,
            loop.call_later,
            Sources(settings.source_limits),
            pressure,
            Cookies(bytes.fromhex(settings.cookie_secret)) if settings.cookie_secret else None,
        )
        proxies = self._surroundings.current.proxies
        self._door = UdpDoor(self._answer, proxies, settings.responses_per_s, settings.source_limits.slip, time.time)
        number = generation.number
        del generation  # the pipeline has it, until another takes its place
        lane = FastLane(self._pipeline) if BATCHED and not settings.responses_per_s else None
        answer = self._door.answer if settings.proxy_from or settings.responses_per_s else self._answer
        ports = [open_port(socket.socket(fileno=fd), answer, self._stats, lane) for fd in settings.udp_fds]
        tcp = TcpListener(
            [socket.socket(fileno=fd) for fd in settings.tcp_fds],
            self._answer_tcp,
            TcpLimits(max_connections=settings.tcp_max_connections, idle_s=settings.tcp_idle_s),
            proxies=proxies,
        )
        # What lives now lives as long as the process: the collector need not look at a million-rule policy again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG_OBJECTS)
        for port in ports:
            port.start(loop)
        await tcp.start()
        background = [
            asyncio.create_task(self._watch(number)),
            asyncio.create_task(self._report()),
            asyncio.create_task(self._keeper.run()),
            asyncio.create_task(self._surroundings.run()),
        ]
        self._say_ready()
        _log.info("answering", extra={"worker": settings.number, "generation": number})
        await self._stop.wait()
        await self._drain(ports, tcp, background)

    def _say_ready(self) -> None:
        if self._settings.ready_path:
            Path(self._settings.ready_path).write_text(f"{os.getpid()}\n")

    def _in_force(self, generation: Generation) -> InForce:
        policy = generation.policy
        surroundings = self._surroundings.current
        for code in sorted(surroundings.routing.agencies.difference(agency.code for agency in policy.agencies)):
            _log.warning("a route is for an agency that does not exist: it has no effect", extra={"agency": code})
        return InForce.begin(
            generation.number, policy, generation.index, time.time(), self._stats.tallies, surroundings
        )

    async def _settle(self, surroundings: Surroundings) -> None:
        await self._swap(self._pipeline.in_force.amid(surroundings, time.time()))

    async def _swap(self, in_force: InForce) -> None:
        before = self._pipeline.in_force
        self._pipeline.in_force = in_force
        while before.shed(SHED_PLANS):  # noqa: ASYNC110 -- it polls nothing: between two parts queries have a turn
            await asyncio.sleep(0)

    def _answer(self, message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
        """The pipeline behind a net: a fault of ours costs one query, not the process."""
        try:
            return self._pipeline.answer(message, host, transport, sender, address)
        except Exception:
            self._faults += 1
            if self._faults <= 100:  # an attacker who found a fault must not fill the disk with it
                _log.exception("a query could not be processed", extra={"message_hex": message[:512].hex()})
            return b""

    def _answer_tcp(self, message: bytes, client_address: str) -> bytes | asyncio.Future[bytes] | None:
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        response = self._answer(message, client_address, Transport.TCP, _LATER, waiting)
        return waiting if response is None else response or None

    async def _watch(self, number: int) -> None:
        """Puts each generation after ``number`` in force: opened and resolved beside the loop, swapped by one
        assignment.
        """
        watcher = Watcher(Path(self._settings.snapshots_root), number)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), WATCH_INTERVAL_S)
            self._look.clear()
            if not watcher.changed():
                continue
            try:
                opened = await asyncio.to_thread(watcher.poll)
                if opened is None:
                    continue
                in_force = await asyncio.to_thread(self._in_force, opened)
            except Exception:
                _log.exception("the new generation cannot be put in force; the one before stays")
                continue
            surroundings = self._surroundings.current
            if in_force.surroundings is not surroundings:  # they changed while it was resolved
                in_force = in_force.amid(surroundings, time.time())
            _log.info("generation in force", extra={"generation": opened.number})
            await self._swap(in_force)
            del in_force, opened  # or an index that is no longer in force would stay mapped

    async def _report(self) -> None:
        """Once a second: makes the spool durable, and writes the counters for the program to read."""
        while True:
            await asyncio.sleep(STATS_INTERVAL_S)
            try:
                # Beside the loop, both: a file system that is busy with somebody's lists can hold up any write.
                await asyncio.to_thread(self._spool.flush)
                await asyncio.to_thread(self._write_stats, json.dumps(self._document()))
            except OSError:
                _log.exception("the spool or the counters could not be written")

    def _write_stats(self, document: str) -> None:
        path = Path(self._settings.stats_path)
        beside = path.with_suffix(".tmp")
        beside.write_text(document)
        beside.replace(path)

    def _document(self) -> dict[str, object]:
        return {
            "worker": self._settings.number,
            "pid": os.getpid(),
            "started_s": self._started_s,
            "written_s": time.time(),
            "generation": self._pipeline.in_force.generation,
            "answers": self._spool.answers,
            "gaps": self._spool.gaps,
            "faults": self._faults,
            **self._stats.document(self._pipeline.in_force.policy),
            "cache": self._cache.counters() | {"orders_done": self._keeper.orders_done},
            "upstreams": self._upstreams.counters(),
            "upstream_groups": self._upstreams.totals(),
            "compiled": Path(pipeline.__file__).suffix != ".py",
        }

    async def _drain(self, ports: list[UdpPort], tcp: TcpListener, background: list[asyncio.Task[None]]) -> None:
        loop = asyncio.get_running_loop()
        for port in ports:
            port.stop(loop)
        await tcp.drain(DRAIN_S)
        await self._upstreams.drain(DRAIN_S)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        for port in ports:
            port.close()
        self._spool.close()
        self._keeper.save_now()
        if not self._is_relieved():
            self._write_stats(json.dumps(self._document()))

    def _is_relieved(self) -> bool:
        """Whether another process tells of this worker already: the last word is then its."""
        try:
            told = json.loads(Path(self._settings.stats_path).read_bytes())
        except (OSError, ValueError):
            return False
        return isinstance(told, dict) and told.get("pid") != os.getpid()


_LATER: Final = _Later()
