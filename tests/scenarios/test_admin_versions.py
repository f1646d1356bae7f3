"""The policy's versions: compared, restored, written as a file and read again; and who may."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from admin_api.database import reading
from admin_api.document_export import export_document
from admin_api.models import AgencyRow, Audit, Blocklist, RuleRow
from admin_api.rest.auth import Scope
from admin_api.seed import import_regency
from admin_api.to_policy import read_policy
from policy.difference import difference
from policy.model import Policy
from tests.support.admin import NOW_S, Api, add_token, new_sqlite, running_api
from tests.support.admin import templates as templates
from tests.support.generations import publish_database
from tests.support.seed_example import EXAMPLE

TOML = {"Content-Type": "application/toml"}


@pytest.fixture
async def api(templates: dict[str, str], tmp_path: Path) -> AsyncIterator[Api]:
    """The API on SQLite with the documented example, published as generation 1."""
    async with running_api(new_sqlite(templates, tmp_path), tmp_path) as running:
        async with running.sessions.begin() as session:
            await import_regency(session, tomllib.loads(EXAMPLE), now_s=NOW_S)
        assert await publish_database(running.sessions, running.services.snapshots_root) == 1
        yield running


async def rule_of(api: Api, code: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = (await api.get("/rules")).json["items"]
    return next(item for item in items if item["code"] == code)


async def changed(api: Api, path: str, **fields: Any) -> None:
    tag = (await api.get(path)).etag
    response = await api.call("PATCH", path, fields, match=tag)
    assert response.status == 200, response.text


async def deleted(api: Api, path: str) -> None:
    response = await api.call("DELETE", path, match=(await api.get(path)).etag)
    assert response.status == 204, response.text


async def edited(api: Api) -> int:
    """Some edits of every sort, published; the number of the new generation."""
    rule = await rule_of(api, "medsos-jam-kerja")
    await deleted(api, f"/rules/{rule['id']}")
    await api.made("/rules", {
        "title": "Uji", "scope": {"kind": "regency"}, "action": "block",
        "target": {"kind": "name", "value": "uji.example"},
    })  # fmt: skip
    await api.made("/agencies", {"code": "disdik", "name": "Dinas Pendidikan"})
    await api.made("/networks", {"cidr": "10.30.0.0/24", "agency_id": 2})
    await changed(api, "/blocklists/1", enabled=False, location="https://lists.example.go.id/other.txt")
    await changed(api, "/schedules/1", skip_holidays=False)
    return await publish_database(api.sessions, api.services.snapshots_root)


async def policy_of(api: Api) -> Policy:
    return await read_policy(api.sessions)


async def exported(api: Api) -> dict[str, Any]:
    async with reading(api.sessions) as session:
        return (await export_document(session)).document


async def test_a_generation_says_what_it_changed_and_who(api: Api) -> None:
    assert await edited(api) == 2
    found = (await api.get("/generations/2/difference?language=en")).json
    assert [change["text"] for change in found["changes"]] == [
        "Agency disdik added: name Dinas Pendidikan",
        "Network 10.30.0.0/24 added: agency disdik",
        "List trustpositif removed: title TrustPositif Komdigi; categories perjudian; national yes",
        "Schedule jam-kerja: closed on holidays yes -> no",
        "Rule 'Tanpa media sosial pada jam kerja' (regency) removed: target category media_sosial; action block; "
        "schedule jam-kerja; letter 800/123/DISKOMINFO/2026, 2026-01-05, Bupati Musi Banyuasin; written by seed",
        "Rule 'Uji' (regency) added: target name uji.example; action block; written by admin",
    ]
    assert found["since"] == 1
    assert {(edit["login"], edit["action"], edit["kind"]) for edit in found["edits"]} >= {
        ("admin", "delete", "rule"),
        ("admin", "create", "agency"),
    }
    back = (await api.get("/generations/1/difference?since=2&language=en")).json
    assert "Schedule jam-kerja: closed on holidays no -> yes" in [change["text"] for change in back["changes"]]
    assert back["edits"] == []
    assert len((await api.get("/generations/1/difference")).json["changes"]) > 10, "the first one made everything"
    assert (await api.get("/generations/3/difference")).status == 404
    assert (await api.get("/generations/2/difference?since=9")).status == 404


async def test_a_restore_shows_first_and_then_sets_the_database_back(api: Api) -> None:
    before, document = await policy_of(api), await exported(api)
    await edited(api)
    rehearsed = (await api.post("/generations/1/restore")).json
    assert not rehearsed["applied"]
    assert (await policy_of(api)).revision == rehearsed["revision"]
    texts = [change["text"] for change in rehearsed["changes"]]
    assert "Perangkat daerah disdik dihapus: nama Dinas Pendidikan" in texts
    assert (
        "blocklist trustpositif: location https://lists.example.go.id/other.txt -> "
        "https://lists.example.go.id/domains.txt; enabled no -> yes"
    ) in texts

    assert (await api.post("/generations/1/restore?dry_run=false&revision=1")).status == 409, "the database has moved"
    published = api.program.published
    done = await api.post(f"/generations/1/restore?dry_run=false&revision={rehearsed['revision']}")
    assert (done.json["applied"], done.json["changes"]) == (True, rehearsed["changes"])
    assert (api.program.published, done.headers["Saring-In-Force"]) == (published + 1, "yes")
    assert difference(before, await policy_of(api)) == (), "rules have their old numbers, too"
    assert await exported(api) == document

    async with api.sessions() as session:
        acts = (await session.scalars(select(Audit).where(Audit.revision == done.json["revision"]))).all()
    assert (acts[0].action, acts[0].kind) == ("restore", "generation")
    assert {(act.action, act.kind) for act in acts} >= {("create", "rule"), ("delete", "agency")}
    again = (await api.post("/generations/1/restore")).json
    assert again["changes"] == []


async def test_what_cannot_be_restored_is_said_before(api: Api) -> None:
    """An agency's code that another one has by now, an agency with a token, a secret."""
    await changed(api, "/blocklists/1", location="rpz://10.0.0.5/rpz.example", format="rpz", tsig_name="key",
                  tsig_secret="c2VjcmV0c2VjcmV0")  # fmt: skip
    agency = {"code": "bappeda", "name": "Badan"}
    await api.made("/agencies", agency)
    await api.made("/networks", {"cidr": "10.40.0.0/24", "agency_id": 2})
    await publish_database(api.sessions, api.services.snapshots_root)
    await deleted(api, "/networks/4")
    await deleted(api, "/agencies/2")
    await api.made("/agencies", agency | {"name": "Badan yang lain"})
    await api.made("/agencies", {"code": "disdik", "name": "Dinas Pendidikan"})
    async with api.sessions.begin() as session:
        await add_token(session, "kontak", (Scope.POLICY_READ,), agency_id=4)
        await session.delete((await session.scalars(select(Blocklist))).one())
    found = (await api.post("/generations/2/restore?dry_run=false")).json
    assert found["notes"][:2] == [
        "agency bappeda: its code belongs to another agency by now; what concerns it stays as it is now",
        "list trustpositif: the secret of its TSIG key key is kept nowhere; it comes back without the key and "
        "switched off",
    ]
    assert found["notes"][2].startswith("agency disdik stays: token ")
    async with api.sessions() as session:
        names = {row.id: row.name for row in await session.scalars(select(AgencyRow))}
    assert names == {1: "Dinas Kesehatan", 3: "Badan yang lain", 4: "Dinas Pendidikan"}


async def test_a_generation_without_its_document_is_not_restored(api: Api) -> None:
    from snapshots.publish import publish

    publish(api.services.snapshots_root, await policy_of(api), None, NOW_S)
    response = await api.post("/generations/2/restore")
    assert (response.status, "rollback" in response.json["detail"]) == (409, True)


async def test_the_policy_as_a_file_and_back(api: Api) -> None:
    text = (await api.get("/export/policy")).text
    assert text == (await api.get("/generations/1/document")).text
    same = await api.post("/import/policy", data=text, headers=TOML)
    assert (same.status, same.json["changes"]) == (200, [])

    edited_text = text.replace('title = "Tanpa media sosial pada jam kerja"', 'title = "Tanpa medsos"')
    edited_text = edited_text.replace('protected = ["go.id", "mubakab.go.id"]\n', 'protected = ["go.id"]\n')
    assert edited_text.count("\n") == text.count("\n")
    shown = (await api.post("/import/policy", data=edited_text, headers=TOML)).json
    assert [change["text"] for change in shown["changes"]] == [
        "Nama terlindungi mubakab.go.id dihapus",
        "Aturan 'Tanpa medsos' (kabupaten): judul Tanpa media sosial pada jam kerja -> Tanpa medsos; "
        "ditulis oleh seed -> admin",
    ]
    done = await api.post("/import/policy?dry_run=false", data=edited_text, headers=TOML)
    assert done.json["applied"]
    rule = await rule_of(api, "medsos-jam-kerja")
    assert (rule["title"], rule["author"], rule["approver"]) == ("Tanpa medsos", "admin", "")
    assert [name["name"] for name in (await api.get("/protected-names")).json["items"]] == ["go.id"]


async def test_a_file_with_mistakes_changes_nothing_and_names_them(api: Api) -> None:
    text = (await api.get("/export/policy")).text
    wrong = text.replace('schedule = "jam-kerja"\nbasis', 'schedule = "tidak-ada"\nbasis')
    response = await api.post("/import/policy?dry_run=false", data=wrong, headers=TOML)
    assert (response.status, list(response.fields())) == (422, ["rule medsos-jam-kerja: schedule"])
    deep = b"a=" + b"[" * 5000 + b"]" * 5000
    for body in (b"\xff", b"x = ", b"regency = 1", b"[regency]\nname='x'\nunknown=1", deep):
        assert (await api.post("/import/policy", data=body, headers=TOML)).status == 422
    assert (await api.post("/import/policy", {})).status == 415
    assert (await policy_of(api)).revision == 1


async def test_only_administrators_restore_import_and_export(api: Api) -> None:
    writer = await api.token(Scope.POLICY_READ, Scope.POLICY_WRITE, Scope.STATUS_READ)
    for method, path in (
        ("POST", "/generations/1/restore"),
        ("GET", "/generations/1/document"),
        ("GET", "/export/policy"),
        ("POST", "/import/policy"),
    ):
        assert (await api.call(method, path, token=writer, headers=TOML)).status == 403, path
    assert (await api.get("/generations/1/difference", token=writer)).status == 200
    contact = await api.token(Scope.POLICY_READ, login="kontak", agency_id=1)
    assert (await api.get("/generations/1/difference", token=contact)).status == 403


async def test_a_rule_without_a_code_stays_the_same_rule(api: Api) -> None:
    async with api.sessions.begin() as session:
        row = (await session.scalars(select(RuleRow).where(RuleRow.exception.is_(False)))).one()
        row.code = None
    text = (await api.get("/export/policy")).text
    assert f'code = "rule-{row.id}"' in text
    assert (await api.post("/import/policy?dry_run=false", data=text, headers=TOML)).json["changes"] == []
    changed_text = text.replace('action = "block"', 'action = "observe"')
    (change,) = (await api.post("/import/policy?dry_run=false", data=changed_text, headers=TOML)).json["changes"]
    assert (change["change"], change["key"]) == ("changed", str(row.id))
