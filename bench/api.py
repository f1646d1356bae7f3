"""The admin API: how soon an edit is in force, and what a read costs beside a bare aiohttp handler.

Server and client share one process and one core here, so rates are of both together, ours and the peer's alike.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import tempfile
import time
import tomllib
from pathlib import Path

import aiohttp
from aiohttp import web

from admin_api.app import create_app
from admin_api.database import Sessions, open_database, sessions_of
from admin_api.migrations import upgrade
from admin_api.models import Token, User
from admin_api.rest.auth import hash_secret
from admin_api.seed import import_regency
from admin_api.services import Published, Services, Status
from admin_api.to_policy import read_policy
from bench.report import Row, row
from blocklists.library import Library
from saring import logs
from saring.config_schema import Config
from saring.explain_network import network_of
from saring.explaining import Explaining
from snapshots.publish import publish

REGENCY = Path(__file__).parent.parent / "examples" / "muba" / "regency.toml"
SECRET = "saring_" + "0" * 64
EDITS = 30
READS = 300
AT_ONCE = 8
IN_FORCE_MS = 1000.0  # issue 2: an edit is in force within a second; workers look five times a second


def run() -> list[Row]:
    """Edits and reads on SQLite with the sample regency."""
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(_measure(Path(directory)))


async def _measure(directory: Path) -> list[Row]:
    # One log line a request belongs to the cost, but not to the terminal.
    with (directory / "log").open("w") as log:
        logs.configure("info", "json", "bench", log)
        try:
            return await _with_server(directory)
        finally:
            logging.getLogger().handlers.clear()


async def _with_server(directory: Path) -> list[Row]:
    engine = open_database(f"sqlite:///{directory}/saring.db")
    await upgrade(engine)
    sessions = sessions_of(engine)
    await _prepare(sessions)
    runner = web.AppRunner(create_app(_services(sessions, directory)), access_log=None)
    bare = web.AppRunner(_bare_app(), access_log=None)
    try:
        base, peer = await _listen(runner), await _listen(bare)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {SECRET}"}) as client:
            edit_ms = await _edits(client, f"{base}/api/v1/agencies/1")
            rates = [
                (await _rate(client, f"{base}/api/v1/agencies"), await _rate(client, f"{peer}/")) for _ in range(3)
            ]
    finally:
        await runner.cleanup()
        await bare.cleanup()
        await engine.dispose()
    ours, theirs = (statistics.median(column) for column in zip(*rates, strict=True))
    return [
        row("api", "edit to published, median", "ms", statistics.median(edit_ms), at_most=IN_FORCE_MS),
        row("api", "edit to published, slowest of 30", "ms", max(edit_ms), at_most=IN_FORCE_MS),
        row("api", "list agencies", "requests/s", ours, theirs, "aiohttp, fixed answer"),
    ]


async def _prepare(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        user = User(version=1, login="bench", name="Bench", active=True)
        session.add(Token(version=1, user=user, title="bench", secret_sha256=hash_secret(SECRET), scopes=["admin"]))
        await import_regency(session, tomllib.loads(REGENCY.read_text(encoding="utf-8")))


def _services(sessions: Sessions, directory: Path) -> Services:
    root = directory / "snapshots"

    async def publish_now() -> Published:
        policy = await read_policy(sessions)
        return Published(await asyncio.to_thread(publish, root, policy, None, time.time()))

    async def nothing(_code: str | None = None) -> None:
        return None

    library = Library(directory / "lists")
    return Services(
        sessions=sessions,
        publish=publish_now,
        library=library,
        snapshots_root=root,
        store=None,  # type: ignore[arg-type]  # nothing here reads the query log
        status=lambda: Status("0", "bench", 0.0, 1),
        metrics=bytes,
        sync_now=nothing,
        reload=nothing,
        explain=Explaining(root, library, lambda: network_of(Config())).explain,
        flush_cache=lambda _kind, _name: 0,
    )


def _bare_app() -> web.Application:
    body = b'{"items":[' + b",".join([b'{"id":1,"code":"dinas","name":"Dinas"}'] * 12) + b"]}"

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/", answer)
    return app


async def _listen(runner: web.AppRunner) -> str:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _edits(client: aiohttp.ClientSession, address: str) -> list[float]:
    async with client.get(address) as answer:
        tag = answer.headers["ETag"]
    took_ms = []
    for number in range(EDITS):
        started_s = time.perf_counter()
        async with client.patch(address, json={"name": f"Dinas {number}"}, headers={"If-Match": tag}) as answer:
            answer.raise_for_status()
            if answer.headers.get("Saring-In-Force") != "yes":
                raise RuntimeError(f"the edit was not published: {await answer.text()}")
            tag = answer.headers["ETag"]
        took_ms.append((time.perf_counter() - started_s) * 1000)
    return took_ms


async def _rate(client: aiohttp.ClientSession, address: str) -> float:
    async def reader(count: int) -> None:
        for _ in range(count):
            async with client.get(address) as answer:
                answer.raise_for_status()
                await answer.read()

    started_s = time.perf_counter()
    await asyncio.gather(*(reader(READS // AT_ONCE) for _ in range(AT_ONCE)))
    return READS // AT_ONCE * AT_ONCE / (time.perf_counter() - started_s)
