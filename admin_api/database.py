"""The control database: how it is opened, and how transactions behave on SQLite and on PostgreSQL alike.

A reading transaction sees one state of the database from its first statement on (``reading``). An editing transaction
begins by locking the revision row (``editing``), so that edits happen one after another: the whole policy can be
checked before it is committed, and SQLite never has to upgrade a reader to a writer (which fails instead of waiting).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, make_url, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from admin_api.models import Revision

Sessions = async_sessionmaker[AsyncSession]

BUSY_TIMEOUT_MS = 5000
POOL_TIMEOUT_S = 10
STATEMENT_TIMEOUT_MS = 20_000


class DatabaseUrlError(ValueError):
    """The control database's URL is of a kind that Saring does not know."""


def open_database(url: str) -> AsyncEngine:
    """The engine of ``sqlite:///path`` (or ``sqlite+aiosqlite``) or ``postgresql://...`` (or ``+asyncpg``).

    Raises ``DatabaseUrlError`` for any other kind.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), pool_timeout=POOL_TIMEOUT_S)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"),
            pool_pre_ping=True,  # a restarted server must not cost the first request
            pool_timeout=POOL_TIMEOUT_S,
            connect_args={
                "server_settings": {"statement_timeout": str(STATEMENT_TIMEOUT_MS)},
                "timeout": POOL_TIMEOUT_S,
            },
        )
    raise DatabaseUrlError(
        f"{parsed.get_backend_name()!r} is no kind of control database; write sqlite:///PATH or postgresql://HOST/NAME"
    )


def sessions_of(engine: AsyncEngine) -> Sessions:
    """The factory of sessions on ``engine``; rows stay readable after commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def reading(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A session whose statements all see one state of the database. It is rolled back at the end."""
    async with sessions() as session:
        if session.get_bind().dialect.name == "postgresql":
            # READ COMMITTED would show each statement another state: a rule of an agency not yet seen.
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


@asynccontextmanager
async def editing(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A session that holds the edit lock; commits at the end, rolls back where the body raises."""
    async with sessions.begin() as session:
        await session.execute(update(Revision).values(number=Revision.number))
        yield session


async def current_revision(session: AsyncSession) -> int:
    """The revision of what this session sees; 0 for a new database."""
    return await session.scalar(select(Revision.number)) or 0


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The sqlite3 module would begin transactions only before writes, and never before reads: we say BEGIN ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")
