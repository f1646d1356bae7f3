"""The log loader: from the spool into the store every few seconds, and retention every hour.

A store that is down or full is waited for; the spool holds meanwhile. SIGTERM loads what is left, then ends: workers
have stopped before, so that rows = answers at a graceful stop.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from querylog.loader import Loader
from querylog.store import Store, StoreError
from saring import logs
from saring.config_schema import Config
from saring.labels import GenerationLabels
from saring.orders import Orders
from saring.query_store import open_store
from saring.state_dir import StateDir

DAY_S = 86_400
RETENTION_INTERVAL_S = 3_600.0
MAX_PAUSE_S = 30.0
LAST_RUN_S = 15.0


def run_loader_process(orders: Orders) -> int:
    """Loads until SIGTERM; then once more, until the spool is empty or the time is over."""
    config = Config.model_validate_json(orders.config)
    state = StateDir(Path(orders.state_dir))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    labels = GenerationLabels(state.snapshots)
    store = _open_patiently(state, stop)
    if store is None:
        return 0
    try:
        loader = Loader(state.spool, store, labels)
        LoaderLoop(loader, store, config, time.time, stop).run()
    finally:
        store.close()
    return 0


def _open_patiently(state: StateDir, stop: threading.Event) -> Store | None:
    """The store, tried again until it opens; ``None`` where we are told to stop before."""
    log = logs.get(__name__)
    pause_s = 1.0
    while not stop.is_set():
        try:
            return open_store(state, writer=True)
        except (StoreError, OSError) as error:
            log.error("the query log's store cannot be opened; the spool holds", error=str(error), again_in_s=pause_s)
            stop.wait(pause_s)
            pause_s = min(pause_s * 2, MAX_PAUSE_S)
    return None


class LoaderLoop:
    """When to load, when to clean up, when to give in."""

    def __init__(
        self,
        loader: Loader,
        store: Store,
        config: Config,
        clock: Callable[[], float],
        stop: threading.Event,
    ) -> None:
        self._loader = loader
        self._store = store
        self._config = config
        self._clock = clock
        self._stop = stop
        self._log = logs.get(__name__)
        self._retention_due_s = 0.0
        self._failures = 0

    def run(self) -> None:
        """Until told to stop, and the last run after it."""
        while not self._stop.is_set():
            self._load()
            if self._failures == 0:
                self._clean()
            self._stop.wait(self._pause_s())
        deadline_s = time.monotonic() + LAST_RUN_S
        while time.monotonic() < deadline_s and self._load():
            pass

    def _load(self) -> bool:
        """One run; whether it moved something, so that another may find more."""
        try:
            loaded = self._loader.run_once()
        except (StoreError, OSError) as error:
            self._failures += 1
            self._log.error("loading failed; the spool holds", error=str(error), again_in_s=self._pause_s())
            return False
        if self._failures:
            self._log.info("loading works again", rows=loaded.rows)
        self._failures = 0
        if loaded.gaps:
            self._log.warning("answers without a row were recorded as gaps", gaps=loaded.gaps)
        self._log.debug("loaded", rows=loaded.rows, gaps=loaded.gaps)
        return bool(loaded.rows or loaded.gaps)

    def _pause_s(self) -> float:
        interval_s = self._config.log.load_interval_s
        return interval_s if not self._failures else min(interval_s * 2 ** min(self._failures, 10), MAX_PAUSE_S)

    def _clean(self) -> None:
        now_s = self._clock()
        try:
            self._store.maintain(int(now_s * 1_000_000))
            if now_s < self._retention_due_s:
                return
            self._retention_due_s = now_s + RETENTION_INTERVAL_S
            dropped = self._store.drop_before(
                raw_before_us=int((now_s - self._config.log.retention_raw_days * DAY_S) * 1_000_000),
                blocked_before_us=int((now_s - self._config.log.retention_blocked_days * DAY_S) * 1_000_000),
                now_us=int(now_s * 1_000_000),
            )
        except (StoreError, OSError) as error:
            self._log.error("cleaning the query log failed; it is tried again", error=str(error))
            return
        if dropped.rows:
            self._log.info("rows past their retention were removed", rows=dropped.rows, files=dropped.files)
