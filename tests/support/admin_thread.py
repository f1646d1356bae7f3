"""The admin API in a thread of its own, for test tools that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from admin_api.services import Limits
from tests.support.admin import Api, running_api

START_TIMEOUT_S = 30


@contextmanager
def api_in_a_thread(url: str, directory: Path, prepare: Callable[[Api], Any]) -> Iterator[Api]:
    """Serves until the block ends; ``prepare`` (asynchronous) is run first. Nobody is limited for failed attempts."""
    started = threading.Event()
    box: dict[str, Any] = {}

    async def serve() -> None:
        limits = Limits(failed_auth_per_minute=10**9)
        async with running_api(url, directory, limits=limits) as api:
            await prepare(api)
            box.update(api=api, stop=asyncio.Event(), loop=asyncio.get_running_loop())
            started.set()
            await box["stop"].wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            box["error"] = error
            raise
        finally:
            started.set()

    thread = threading.Thread(target=run, name="admin api", daemon=True)
    thread.start()
    assert started.wait(START_TIMEOUT_S)
    if "error" in box:
        raise RuntimeError("the API did not start") from box["error"]
    try:
        yield box["api"]
    finally:
        box["loop"].call_soon_threadsafe(box["stop"].set)
        thread.join(START_TIMEOUT_S)
