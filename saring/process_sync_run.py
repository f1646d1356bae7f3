"""One sync in a process of its own: fetch, admit, compile, publish, at a low priority."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path

from blocklists.progress import SilentBoard
from saring.config_schema import Config
from saring.one_shot import give_result
from saring.orders import Orders
from saring.publisher import PublishError
from saring.state_dir import HeldError, StateDir
from saring.sync_job import run_sync

_log = logging.getLogger(__name__)

NICENESS = 10


def run_sync_once(orders: Orders) -> int:
    """Syncs the lists named in ``orders.code`` (separated by commas), or all, or none; returns the exit status."""
    os.nice(NICENESS)
    config = Config.model_validate_json(orders.config)
    state = StateDir(Path(orders.state_dir))
    codes = None if orders.force_all else [code for code in orders.code.split(",") if code]
    try:
        done = asyncio.run(run_sync(config, state, codes, SilentBoard(), time.time))
    except (PublishError, HeldError) as error:
        _log.error("sync failed", extra={"error": str(error)})
        give_result(orders, {"error": str(error)})
        return 1
    give_result(orders, done.summary())
    return 0
