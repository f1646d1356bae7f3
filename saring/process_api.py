"""The admin API's process: builds ``Services`` and serves them on the socket that the supervisor bound."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from pathlib import Path

from admin_api.serve import run_api
from admin_api.services import ProcessStatus, RunningPause, Services, StaleList, Status, WorkerStatus
from policy.surroundings import OwnName
from querylog.store import Store
from resolver.cache_orders import FlushKind, give
from saring.config_schema import Config
from saring.control import Control, open_control
from saring.explain_network import network_of
from saring.explaining import Explaining
from saring.metrics import render
from saring.orders import Orders
from saring.own_names import own_names
from saring.publisher import Publisher
from saring.query_store import StoreOnFirstUse
from saring.replay_process import replayer
from saring.state_dir import StateDir
from saring.status import ProgramStatus, collect
from saring.stop_signals import stop_event
from saring.sync_request import request_sync
from saring.version import VERSION

_log = logging.getLogger(__name__)


def run_api_process(orders: Orders) -> int:
    """Serves until SIGTERM."""
    asyncio.run(_main(orders))
    return 0


async def _main(orders: Orders) -> None:
    config = Config.model_validate_json(orders.config)
    state = StateDir(Path(orders.state_dir))
    stop = stop_event()
    listener = socket.socket(fileno=orders.listen_fd)
    async with open_control(config, state) as control:
        store = StoreOnFirstUse(state)
        explaining = Explaining(state.snapshots, control.library, lambda: network_of(config))
        try:
            services = build_services(state, control, store, explaining, orders, own_names(config))
            host, port = config.api.listen.host, config.api.listen.port
            await run_api(services, host, port, stop, sock=listener)
        finally:
            await explaining.close()
            store.close()


def build_services(
    state: StateDir,
    control: Control,
    store: Store,
    explaining: Explaining,
    orders: Orders,
    own: tuple[OwnName, ...] = (),
) -> Services:
    """Everything the API needs from the program. The orders' parent, the supervisor, gets SIGHUP for a reload."""
    publisher = Publisher(state, control.sessions, time.time)

    async def sync_now(code: str | None) -> None:
        await asyncio.to_thread(request_sync, state, code)

    async def reload() -> None:
        _log.info("reload asked for by the API")
        os.kill(orders.parent_pid, signal.SIGHUP)

    def flush_cache(kind: str, name: str) -> int:
        return give(state.cache_orders, FlushKind(kind), name, time.time()).number

    return Services(
        sessions=control.sessions,
        publish=publisher.publish,
        library=control.library,
        snapshots_root=state.snapshots,
        store=store,
        status=lambda: api_status(collect(state, time.time())),
        metrics=lambda: render(collect(state, time.time())),
        sync_now=sync_now,
        reload=reload,
        explain=explaining.explain,
        flush_cache=flush_cache,
        own_names=own,
        replay=replayer(orders),
        version=VERSION,
    )


def api_status(found: ProgramStatus) -> Status:
    """The status as the API speaks of it."""
    return Status(
        version=found.version or VERSION,
        node=found.node,
        started_s=found.started_s,
        generation=found.generation,
        workers=tuple(
            WorkerStatus(
                number=worker.number,
                pid=worker.pid,
                answering=worker.answering,
                generation=worker.generation,
                answers=worker.answers,
                gaps=worker.gaps,
                age_s=worker.age_s,
                compiled=worker.compiled,
            )
            for worker in found.workers
        ),
        processes=tuple(
            ProcessStatus(
                name=process.name,
                pid=process.pid,
                running=process.pid > 0,
                restarts=process.restarts,
                detail=process.last_exit,
            )
            for process in found.processes
        ),
        spool_size_bytes=found.spool_size_bytes,
        warnings=found.warnings,
        lists_size_bytes=found.lists_size_bytes,
        stale_lists=tuple(StaleList(one.code, one.age_s, one.max_age_s) for one in found.lists if one.stale),
        pauses=tuple(RunningPause(one.id, one.tenant, one.until_s, one.author, one.reason) for one in found.pauses),
    )
