"""Migrations of the control database, run by the program itself at start.

Job: bring a database of any earlier version to this one, in one transaction; say whether models and migrations agree.
Must not know: what the rows mean. A new one: ``python -m admin_api.migrations.new "what changes"``.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine


class DatabaseTooNewError(RuntimeError):
    """The database was migrated by a later version of Saring."""


def config_for(connection: Connection) -> Config:
    """Alembic's configuration for the packaged migrations on ``connection``."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def upgrade(engine: AsyncEngine) -> str:
    """Brings the database to the newest version and returns that version's identifier.

    Raises ``DatabaseTooNewError`` where the database is of a version that this program does not know.
    """
    async with engine.begin() as connection:
        return await connection.run_sync(_upgrade)


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the database is of the version that this program needs."""
    async with engine.connect() as connection:
        return await connection.run_sync(_is_current)


def _upgrade(connection: Connection) -> str:
    config = config_for(connection)
    scripts = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseTooNewError(
            f"the control database is of version {found}, which this Saring does not know; "
            "start the newer Saring again, or restore the backup made before it was installed"
        )
    command.upgrade(config, "head")
    return scripts.get_current_head() or ""


def _is_current(connection: Connection) -> bool:
    head = ScriptDirectory.from_config(config_for(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head
