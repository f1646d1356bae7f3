"""What the API says of a policy: with each rule that is saved, and of the whole; and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from admin_api.rest.auth import Scope
from policy.surroundings import OwnName
from saring.config import load
from saring.list_gate import load_admission
from tests.support.admin import Api, new_sqlite, running_api
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates

REGENCY = {"kind": "regency"}


def rule(target: str, action: str = "block", **more: Any) -> dict[str, Any]:
    kind, _, value = target.partition(":")
    return {"title": "R", "scope": REGENCY, "target": {"kind": kind, "value": value}, "action": action} | more


async def test_a_saved_rule_comes_back_with_what_there_is_to_say(sqlite_api: Api) -> None:
    first = await sqlite_api.made("/rules", rule("name:a.example"))
    assert first.json["findings"] == []
    wide = await sqlite_api.made("/rules", rule("wildcard:example", "allow"))
    [finding] = wide.json["findings"]
    assert (finding["severity"], finding["part"], finding["key"]) == ("warning", "rule", "1")
    assert finding["message"].startswith("it can never win: rule 2 (R) always wins, for in one layer an allow")
    assert finding["remedy"]
    assert "findings" not in (await sqlite_api.get("/rules/2")).json
    narrower = await sqlite_api.call(
        "PATCH", "/rules/2", {"target": {"kind": "name", "value": "b.example"}}, match=wide.etag
    )
    assert narrower.json["findings"] == []
    again = await sqlite_api.call("PATCH", "/rules/2", {"title": "R"}, match=narrower.etag)
    assert again.json["findings"] == []


async def test_the_whole_policy_is_reviewed_on_demand(sqlite_api: Api) -> None:
    await sqlite_api.made("/agencies", {"code": "baru", "name": "Baru"})
    await sqlite_api.made("/categories", {"code": "gim", "title": "Gim"})
    await sqlite_api.made("/rules", rule("name:a.example", scope={"kind": "agency", "id": 1}))
    await sqlite_api.made("/rules", rule("category:gim"))
    found = (await sqlite_api.get("/policy/findings")).json
    assert found["counts"] == {"error": 0, "harm": 0, "warning": 2, "note": 0}
    assert [one["field"] for one in found["items"]] == ["scope", "target (category)"]
    assert "agency baru has no network" in found["items"][0]["message"]
    assert found["revision"] == 4
    for query, count in (("part=rule&key=2", 1), ("severity=note", 0), ("part=list", 0), ("severity=warning", 2)):
        assert len((await sqlite_api.get(f"/policy/findings?{query}")).json["items"]) == count, query
    body = {"code": "judi", "title": "Judi", "location": "/tidak/ada", "categories": ["gim"], "enabled": True}
    await sqlite_api.made("/blocklists", body)
    unfetched = (await sqlite_api.get("/policy/findings?part=rule&key=2")).json["items"]
    assert "says nothing at present: judi was never fetched" in unfetched[0]["message"]
    contact = await sqlite_api.token(Scope.POLICY_READ, login="kontak", agency_id=1)
    assert (await sqlite_api.get("/policy/findings", token=contact)).status == 403


async def test_rules_against_what_must_work_are_refused(templates: dict[str, str], tmp_path: Path) -> None:
    own = (OwnName("saring.kab.example", "the admin API's name"),)
    async with running_api(new_sqlite(templates, tmp_path), tmp_path, own_names=own) as api:
        await api.made("/protected-names", {"name": "go.id"})
        await api.made("/must-resolve-names", {"name": "gaji.example"})
        for body, named in (
            (rule("wildcard:id", mandatory=True), "go.id (a protected name)"),
            (rule("name:gaji.example"), "gaji.example (a name that must resolve)"),
            (rule("wildcard:kab.example"), "saring.kab.example (the admin API's name)"),
            (rule("regex:saring$"), "saring (Saring's own zone"),
        ):
            refused = await api.post("/rules", body)
            [(field, message)] = refused.fields().items()
            assert refused.status == 422
            assert field.startswith("rule 1: target")
            assert named in message
            assert refused.json["errors"][0]["expected"]
        assert (await api.get("/rules")).json["items"] == []
        # What is there already forbids no other edit; only entering it anew is refused.
        await api.made("/rules", rule("name:bank.example"))
        await api.made("/must-resolve-names", {"name": "bank.example"})
        await api.made("/agencies", {"code": "a", "name": "A"})
        assert (await api.get("/policy/findings?severity=harm")).json["counts"]["harm"] == 1
        config = load(None, {"SARING_CONFIG": "/dev/null"}).config.lists
        gate = (await load_admission(api.sessions, config, api.program.now_s, [one.name for one in own])).gate
        assert set(gate.must_resolve) == {"gaji.example", "bank.example", "saring.kab.example"}
