"""The log loader: from the spool into the store every few seconds, and retention beside it.

A store that is down or full is waited for; the spool holds meanwhile. SIGTERM loads what is left, then ends: workers
have stopped before, so that rows = answers at a graceful stop.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from querylog.loader import Loader
from querylog.store import Store, StoreError
from saring.config_schema import Config
from saring.courtesy import courtesy
from saring.labels import GenerationLabels
from saring.memory import give_back
from saring.one_shot import give_result
from saring.orders import Orders
from saring.query_store import open_store
from saring.state_dir import StateDir
from saring.stop_signals import release

_log = logging.getLogger(__name__)

DAY_US = 86_400 * 1_000_000
MAX_PAUSE_S = 30.0


def run_loader_process(orders: Orders) -> int:
    """Loads until SIGTERM, then once more."""
    config = Config.model_validate_json(orders.config)
    state = StateDir(Path(orders.state_dir))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    release()
    store = open_patiently(lambda: open_store(state, writer=True), stop)
    if store is None:
        return 0
    try:
        loader = Loader(state.spool, store, GenerationLabels(state.snapshots))
        loader.run(stop, config.log.load_interval_s, _now_us, lambda now_us: _upkeep(config, now_us), courtesy())
    finally:
        store.close()
    return 0


def _upkeep(config: Config, now_us: int) -> tuple[int, int]:
    """Every ten seconds, between loads and merges."""
    give_back()
    return retention(config, now_us)


def run_loader_once(orders: Orders) -> int:
    """Loads what there is, for a supervisor whose loader was not running when it was time to stop."""
    state = StateDir(Path(orders.state_dir))
    try:
        store = open_store(state, writer=True)
        try:
            Loader(state.spool, store, GenerationLabels(state.snapshots)).run_once()
        finally:
            store.close()
    except (StoreError, OSError) as error:
        give_result(orders, {"error": f"the query log could not be loaded; the spool holds it: {error}"})
        return 1
    return 0


def open_patiently(attempt: Callable[[], Store], stop: threading.Event) -> Store | None:
    """The store, tried once at least and again until it opens; ``None`` where we are told to stop before."""
    pause_s = 0.5
    while True:
        try:
            return attempt()
        except (StoreError, OSError) as error:
            _log.error(
                "the query log cannot be opened; the spool holds", extra={"error": str(error), "again_in_s": pause_s}
            )
            if stop.wait(pause_s):
                return None
            pause_s = min(pause_s * 2, MAX_PAUSE_S)


def retention(config: Config, now_us: int) -> tuple[int, int]:
    """Before which times raw and blocked rows go, in Unix microseconds."""
    return now_us - config.log.retention_raw_days * DAY_US, now_us - config.log.retention_blocked_days * DAY_US


def _now_us() -> int:
    return time.time_ns() // 1_000
