"""The control database: migrations that agree with the models, and transactions that behave alike on both kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from admin_api.database import DatabaseUrlError, editing, open_database, reading, sessions_of
from admin_api.migrations import DatabaseTooNewError, config_for, is_current, upgrade
from admin_api.models import AgencyRow, Base, NetworkRow
from admin_api.to_policy import load_policy, read_policy
from tests.support.admin import database_url as database_url
from tests.support.admin import templates as templates
from tests.support.postgresql import postgresql as postgresql


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


async def test_models_and_migrations_agree(database_url: str) -> None:
    engine = open_database(database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await is_current(engine)
    await engine.dispose()


async def test_migrating_again_and_back_and_forth_changes_nothing(database_url: str) -> None:
    engine = open_database(database_url)
    assert await upgrade(engine) == await upgrade(engine)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config_for(sync), "base"))
    assert not await is_current(engine)
    await upgrade(engine)
    assert (await read_policy(sessions_of(engine))).revision == 0
    await engine.dispose()


async def test_a_database_of_a_later_version_is_left_alone(database_url: str) -> None:
    engine = open_database(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNewError, match="newer Saring"):
        await upgrade(engine)
    await engine.dispose()


async def test_a_reader_sees_one_state_while_others_edit(database_url: str) -> None:
    engine = open_database(database_url)
    sessions = sessions_of(engine)
    async with reading(sessions) as reader:
        assert (await load_policy(reader)).agencies == ()
        async with editing(sessions) as editor:
            editor.add(AgencyRow(version=1, code="a", name="A"))
        assert (await load_policy(reader)).agencies == ()
    assert len((await read_policy(sessions)).agencies) == 1
    await engine.dispose()


async def test_an_edit_that_fails_leaves_nothing(database_url: str) -> None:
    engine = open_database(database_url)
    sessions = sessions_of(engine)

    async def half_right() -> None:
        async with editing(sessions) as session:
            session.add(AgencyRow(version=1, code="a", name="A"))
            await session.flush()
            session.add(NetworkRow(version=1, cidr="10.0.0.0/8", agency_id=77))

    with pytest.raises(IntegrityError):
        await half_right()
    assert (await read_policy(sessions)).agencies == ()
    await engine.dispose()


async def test_sqlite_waits_and_keeps_its_promises(templates: dict[str, str], tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/saring.db")
    async with engine.connect() as connection:
        for pragma, value in (("journal_mode", "wal"), ("busy_timeout", 5000), ("foreign_keys", 1)):
            assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar() == value
    await engine.dispose()


def test_other_databases_are_refused() -> None:
    with pytest.raises(DatabaseUrlError, match="sqlite:///PATH or postgresql"):
        open_database("mysql://host/name")
