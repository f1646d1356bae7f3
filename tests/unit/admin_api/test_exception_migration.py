"""Before exceptions had a table of their own they were rules with a mark: what becomes of those."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Connection, MetaData, Table, insert, select

from admin_api.database import open_database, reading, sessions_of
from admin_api.migrations import config_for, upgrade
from admin_api.models import ExceptionRow
from admin_api.to_policy import read_policy

STAMP = {"version": 1, "created_s": 1_700_000_000, "changed_s": 1_700_000_500}
RULE = STAMP | {
    "title": "T",
    "target_kind": "name",
    "target_text": "a.example",
    "action": "allow",
    "mandatory": False,
    "exception": True,
    "important": False,
    "author": "sari",
    "approver": "budi",
    "answer_ttl_s": 60,
    "answer_address4": "",
    "answer_address6": "",
    "answer_name": "",
    "basis_number": "800/1",
    "basis_date": "2026-01-05",
    "basis_signer": "Kepala Dinas",
    "basis_note": "",
}


def fill(connection: Connection) -> None:
    def add(table: str, **values: Any) -> None:
        connection.execute(insert(Table(table, MetaData(), autoload_with=connection)).values(**values))

    add("agency", **STAMP, code="rsud", name="RSUD", allow_list_only=False)
    add("unit", **STAMP, agency_id=1, code="igd", name="IGD", allow_list_only=False)
    add("rule", **RULE | {"code": "satu", "unit_id": 1, "valid_until_s": 1_800_000_000})
    add("rule", **RULE | {"agency_id": 1})
    add("rule", **RULE | {"approver": ""})
    add("rule", **RULE | {"action": "block"})
    add("rule", **RULE | {"exception": False, "approver": ""})


async def test_exceptions_that_were_rules_go_on_and_each_has_an_end(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/saring.db")
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config_for(sync), "0005"))
        await connection.run_sync(fill)
    await upgrade(engine)
    sessions = sessions_of(engine)
    policy = await read_policy(sessions)
    kept = [(rule.id, rule.exception, rule.approver, bool(rule.valid_until_s)) for rule in policy.rules]
    assert kept == [(1, True, "budi", True), (2, True, "budi", True), (4, False, "", False), (5, False, "", False)]
    async with reading(sessions) as session:
        rows = list(await session.scalars(select(ExceptionRow).order_by(ExceptionRow.id)))
    assert [(row.state, row.code, row.scope_kind, row.agency_id, row.unit_id, row.rule_id) for row in rows] == [
        ("approved", "satu", "unit", 1, 1, 1),
        ("approved", None, "agency", 1, None, 2),
        ("requested", None, "regency", None, None, None),
    ]
    assert [row.valid_until_s for row in rows] == [rule.valid_until_s for rule in policy.rules[:2]] + [None]
    assert (rows[0].target_value, rows[0].requested_by, rows[0].decided_by) == ("a.example", "sari", "budi")
    await engine.dispose()
