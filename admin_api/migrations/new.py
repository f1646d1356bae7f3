"""Writes the next migration from the difference between the models and the migrations so far (for developers)."""

from __future__ import annotations

import asyncio
import sys
import tempfile

from alembic import command
from sqlalchemy import Connection

from admin_api.database import open_database
from admin_api.migrations import config_for, upgrade


async def write(message: str, identifier: str) -> None:
    """Writes ``versions/<identifier>_<message>.py``; read and correct it before it is committed."""
    with tempfile.TemporaryDirectory() as directory:
        await _write(message, identifier, f"sqlite:///{directory}/saring.db")


async def _write(message: str, identifier: str, url: str) -> None:
    engine = open_database(url)
    await upgrade(engine)

    def revise(connection: Connection) -> None:
        command.revision(config_for(connection), message=message, autogenerate=True, rev_id=identifier)

    async with engine.begin() as connection:
        await connection.run_sync(revise)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2]))
