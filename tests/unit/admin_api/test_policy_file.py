"""The policy as one file: exported, imported elsewhere, exported again."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from admin_api import seed_document as seed
from admin_api.database import Sessions, open_database, reading, sessions_of
from admin_api.document_export import Exported, export_document
from admin_api.document_text import document_text
from admin_api.models import (
    AgencyRow,
    Blocklist,
    Category,
    DeviceRow,
    ForwarderRow,
    HolidayRow,
    MustResolveName,
    ProtectedName,
    RegencyRow,
    RuleRow,
    ScheduleOverrideRow,
    ScheduleRow,
    Service,
    UnitRow,
)
from admin_api.schemas import as_json
from admin_api.seed import import_regency
from admin_api.seed_document import Document, parse_document
from tests.support.admin import NOW_S, new_sqlite
from tests.support.admin import templates as templates
from tests.support.seed_example import EXAMPLE


async def _database(templates: dict[str, str], directory: Path, text: str) -> tuple[Sessions, Any]:
    engine = open_database(new_sqlite(templates, directory))
    sessions = sessions_of(engine)
    async with sessions.begin() as session:
        await import_regency(session, tomllib.loads(text), now_s=NOW_S)
    return sessions, engine


async def _exported(sessions: Sessions) -> Exported:
    async with reading(sessions) as session:
        return await export_document(session)


async def test_a_policy_exported_imported_and_exported_is_the_same_bytes(
    templates: dict[str, str], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sessions, engine = await _database(templates, tmp_path, EXAMPLE)
    first = document_text((await _exported(sessions)).document)
    await engine.dispose()
    sessions, engine = await _database(templates, tmp_path_factory.mktemp("two"), first)
    assert document_text((await _exported(sessions)).document) == first
    await engine.dispose()


async def test_the_export_holds_every_field_of_every_entry(templates: dict[str, str], tmp_path: Path) -> None:
    sessions, engine = await _database(templates, tmp_path, EXAMPLE)
    found = (await _exported(sessions)).document
    await engine.dispose()
    sections = {field.alias or name for name, field in Document.model_fields.items()}
    assert set(found) == sections
    wanted = parse_document(tomllib.loads(EXAMPLE)).model_dump(mode="json", by_alias=True)
    wanted["exception"] = []  # exceptions have a life of their own
    for section in sections - {"protected", "must_resolve", "regency"}:
        assert [set(entry) for entry in found[section]] == [set(entry) for entry in wanted[section]], section
    assert as_json(parse_document(found)) == as_json(parse_document(tomllib.loads(document_text(found))))
    assert found["regency"] == wanted["regency"]
    assert sorted(found["category"], key=str) == sorted(wanted["category"], key=str)
    assert found["rule"] == wanted["rule"]


# Columns that no document has: identifiers, stamps, secrets, what other rows are joined by or an entry calls otherwise.
BESIDE = {
    "id", "version", "created_s", "changed_s", "tsig_secret", "imported", "answer_kind", "answer_ttl_s",
    "answer_address4", "answer_address6", "answer_name", "agency_id", "unit_id", "category_id", "blocklist_id",
    "service_id", "schedule_id", "other_id", "target_kind", "target_text", "valid_from_s", "valid_until_s",
}  # fmt: skip
BESIDE |= {"exception", "approver"}  # a rule with these is an exception's, and has no entry
ENTRIES = {
    RegencyRow: seed.RegencyEntry,
    AgencyRow: seed.AgencyEntry,
    UnitRow: seed.UnitEntry,
    ForwarderRow: seed.ForwarderEntry,
    DeviceRow: seed.DeviceEntry,
    Category: seed.CategoryEntry,
    Service: seed.ServiceEntry,
    Blocklist: seed.ListEntry,
    ScheduleRow: seed.ScheduleEntry,
    ScheduleOverrideRow: seed.ScheduleOverrideEntry,
    HolidayRow: seed.HolidayEntry,
    RuleRow: seed.RuleEntry,
    ProtectedName: seed.NamedEntry,
    MustResolveName: seed.NamedEntry,
}


@pytest.mark.parametrize("row", ENTRIES, ids=lambda row: row.__name__)
def test_no_column_is_forgotten_by_the_document(row: type[Any]) -> None:
    columns = {name for name in list(row.__table__.columns.keys()) if not name.startswith("basis_")}
    assert columns - BESIDE <= set(ENTRIES[row].model_fields)


async def test_letters_are_comments_and_hostile_texts_stay_texts(templates: dict[str, str], tmp_path: Path) -> None:
    sessions, engine = await _database(templates, tmp_path, EXAMPLE)
    title = 'a "quoted" \\ title # no comment ]] ünïcode \u007f \U0001f600'
    async with sessions.begin() as session:
        row = (await session.scalars(select(RuleRow).where(RuleRow.exception.is_(False)))).one()
        row.title, row.code, row.basis_signer = title, None, "x\n[[rule]]"
    text = document_text((await _exported(sessions)).document)
    await engine.dispose()
    (rule,) = tomllib.loads(text)["rule"]
    assert (rule["title"], rule["code"]) == (title, f"rule-{row.id}")
    assert "\n# 800/123/DISKOMINFO/2026, 2026-01-05, x [[rule]]\n[[rule]]\n" in text
