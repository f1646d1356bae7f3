"""Choosing from the catalogue through the API."""

from __future__ import annotations

from admin_api.rest.auth import Scope
from admin_api.to_policy import read_policy
from tests.support.admin import Api
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.postgresql import postgresql as postgresql


async def test_a_service_is_adopted_with_its_category_and_published(api: Api) -> None:
    made = await api.post("/catalogue/services/tiktok/adoption")
    assert made.status == 201, made.text
    assert (made.json["code"], made.json["category"]) == ("tiktok", "media_sosial")
    assert made.headers["Location"] == f"/api/v1/services/{made.json['id']}"
    assert (await api.get(f"/services/{made.json['id']}")).etag == made.etag
    policy = await read_policy(api.sessions)
    assert [(category.code, category.negative) for category in policy.categories] == [("media_sosial", False)]
    assert "tiktok.com" in policy.services[0].names
    rows = (await api.get("/audit")).json["items"]
    told = {(row["action"], row["kind"], row["label"], row["revision"]) for row in rows}
    assert {
        ("create", "category", "media_sosial", policy.revision),
        ("create", "service", "tiktok", policy.revision),
    } <= told
    assert (await api.post("/catalogue/services/tiktok/adoption")).status == 409
    items = (await api.get("/catalogue/services?category=media_sosial")).json["items"]
    assert {item["code"]: item["adopted"] for item in items}["tiktok"]
    assert not {item["code"]: item["adopted"] for item in items}["instagram"]
    assert {item["category"] for item in items} == {"media_sosial"}


async def test_a_list_is_adopted_switched_off_unless_asked(sqlite_api: Api) -> None:
    quiet = await sqlite_api.post("/catalogue/sources/oisd-nsfw/adoption", {})
    assert (quiet.status, quiet.json["enabled"], quiet.json["categories"]) == (201, False, ["pornografi"])
    assert sqlite_api.program.synced == []
    loud = await sqlite_api.post("/catalogue/sources/hagezi-doh/adoption", {"enabled": True, "mirror": 2})
    assert loud.json["enabled"]
    assert loud.json["location"].startswith("https://gitlab.com/hagezi/mirror/")
    assert sqlite_api.program.synced == ["hagezi-doh"]
    far = await sqlite_api.post("/catalogue/sources/oisd-big/adoption", {"mirror": 1})
    assert far.status == 409
    sqlite_api.program.sync_error = OSError("disk full")
    third = await sqlite_api.post("/catalogue/sources/urlhaus/adoption", {"enabled": True})
    assert "saved" in third.headers["Saring-Warning"]
    items = (await sqlite_api.get("/catalogue/sources")).json["items"]
    assert {item["code"] for item in items if item["adopted"]} == {"oisd-nsfw", "hagezi-doh", "urlhaus"}


async def test_who_may_not_write_policy_makes_no_categories(sqlite_api: Api) -> None:
    keeper = await sqlite_api.token(Scope.LISTS_WRITE, login="kustodian")
    path = "/catalogue/sources/dibdot-doh/adoption"
    refused = await sqlite_api.post(path, {}, token=keeper)
    assert (refused.status, "no category doh" in refused.text) == (409, True)
    await sqlite_api.made("/categories", {"code": "doh", "title": "DoH kami"})
    assert (await sqlite_api.post(path, {}, token=keeper)).status == 201
    # A category that is there stays as people made it.
    assert (await sqlite_api.get("/categories/1")).json["title"] == "DoH kami"
    assert (await sqlite_api.post("/catalogue/services/tiktok/adoption", token=keeper)).status == 403


async def test_what_the_catalogue_has_not_is_not_found(sqlite_api: Api) -> None:
    assert (await sqlite_api.post("/catalogue/services/oisd-big/adoption")).status == 404
    assert (await sqlite_api.post("/catalogue/sources/tiktok/adoption", {})).status == 404
    assert (await sqlite_api.get("/catalogue/services?category=")).status == 422
