"""A real primary's NOTIFY: the scheduler asks it, the sync applies the change, the next generation blocks by it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

import pytest

from admin_api.migrations import upgrade
from blocklists.progress import SilentBoard
from dnswire.name import from_text
from saring.bootstrap import import_document
from saring.config import load
from saring.control import open_control
from saring.orders import Orders
from saring.people import local_actor
from saring.process_sync import Scheduler
from saring.state_dir import StateDir
from saring.sync_job import run_sync
from snapshots.generation import open_current
from tests.support.ports import free_port
from tests.support.primaries import KEY_NAME, SECRET, Primary, knot, nsd, until, zone_text

Server = Callable[..., AbstractContextManager[Primary]]
PATIENCE_S = 30.0
DOCUMENT = """
[regency]
name = "Kabupaten Contoh"

[[category]]
code = "perjudian"
title = "Perjudian"
negative = true

[[list]]
code = "nasional"
title = "Nasional"
location = "{location}"
categories = ["perjudian"]
allow_private = true
shrink_limit = 1.0
tsig_name = "{key}"
tsig_secret = "{secret}"
"""


@asynccontextmanager
async def scheduler(directory: Path, location: str, notify_port: int) -> AsyncIterator[StateDir]:
    """A running scheduler with one list, a zone; its syncs run in this process."""
    state = StateDir(directory / "var")
    state.create()
    document = directory / "regency.toml"
    document.write_text(DOCUMENT.format(location=location, key=KEY_NAME, secret=SECRET), encoding="utf-8")
    settings = {"SARING_CONFIG": "/dev/null", "SARING_LISTS__NOTIFY_LISTEN": f'["127.0.0.1:{notify_port}"]'}
    config = load(None, settings).config
    stop = asyncio.Event()
    orders = Orders(os.getpid(), "error", "json", str(state.root), config.model_dump_json())
    async with open_control(config, state) as control:
        await upgrade(control.engine)
        await import_document(control.sessions, document, local_actor(), time.time())

        async def sync_here(told: Orders) -> dict[str, object]:
            codes = None if told.force_all else [code for code in told.code.split(",") if code]
            return (await run_sync(config, state, codes, SilentBoard(), time.time)).summary()

        running = asyncio.create_task(Scheduler(config, state, control, orders, stop, time.time, sync_here).run())
        try:
            yield state
        finally:
            stop.set()
            await running


def blocks(state: StateDir, name: str) -> bool:
    """Whether the generation in force has the name in its index."""
    if not (state.snapshots / "current").exists():
        return False
    generation = open_current(state.snapshots)
    try:
        return bool(generation.index.match(from_text(name)))
    finally:
        generation.close()


@pytest.mark.parametrize("server", [nsd, knot])
async def test_a_notify_leads_to_a_sync(tmp_path: Path, server: Server) -> None:
    (tmp_path / "primary").mkdir()
    port = free_port()
    names = ["judi.example", "lain.example"]
    with server(tmp_path / "primary", zone_text(1, names), tsig=True, notify=f"127.0.0.1@{port}") as primary:
        async with scheduler(tmp_path, primary.location, port) as state:
            await asyncio.to_thread(
                until, lambda: blocks(state, "www.judi.example"), "the first is in force", PATIENCE_S
            )
            await asyncio.to_thread(primary.publish, zone_text(2, [*names, "baru.example"]))
            await asyncio.to_thread(
                until, lambda: blocks(state, "www.baru.example"), "the change is in force", PATIENCE_S
            )
