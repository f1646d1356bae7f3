"""The admin API as a test runs it: a real server and client, a real database, a program that is pretended."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import make_url, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import Sessions, open_database, sessions_of
from admin_api.migrations import upgrade
from admin_api.models import Token, User
from admin_api.replay_order import ReplayError, ReplayOrder, ReplayReport
from admin_api.rest.auth import Scope, hash_secret
from admin_api.serve import run_api
from admin_api.services import Limits, Published, Services, Status, WorkerStatus
from blocklists.library import Library
from blocklists.progress import Progress
from saring.config_schema import Config
from saring.explain_network import network_of
from saring.explaining import Explaining
from tests.support.log_store import MemoryStore
from tests.support.postgresql import Cluster

NOW_S = 1_795_478_400.0  # 2026-11-24 00:00 UTC
ADMIN = "saring_" + "a" * 64


@dataclass
class Program:
    """What the API asks of the program, noted instead of done."""

    published: int = 0
    publish_error: Exception | None = None
    publish_warning: str = ""
    sync_error: Exception | None = None
    synced: list[str | None] = field(default_factory=list)
    reloads: int = 0
    flushed: list[tuple[str, str]] = field(default_factory=list)
    now_s: float = NOW_S
    status: Status = field(
        default_factory=lambda: Status(
            version="0.1.0",
            node="node-1",
            started_s=NOW_S,
            generation=1,
            workers=(WorkerStatus(0, 100, True, 1, 10, 0, 0.2), WorkerStatus(1, 101, True, 1, 11, 0, 0.3)),
        )
    )

    async def publish(self) -> Published:
        if self.publish_error is not None:
            raise self.publish_error
        self.published += 1
        return Published(self.published + 1, self.publish_warning)

    async def sync_now(self, code: str | None) -> None:
        if self.sync_error is not None:
            raise self.sync_error
        self.synced.append(code)

    async def reload(self) -> None:
        self.reloads += 1

    async def replay(self, order: ReplayOrder, progress: Progress) -> ReplayReport:
        raise ReplayError("a test that wants replays brings its own")

    def flush_cache(self, kind: str, name: str) -> int:
        self.flushed.append((kind, name))
        return len(self.flushed)


@dataclass(frozen=True)
class Response:
    """An answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def etag(self) -> str:
        return self.headers["ETag"]

    def fields(self) -> dict[str, str]:
        """The fields that a problem names, with their messages."""
        return {error["field"]: error["message"] for error in self.json["errors"]}


@dataclass
class Api:
    """A running API and the means to talk to it."""

    base: str
    client: aiohttp.ClientSession
    services: Services
    program: Program
    store: MemoryStore

    @property
    def sessions(self) -> Sessions:
        return self.services.sessions

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = ADMIN,
        match: str | None = None,
        **more: Any,
    ) -> Response:
        """A request; ``path`` below /api/v1 unless it begins with //."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if match is not None:
            headers["If-Match"] = match
        if body is not None:
            more["json"] = body
        url = self.base + (path[1:] if path.startswith("//") else f"/api/v1{path}")
        async with self.client.request(method, url, headers=headers, **more) as response:
            return Response(response.status, response.headers.copy(), await response.text())

    async def get(self, path: str, **more: Any) -> Response:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Response:
        return await self.call("POST", path, body, **more)

    async def made(self, path: str, body: Any) -> Response:
        """A resource that must be created."""
        response = await self.post(path, body)
        assert response.status == 201, response.text
        return response

    async def token(self, *scopes: Scope, login: str = "sari", agency_id: int | None = None) -> str:
        """The secret of a new token with these scopes, made behind the API's back."""
        async with self.sessions.begin() as session:
            return await add_token(session, login, scopes, agency_id)


async def add_token(
    session: AsyncSession, login: str, scopes: tuple[Scope, ...], agency_id: int | None = None, secret: str = ""
) -> str:
    user = await session.scalar(select(User).where(User.login == login))
    user = user or User(version=1, login=login, name=login.title(), active=True)
    secret = secret or "saring_" + hash_secret(f"{login} {scopes} {agency_id}")
    session.add(
        Token(
            version=1,
            user=user,
            title="test",
            secret_sha256=hash_secret(secret),
            scopes=[scope.value for scope in scopes],
            agency_id=agency_id,
        )
    )
    return secret


@asynccontextmanager
async def running_api(url: str, directory: Path, **options: Any) -> AsyncIterator[Api]:
    """The API on a port of its own, with an empty database and one administrator."""
    engine = open_database(url)
    await upgrade(engine)
    sessions = sessions_of(engine)
    async with sessions.begin() as session:
        await add_token(session, "admin", (Scope.ADMIN,), secret=ADMIN)
    program, store = Program(), MemoryStore()
    chance = random.Random(20261124)
    limits = options.pop("limits", Limits())
    library, root = Library(directory / "lists"), directory / "snapshots"
    explaining = Explaining(root, library, lambda: network_of(Config()), lambda: program.now_s)
    services = Services(
        sessions=sessions,
        publish=program.publish,
        library=library,
        snapshots_root=root,
        store=store,
        status=lambda: program.status,
        metrics=lambda: b"# HELP saring_up Up.\n# TYPE saring_up gauge\nsaring_up 1\n",
        sync_now=program.sync_now,
        reload=program.reload,
        explain=explaining.explain,
        flush_cache=program.flush_cache,
        clock=lambda: program.now_s,
        random_bytes=chance.randbytes,
        limits=limits,
        version="0.1.0",
        **{"replay": program.replay} | options,
    )
    stop = asyncio.Event()
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            serving = asyncio.create_task(run_api(services, "", 0, stop, sock=listener))
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as client:
                # A server that could not start must fail the test now, not when its requests time out.
                alive = asyncio.create_task(client.get(f"{base}/healthz"))
                await asyncio.wait((alive, serving), return_when=asyncio.FIRST_COMPLETED)
                if serving.done():
                    alive.cancel()
                    serving.result()
                (await alive).release()
                try:
                    yield Api(base, client, services, program, store)
                finally:
                    stop.set()
                    await serving
    finally:
        await explaining.close()
        await engine.dispose()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Migrated databases by kind, made once and copied for each test."""
    return {"sqlite": _migrated(f"sqlite:///{tmp_path_factory.mktemp('template')}/saring.db")}


def _migrated(url: str) -> str:
    async def migrate() -> None:
        engine = open_database(url)
        await upgrade(engine)
        await engine.dispose()

    asyncio.run(migrate())
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, templates: dict[str, str], tmp_path: Path) -> str:
    """The URL of a new control database, of each kind in turn."""
    if request.param == "sqlite":
        return new_sqlite(templates, tmp_path)
    cluster: Cluster = request.getfixturevalue("postgresql")
    if "postgresql" not in templates:
        templates["postgresql"] = _migrated(cluster.new_database())
    return cluster.new_database(template=make_url(templates["postgresql"]).database or "")


def new_sqlite(templates: dict[str, str], directory: Path) -> str:
    """The URL of a new SQLite control database in that directory."""
    shutil.copy(templates["sqlite"].removeprefix("sqlite:///"), directory / "saring.db")
    return f"sqlite:///{directory}/saring.db"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API on each kind of database."""
    async with running_api(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def sqlite_api(templates: dict[str, str], tmp_path: Path) -> AsyncIterator[Api]:
    """The API on SQLite, for what no database has a say in."""
    async with running_api(new_sqlite(templates, tmp_path), tmp_path) as running:
        yield running
