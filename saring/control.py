"""The control database as the program uses it: opened from the configuration, asked a few plain questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from admin_api.database import Sessions, current_revision, open_database, reading, sessions_of
from admin_api.to_policy import SourceRow, load_sources
from blocklists.library import Library
from saring.config_schema import Config
from saring.state_dir import StateDir


def database_url(config: Config, state: StateDir) -> str:
    """The configured URL, or SQLite in the state directory."""
    return config.database.url or f"sqlite:///{state.database}"


class Control:
    """An open control database and the library of lists beside it."""

    def __init__(self, engine: AsyncEngine, library: Library) -> None:
        self.engine = engine
        self.sessions: Sessions = sessions_of(engine)
        self.library = library

    async def revision(self) -> int:
        """How often anything that policy is made of was edited."""
        async with reading(self.sessions) as session:
            return await current_revision(session)

    async def sources(self) -> list[SourceRow]:
        """All lists, the disabled ones included."""
        async with reading(self.sessions) as session:
            return await load_sources(session)

    async def never_fetched(self) -> list[str]:
        """Codes of enabled lists of which there is no version to serve."""
        return [row.code for row in await self.sources() if row.enabled and not self.library.state(row.code).version]


@asynccontextmanager
async def open_control(config: Config, state: StateDir) -> AsyncIterator[Control]:
    """The control database of this configuration; closed at the end. Opening fails only at the first question."""
    engine = open_database(database_url(config, state))
    try:
        yield Control(engine, Library(state.lists, keep=config.lists.keep_versions))
    finally:
        await engine.dispose()
