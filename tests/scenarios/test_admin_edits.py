"""An edit from request to publication, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from admin_api.database import current_revision, reading
from admin_api.to_policy import read_policy
from tests.support.admin import Api
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.postgresql import postgresql as postgresql

AGENCY = {"code": "dinkes", "name": "Dinas Kesehatan"}
CATEGORY = {"code": "perjudian", "title": "Perjudian", "negative": True}
RULE = {
    "title": "Tanpa judi",
    "scope": {"kind": "regency"},
    "target": {"kind": "category", "value": "perjudian"},
    "action": "block",
}


async def revision_of(api: Api) -> int:
    async with reading(api.sessions) as session:
        return await current_revision(session)


async def test_an_edit_is_stored_audited_counted_and_published(api: Api) -> None:
    made = await api.made("/agencies", AGENCY)
    assert made.headers["Saring-Generation"] == "2"
    assert made.headers["Saring-In-Force"] == "yes"
    assert made.headers["Location"] == f"/api/v1/agencies/{made.json['id']}"
    assert api.program.published == 1
    assert await revision_of(api) == 1

    changed = await api.call("PATCH", made.headers["Location"][7:], {"name": "Dinkes"}, match=made.etag)
    assert changed.status == 200
    assert changed.json == made.json | {"name": "Dinkes"}
    policy = await read_policy(api.sessions)
    assert (policy.revision, policy.agencies[0].name) == (2, "Dinkes")

    rows = (await api.get("/audit")).json["items"]
    assert [(row["login"], row["action"], row["kind"], row["label"], row["revision"]) for row in rows] == [
        ("admin", "update", "agency", "dinkes", 2),
        ("admin", "create", "agency", "dinkes", 1),
    ]
    assert rows[0]["before"] == {"name": "Dinas Kesehatan"}
    assert rows[0]["after"] == {"name": "Dinkes"}
    assert rows[0]["remote"] == "127.0.0.1"
    assert rows[0]["request_id"] == changed.headers["X-Request-ID"]
    assert rows[1]["before"] is None


async def test_an_edit_that_changes_nothing_is_no_edit(sqlite_api: Api) -> None:
    made = await sqlite_api.made("/agencies", AGENCY)
    again = await sqlite_api.call("PUT", f"/agencies/{made.json['id']}", AGENCY, match=made.etag)
    assert again.status == 200
    assert again.etag == made.etag
    assert "Saring-Generation" not in again.headers
    assert sqlite_api.program.published == 1
    assert await revision_of(sqlite_api) == 1


async def test_nobody_overwrites_what_they_have_not_seen(api: Api) -> None:
    made = await api.made("/agencies", AGENCY)
    path = f"/agencies/{made.json['id']}"
    assert (await api.call("PATCH", path, {"name": "A"})).status == 428
    first = await api.call("PATCH", path, {"name": "A"}, match=made.etag)
    assert first.etag != made.etag
    stale = await api.call("PATCH", path, {"name": "B"}, match=made.etag)
    assert stale.status == 412
    assert stale.etag == first.etag
    assert (await api.call("PATCH", path, {"name": "B"}, match=f"W/{first.etag}")).status == 412
    assert (await api.call("DELETE", path, match=made.etag)).status == 412
    assert (await api.call("DELETE", path)).status == 428
    assert (await api.get(path)).json["name"] == "A"
    assert (await api.call("DELETE", path, match=f'"other", {first.etag}')).status == 204
    assert (await api.get(path)).status == 404


async def test_of_two_edits_at_once_one_wins_and_the_other_is_told(api: Api) -> None:
    made = await api.made("/agencies", AGENCY)
    path = f"/agencies/{made.json['id']}"
    edits = [api.call("PATCH", path, {"name": f"name {number}"}, match=made.etag) for number in range(8)]
    statuses = sorted([response.status for response in await asyncio.gather(*edits)])
    assert statuses == [200] + [412] * 7
    assert await revision_of(api) == 2


async def test_many_creations_at_once_lose_none(api: Api) -> None:
    bodies = [{"code": f"agency-{number}", "name": f"Agency {number}"} for number in range(12)]
    responses = await asyncio.gather(*(api.post("/agencies", body) for body in bodies))
    assert {response.status for response in responses} == {201}
    assert await revision_of(api) == 12
    assert len((await read_policy(api.sessions)).agencies) == 12


async def test_identifiers_are_never_used_again(api: Api) -> None:
    made = await api.made("/agencies", AGENCY)
    await api.call("DELETE", f"/agencies/{made.json['id']}", match=made.etag)
    assert (await api.made("/agencies", AGENCY)).json["id"] > made.json["id"]


async def test_what_is_unique_stays_so(api: Api) -> None:
    await api.made("/agencies", AGENCY)
    again = await api.post("/agencies", AGENCY)
    assert again.status == 409
    assert again.fields() == {"code": "is taken"}
    await api.made("/networks", {"cidr": "10.20.4.0/22", "agency_id": 1})
    same = await api.post("/networks", {"cidr": "10.20.4.0/255.255.252.0", "agency_id": 1})
    assert same.status == 409
    assert same.fields() == {"cidr": "is taken"}


async def test_what_is_referred_to_is_not_deleted_and_the_refusal_says_by_what(api: Api) -> None:
    made = await api.made("/agencies", AGENCY)
    unit = await api.made("/units", {"agency_id": 1, "code": "igd", "name": "IGD"})
    await api.made("/networks", {"cidr": "10.20.4.0/24", "agency_id": 1, "unit_id": unit.json["id"]})
    refused = await api.call("DELETE", "/agencies/1", match=made.etag)
    assert refused.status == 409
    assert "unit 1" in refused.json["detail"]
    assert "network 1" in refused.json["detail"]


async def test_a_category_that_rules_speak_of_is_not_deleted(sqlite_api: Api) -> None:
    made = await sqlite_api.made("/categories", CATEGORY)
    await sqlite_api.made("/rules", RULE)
    refused = await sqlite_api.call("DELETE", "/categories/1", match=made.etag)
    assert refused.status == 409
    assert "rule 1" in refused.json["detail"]


async def test_every_mistake_of_a_body_is_told_at_once(sqlite_api: Api) -> None:
    body = {"code": "Dinas Kesehatan", "allow_list_only": "yes", "nam": "x"}
    refused = await sqlite_api.post("/agencies", body)
    assert refused.status == 422
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    assert set(refused.fields()) == {"code", "name", "allow_list_only", "nam"}
    by_field = {error["field"]: error for error in refused.json["errors"]}
    assert by_field["code"]["value"] == "Dinas Kesehatan"
    assert by_field["allow_list_only"]["expected"] == "true or false"
    assert by_field["nam"]["expected"] == "no such field"
    assert sqlite_api.program.published == 0


async def test_references_that_lead_nowhere_name_their_field(sqlite_api: Api) -> None:
    assert (await sqlite_api.post("/units", {"agency_id": 9, "code": "a", "name": "A"})).fields() == {
        "agency_id": "there is no such resource"
    }
    refused = await sqlite_api.post("/rules", RULE)
    assert refused.status == 422
    assert refused.fields() == {"target.value": "there is no such resource"}


async def test_a_policy_that_would_not_be_sound_is_refused_before_it_is_stored(sqlite_api: Api) -> None:
    await sqlite_api.made("/categories", CATEGORY)
    regex = RULE | {"target": {"kind": "regex", "value": "(a{1000}){1000}"}}
    refused = await sqlite_api.post("/rules", regex)
    assert refused.status == 422
    assert next(iter(refused.fields())).startswith(("target", "rule"))
    assert (await sqlite_api.get("/rules")).json["items"] == []
    assert await revision_of(sqlite_api) == 1


async def test_a_rule_that_can_never_win_is_stored_with_a_warning(sqlite_api: Api) -> None:
    await sqlite_api.made("/protected-names", {"name": "go.id"})
    made = await sqlite_api.made("/rules", RULE | {"target": {"kind": "wildcard", "value": "*.MUBAKAB.go.id."}})
    assert made.json["target"]["value"] == "mubakab.go.id"
    assert "can never win" in made.headers["Saring-Warning"]


async def test_an_edit_stands_when_publishing_fails_and_says_so(sqlite_api: Api) -> None:
    sqlite_api.program.publish_error = OSError("no space left")
    made = await sqlite_api.made("/agencies", AGENCY)
    assert made.headers["Saring-In-Force"] == "no"
    assert "not in force" in made.headers["Saring-Warning"]
    assert "Saring-Generation" not in made.headers
    assert (await sqlite_api.get("/agencies/1")).status == 200


async def test_the_whole_of_a_policy_survives_the_way_through_the_api(api: Api) -> None:
    await api.made("/agencies", AGENCY)
    await api.made("/units", {"agency_id": 1, "code": "igd", "name": "IGD", "allow_list_only": True})
    page = {"kind": "page", "address4": "10.20.0.9", "ttl_s": 30}
    await api.made("/categories", CATEGORY | {"answer": page})
    await api.made(
        "/services",
        {"code": "slot", "title": "Slot", "category": "perjudian", "names": ["SLOT.example.", "bücher.example"]},
    )
    windows = [
        {"days": ["fri", "mon"], "start": "07:30", "end": "12:00"},
        {"days": ["sun"], "start": "00:00", "end": "24:00"},
    ]
    schedule = {"code": "jam-kerja", "title": "Jam kerja", "windows": windows, "skip_holidays": True}
    made = await api.made("/schedules", schedule)
    assert made.json["windows"][0]["days"] == ["mon", "fri"]
    await api.made("/holidays", {"date": "2026-12-25", "title": "Natal"})
    rule = {
        "code": "r-1",
        "title": "Slot",
        "scope": {"kind": "unit", "id": 1},
        "target": {"kind": "service", "value": "slot"},
        "action": "redirect",
        "answer": {"kind": "redirect", "name": "info.example"},
        "schedule": "jam-kerja",
        "valid_from": "2026-01-01T00:00:00+07:00",
        "valid_until": "2027-01-01T00:00:00Z",
        "basis": {"number": "800/1", "date": "2026-01-05", "signer": "Bupati", "note": "n"},
    }
    stored = await api.made("/rules", rule)
    assert stored.json["valid_from"] == "2025-12-31T17:00:00Z"
    policy = await read_policy(api.sessions)
    assert policy.services[0].names == ("slot.example", "xn--bcher-kva.example")
    assert policy.schedules[0].windows[0].days == (0, 4)
    assert policy.schedules[0].windows[1].end_min == 1440
    kept = policy.rules[0]
    assert (kept.scope.id, kept.target.value, kept.schedule_id, kept.valid_until_s) == (1, "slot", 1, 1798761600)
    assert kept.answer is not None
    assert kept.answer.name == "info.example"
    assert policy.categories[0].answer is not None
    assert policy.categories[0].answer.address4 == "10.20.0.9"

    fewer = await api.call("PATCH", "/schedules/1", {"windows": windows[1:]}, match=made.etag)
    assert fewer.json["windows"] == windows[1:]
    service = await api.get("/services/1")
    less = await api.call("PATCH", "/services/1", {"names": ["other.example"]}, match=service.etag)
    assert less.json["names"] == ["other.example"]
    assert (await read_policy(api.sessions)).services[0].names == ("other.example",)


@pytest.mark.parametrize("path", ["/protected-names", "/must-resolve-names"])
async def test_every_etag_can_be_sent_back(sqlite_api: Api, path: str) -> None:
    made = await sqlite_api.made(path, {"name": "gaji.example"})
    assert (await sqlite_api.call("DELETE", f"{path}/1", match=made.etag)).status == 204


async def test_settings_of_the_regency_are_edited_like_the_rest(sqlite_api: Api) -> None:
    got = await sqlite_api.get("/regency")
    changed = await sqlite_api.call("PATCH", "/regency", {"name": "Musi Banyuasin", "language": "en"}, match=got.etag)
    assert changed.status == 200
    assert (await read_policy(sqlite_api.sessions)).regency.name == "Musi Banyuasin"
    assert (await sqlite_api.call("PATCH", "/regency", {"name": "X"}, match=got.etag)).status == 412
    refused = await sqlite_api.call("PUT", "/regency", {"name": "X", "answer": None}, match=changed.etag)
    assert set(refused.fields()) == {"answer"}


@pytest.mark.parametrize("code", ["perjudian", "other"])
async def test_codes_are_for_good(sqlite_api: Api, code: str) -> None:
    made = await sqlite_api.made("/categories", CATEGORY)
    changed = await sqlite_api.call("PATCH", "/categories/1", {"code": code}, match=made.etag)
    assert changed.status == (200 if code == "perjudian" else 422)


async def test_collections_come_in_pages(sqlite_api: Api) -> None:
    for number in range(5):
        await sqlite_api.made("/holidays", {"date": f"2026-12-{number + 10}", "title": str(number)})
    first = await sqlite_api.get("/holidays?limit=2&year=2026")
    assert [item["title"] for item in first.json["items"]] == ["0", "1"]
    link = first.headers["Link"]
    assert link.endswith('; rel="next"')
    second = await sqlite_api.call("GET", "//" + link[2 : link.index(">")])
    assert [item["title"] for item in second.json["items"]] == ["2", "3"]
    third = await sqlite_api.get(f"/holidays?limit=2&cursor={second.json['next_cursor']}")
    assert [item["title"] for item in third.json["items"]] == ["4"]
    assert third.json["next_cursor"] is None
    assert "Link" not in third.headers
    assert (await sqlite_api.get("/holidays?year=2025")).json["items"] == []
    for query in (
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=1_0",
        "cursor=%21",
        "cursor=aWQ6eA",
        "page=2",
        "limit=1&limit=2",
    ):
        assert (await sqlite_api.get(f"/holidays?{query}")).status == 422, query
