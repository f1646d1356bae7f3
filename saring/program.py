"""``saring serve``: which processes run, from the configuration to an orderly end.

The order of the start is a promise: with a snapshot from an earlier run, workers answer at once, from files alone,
whatever has become of the database or the network. Everything else comes after, and may fail without them noticing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial

from saring import logs
from saring.banner import banner
from saring.child import ChildSpec, ChildState
from saring.config import Loaded, load
from saring.config_problem import ConfigError
from saring.handover import HELD, Handover, Predecessor, become, command
from saring.lineup import LOADER_STOP_S, OTHER_STOP_S, WORKER_STOP_S, Lineup, Listening, needs_restart
from saring.one_shot import OneShotError, run_one_shot
from saring.predecessors import Predecessors
from saring.prepared import recall, remember
from saring.readiness import wait_until_ready
from saring.resolv_conf import NoUpstreamError
from saring.state_dir import StateDir, read_json, write_json
from saring.supervisor import Supervisor
from saring.systemd import Notifier, watchdog_s
from saring.version import VERSION
from saring.watchdog import Eyes, Watchdog

_log = logging.getLogger(__name__)

PREPARE_RETRY_S = 10.0
DNS_FIRST_S = 2.0
OTHERS_WAIT_S = 5.0
READY_WITHIN_S = 30.0
SELF_QUERY_S = 3.0
CHECK_S = 30.0
_LOOK_S = 0.02


class Program:
    """One running instance. ``listening`` is bound already; ``say`` prints to the person who started it."""

    def __init__(
        self,
        loaded: Loaded,
        listening: Listening,
        environ: Mapping[str, str],
        say: Callable[[str], None],
        before: Handover | None = None,
    ) -> None:
        self._path = loaded.path
        self._environ = environ
        self._config = loaded.config
        self._state = StateDir(loaded.config.state_dir)
        self._listening = listening
        self._say = say
        self._started_s = time.time()
        self._supervisor = Supervisor(self._record)
        self._stop = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        self._prepared: asyncio.Future[Mapping[str, object]] = asyncio.get_running_loop().create_future()
        self._notifier = Notifier(environ)
        self._predecessors = Predecessors(before.children if before is not None else ())
        # A worker that relieves another writes into the other slot's spool.
        self._slots = {one.name: 1 - one.slot for one in self._predecessors.workers}

    async def run(self) -> int:
        """Runs until SIGTERM or SIGINT; returns the exit status."""
        self._handle_signals()
        if not (self._state.snapshots / "current").is_symlink():
            self._say("First start: preparing the database and the lists ...")
            try:
                self._prepared.set_result(await self._prepare())
            except OneShotError as error:
                self._say(f"saring: the first start failed: {error}")
                return 1
        if not self._stop.is_set():
            self._start(self._lineup().workers(self._slots))
            if not self._prepared.done():
                self._in_background(self._prepare_patiently())
            self._in_background(self._start_others())
            self._in_background(self._greet())
            self._in_background(self._watchdog().run())
        await self._stop.wait()
        self._notifier.stopping()
        await self._end(self._lineup())
        return 0

    def _lineup(self) -> Lineup:
        return Lineup(self._config, self._path, self._state, self._listening)

    def _start(self, specs: list[ChildSpec]) -> None:
        for spec in specs:
            self._supervisor.start(spec)

    async def _prepare(self) -> Mapping[str, object]:
        result = await run_one_shot("prepare", self._lineup().orders(), self._stop)
        if result:
            remember(self._state, self._config, administrator=not result.get("setup_code"))
        return result

    async def _prepare_patiently(self) -> None:
        """With a snapshot to serve, a broken database is no reason to stop: it is tried again."""
        await self._dns_is_ready()
        if recall(self._state, self._config).administrator:
            # Nobody waits for a setup code: the API may have the machine to itself first.
            await self._api_is_ready()
        while not self._stop.is_set():
            try:
                self._prepared.set_result(await self._prepare())
                return
            except OneShotError as error:
                _log.error(
                    "the database is not ready; DNS goes on from the last snapshot",
                    extra={"error": str(error), "again_in_s": PREPARE_RETRY_S},
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), PREPARE_RETRY_S)

    async def _start_others(self) -> None:
        """The API first: people wait for it. The spool and the nightly lists can wait a moment."""
        await self._dns_is_ready()
        await self._relieve_predecessors()
        if not recall(self._state, self._config).current:
            await asyncio.shield(self._prepared)
        self._start(self._lineup().api())
        await self._api_is_ready()
        self._start(self._lineup().background())

    async def _relieve_predecessors(self) -> None:
        """After an upgrade: the old workers go when the new ones answer, all others at once."""
        if not self._predecessors.children:
            return
        states = {state.name: state for state in self._supervisor.states()}
        for worker in self._predecessors.workers:
            state = states.get(worker.name)
            if state is not None and not await self._worker_answers(worker.name, self._slots[worker.name]):
                _log.error("the new worker does not answer; the old one goes on", extra={"child": worker.name})
                continue
            await self._predecessors.end(worker, WORKER_STOP_S)
        for other in self._predecessors.others:
            await self._predecessors.end(other, OTHER_STOP_S)
        _log.info("upgraded", extra={"version": VERSION})

    async def _worker_answers(self, name: str, slot: int, pid: Callable[[], int] | None = None) -> bool:
        """Whether a worker says within the time for a start that it answers. ``pid``: None for the one that runs."""
        pid = pid or partial(self._supervisor.pid_of, name)
        path = self._state.ready_of(int(name.removeprefix("worker-")), slot)
        deadline_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError, ValueError):
                if int(path.read_text()) == pid() > 0:
                    return True
            await asyncio.sleep(_LOOK_S)
        return False

    def _watchdog(self) -> Watchdog:
        def written_s(name: str) -> float:
            number = int(name.removeprefix("worker-"))
            document = read_json(self._state.stats_of(number)) or {}
            written = document.get("written_s")
            return float(written) if isinstance(written, int | float) else 0.0

        async def answers() -> bool:
            return (await wait_until_ready(self._listening.dns[0], None, SELF_QUERY_S)).dns

        def workers() -> list[ChildState]:
            return [state for state in self._supervisor.states() if state.name.startswith("worker-")]

        eyes = Eyes(workers, written_s, self._supervisor.kill, answers, time.time)
        return Watchdog(eyes, self._notifier, watchdog_s(self._environ, os.getpid()))

    async def _dns_is_ready(self) -> None:
        # What starts later imports for seconds; the workers must not share the cores with it.
        await wait_until_ready(self._listening.dns[0], None, DNS_FIRST_S)

    async def _api_is_ready(self) -> None:
        if self._config.api.enabled:
            await wait_until_ready(None, self._config.api.listen, OTHERS_WAIT_S)

    async def _greet(self) -> None:
        """Says where everything is, once it answers."""
        setup: Mapping[str, object] = {}
        if not recall(self._state, self._config).administrator:
            setup = await asyncio.shield(self._prepared)
        api = self._config.api.listen if self._config.api.enabled else None
        ready = await wait_until_ready(self._listening.dns[0], api, READY_WITHIN_S)
        if not self._stop.is_set():
            self._notifier.ready(f"answering on {', '.join(map(str, self._listening.dns))}")
            took_s = time.time() - self._started_s
            self._say(banner(self._config, self._listening.dns, setup, took_s, ready))

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_stop, number)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._in_background(self._reload()))
        loop.add_signal_handler(signal.SIGUSR2, lambda: self._in_background(self._upgrade()))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)  # held by the image before, if there was one

    def _ask_to_stop(self, number: signal.Signals) -> None:
        if not self._stop.is_set():
            self._say("\nStopping ..." if number == signal.SIGINT else "Stopping ...")
        self._stop.set()

    def _in_background(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _end(self, lineup: Lineup) -> None:
        """Workers first, so that the loader's last run finds all they answered; the API last."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for left in list(self._predecessors.children):
            await self._predecessors.end(left, WORKER_STOP_S)
        loader_runs = any(state.name == "loader" and state.pid for state in self._supervisor.states())
        await self._supervisor.stop(lineup.stop_stages())
        if not loader_runs:
            await self._load_what_is_left(lineup)
        (self._state.run / "supervisor.json").unlink(missing_ok=True)
        self._say("Stopped.")

    async def _load_what_is_left(self, lineup: Lineup) -> None:
        """Stopped within the first moments, or while the loader was down: rows = answers all the same."""
        try:
            async with asyncio.timeout(LOADER_STOP_S):
                await run_one_shot("loader-once", lineup.orders(), asyncio.Event())
        except (OneShotError, TimeoutError) as error:
            _log.error("the last answers stay in the spool until the next start", extra={"error": str(error)})

    async def _reload(self) -> None:
        """SIGHUP: the new configuration if it is right, else none of it."""
        async with self._reloading:
            self._notifier.reloading()
            try:
                loaded = load(self._path, self._environ)
                lineup = Lineup(loaded.config, self._path, self._state, self._listening)
                specs = [*lineup.workers(self._slots), *lineup.api(), *lineup.background()]
            except (ConfigError, NoUpstreamError) as error:
                _log.error("the new configuration is refused; the old one stays", extra={"error": str(error)})
                self._notifier.ready("the new configuration was refused; the old one is in force")
                return
            later = needs_restart(self._config, loaded.config)
            if later:
                _log.warning("these changes hold only after a restart", extra={"keys": later})
            changed = [
                spec for spec in specs if (running := self._supervisor.spec(spec.name)) is not None and running != spec
            ]
            self._config = loaded.config
            logs.configure(loaded.config.log.level, loaded.config.log.format, "supervisor")
            self._supervisor.signal_all(signal.SIGHUP)
            for spec in changed:
                if spec.name.startswith("worker-"):
                    await self._relieve(lineup, spec.name)
                else:
                    await self._supervisor.replace(spec)
            _log.info("reloaded", extra={"replaced": [spec.name for spec in changed]})
            self._notifier.ready("the configuration was read again")

    async def _relieve(self, lineup: Lineup, name: str) -> None:
        """A new worker beside the old one, on the same sockets; the old one goes when the new one answers."""
        slot = 1 - self._slots.get(name, 0)
        spec = next(spec for spec in lineup.workers({name: slot}) if spec.name == name)
        if await self._supervisor.relieve(spec, partial(self._worker_answers, name, slot)):
            self._slots[name] = slot
        else:
            _log.error(
                "the worker does not start with the new configuration; the old one goes on", extra={"child": name}
            )

    async def _upgrade(self) -> None:
        """SIGUSR2: the program as it is now on disk takes our place, with our sockets and children."""
        async with self._reloading:
            check = command(["--config", str(self._path), "check-config"] if self._path else ["check-config"])
            try:
                process = await asyncio.create_subprocess_exec(
                    *check, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
                )
                _, said = await asyncio.wait_for(process.communicate(), CHECK_S)
            except (OSError, TimeoutError) as error:
                _log.error("no upgrade: the new program does not start", extra={"error": str(error)})
                return
            if process.returncode:
                reason = said.decode(errors="replace").strip()
                _log.error("no upgrade: the new program refuses the configuration", extra={"reason": reason})
                return
            self._notifier.reloading()
            # They have one writer each; what they leave waits in the spool for the new ones.
            await self._supervisor.stop_some(("sync", "loader"))
            try:
                become(command(sys.argv[1:]), self._environ, self._left_behind())
            except OSError as error:
                _log.error("no upgrade: the new program does not start", extra={"error": str(error)})
                self._start(self._lineup().background())
                self._notifier.ready("the upgrade failed")

    def _left_behind(self) -> Handover:
        children = [
            Predecessor(child.name, child.state.pid, self._slots.get(child.name, 0), child.stderr_fd)
            for child in self._supervisor.children()
            if child.state.pid
        ]
        listening = self._listening
        return Handover(
            dns=tuple(map(str, listening.dns)),
            workers=tuple(
                (tuple(one.fileno() for one in worker.udp), tuple(one.fileno() for one in worker.tcp))
                for worker in listening.workers
            ),
            api_fd=listening.api.fileno() if listening.api is not None else -1,
            children=tuple(children),
        )

    def _record(self, states: list[ChildState]) -> None:
        record = {
            "pid": os.getpid(),
            "version": VERSION,
            "node": self._config.node.name or socket.gethostname(),
            "started_s": self._started_s,
            "config": str(self._path) if self._path is not None else "",
            "dns": [str(address) for address in self._listening.dns],
            "api": str(self._config.api.listen) if self._config.api.enabled else "",
            "children": [
                {
                    "name": state.name,
                    "pid": state.pid,
                    "started_s": state.started_s,
                    "restarts": state.restarts,
                    "last_exit": state.last_exit,
                }
                for state in states
            ],
        }
        write_json(self._state.run / "supervisor.json", record)


def serve(loaded: Loaded, environ: Mapping[str, str], listening: Listening, before: Handover | None = None) -> int:
    """Runs an instance to its end. The caller holds the state directory's lock."""

    def say(text: str) -> None:
        print(text, file=sys.stdout, flush=True)

    async def main() -> int:
        return await Program(loaded, listening, environ, say, before).run()

    return asyncio.run(main())
