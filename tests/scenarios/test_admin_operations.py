"""What operators do through the API: check, lists and their versions, generations, health."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from admin_api.rest.auth import Scope
from admin_api.seed import import_regency
from admin_api.services import WorkerStatus
from admin_api.to_policy import read_policy
from snapshots.publish import publish
from tests.support.admin import Api, new_sqlite, running_api
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.seed_example import EXAMPLE

LIST = {"code": "judi", "title": "Judi", "location": "https://lists.example/judi.txt", "categories": ["perjudian"]}


async def published(api: Api) -> int:
    """The example regency, published with an empty index."""
    async with api.sessions.begin() as session:
        await import_regency(session, tomllib.loads(EXAMPLE), now_s=api.program.now_s)
    root = api.services.snapshots_root
    return publish(root, await read_policy(api.sessions), None, api.program.now_s)


async def test_a_check_explains_by_the_generation_in_force(sqlite_api: Api) -> None:
    assert (await sqlite_api.get("/check?name=www.tiktok.com")).status == 503
    number = await published(sqlite_api)
    # Tuesday 2026-11-24, 09:00 and 18:00 in Jakarta.
    office = await sqlite_api.get(
        "/check?name=WWW.TikTok.com.&type=AAAA&client=10.20.4.7&at=2026-11-24T09:00:00%2B07:00"
    )
    assert office.json["generation"] == number
    explanation = office.json["explanation"]
    assert (explanation["name"], explanation["rrtype"]) == ("www.tiktok.com", 28)
    assert explanation["decision"]["verdict_name"] == "blocked"
    assert explanation["client"]["agency"] == "dinkes"
    assert explanation["findings"][0]["letter"]["number"] == "800/123/DISKOMINFO/2026"
    evening = await sqlite_api.get("/check?name=www.tiktok.com&agency=dinkes&at=2026-11-24T18:00:00%2B07:00")
    assert evening.json["explanation"]["decision"]["verdict_name"] == "allowed"
    unit = await sqlite_api.get("/check?name=www.tiktok.com&agency=dinkes&unit=puskesmas-sekayu")
    assert unit.json["explanation"]["decision"]["layer_name"] == "exceptions"
    root = sqlite_api.services.snapshots_root
    later = publish(root, replace(await read_policy(sqlite_api.sessions), rules=()), None, 1.0)
    assert (await sqlite_api.get("/check?name=www.tiktok.com")).json["generation"] == later


async def test_a_check_says_what_is_wrong_with_its_question(sqlite_api: Api) -> None:
    await published(sqlite_api)
    for query, field in (
        ("", "name"),
        ("name=a..b", "name"),
        ("name=a&type=NOPE", "type"),
        ("name=a&client=10.1", "client"),
        ("name=a&client=10.1.1.1&agency=dinkes", "(body)"),
        ("name=a&unit=x", "(body)"),
        ("name=a&agency=nobody", "agency"),
        ("name=a&agency=dinkes&unit=nobody", "unit"),
        ("name=a&at=yesterday", "at"),
    ):
        refused = await sqlite_api.get(f"/check?{query}")
        assert refused.status == 422, query
        assert list(refused.fields()) == [field], query


async def test_a_contact_checks_only_for_its_own(sqlite_api: Api) -> None:
    await published(sqlite_api)
    contact = await sqlite_api.token(Scope.POLICY_READ, login="kontak", agency_id=1)
    assert (await sqlite_api.get("/check?name=a&client=10.20.4.1", token=contact)).status == 200
    own = await sqlite_api.get("/check?name=a", token=contact)
    assert own.json["explanation"]["client"]["agency"] == "dinkes"
    assert (await sqlite_api.get("/check?name=a&client=192.168.1.1", token=contact)).status == 403


async def test_generations_are_listed_and_taken_back(sqlite_api: Api) -> None:
    first = await published(sqlite_api)
    root = sqlite_api.services.snapshots_root
    second = publish(root, replace(await read_policy(sqlite_api.sessions), revision=7), None, 1_795_000_000.0)
    items = (await sqlite_api.get("/generations")).json["items"]
    assert [(item["number"], item["current"], item["revision"]) for item in items] == [
        (second, True, 7),
        (first, False, 1),
    ]
    back = await sqlite_api.post(f"/generations/{first}/rollback")
    assert (back.status, back.headers["Saring-Generation"]) == (200, str(first))
    assert (await sqlite_api.get("/generations")).json["items"][1]["current"]
    assert (await sqlite_api.post("/generations/99/rollback")).status == 404
    row = (await sqlite_api.get("/audit?kind=generation")).json["items"][0]
    assert (row["before"], row["after"]) == ({"current": second}, {"current": first})


async def test_a_list_is_fetched_when_it_is_made_or_changed(sqlite_api: Api) -> None:
    await sqlite_api.made("/categories", {"code": "perjudian", "title": "Perjudian"})
    made = await sqlite_api.made("/blocklists", LIST)
    await sqlite_api.call("PATCH", "/blocklists/1", {"enabled": False}, match=made.etag)
    assert sqlite_api.program.synced == ["judi", "judi"]
    assert (await read_policy(sqlite_api.sessions)).lists == ()
    assert (await sqlite_api.post("/blocklists/1/sync")).status == 202
    assert (await sqlite_api.post("/sync")).status == 202
    assert sqlite_api.program.synced[2:] == ["judi", None]
    assert (await sqlite_api.post("/blocklists/9/sync")).status == 404
    sqlite_api.program.sync_error = OSError("disk full")
    second = await sqlite_api.made("/blocklists", LIST | {"code": "judi-2"})
    assert "saved" in second.headers["Saring-Warning"]


async def test_versions_of_a_list_are_shown_and_missing_ones_named(sqlite_api: Api) -> None:
    await sqlite_api.made("/categories", {"code": "perjudian", "title": "Perjudian"})
    await sqlite_api.made("/blocklists", LIST)
    sqlite_api.services.library.record_failure("judi", "the host has no address", sqlite_api.program.now_s)
    state = (await sqlite_api.get("/blocklists/1/state")).json
    assert (state["version"], state["fetched"], state["last_error"]) == (0, None, "the host has no address")
    assert state["history"][0]["kind"] == "failed"
    refused = await sqlite_api.post("/blocklists/1/rollback", {"version": 3})
    assert refused.status == 409
    assert "kept are: none" in refused.json["detail"]
    assert (await sqlite_api.get("/blocklists/1/diff?before=1&after=2")).status == 409


async def test_locations_that_hold_passwords_or_lead_elsewhere_are_refused(sqlite_api: Api) -> None:
    await sqlite_api.made("/categories", {"code": "perjudian", "title": "Perjudian"})
    for location in ("https://user:secret@lists.example/x", "ftp://lists.example/x", "https://", "http://[::1", "a\nb"):
        refused = await sqlite_api.post("/blocklists", LIST | {"location": location})
        assert list(refused.fields()) == ["location"], location


async def test_readiness_names_what_is_not_ready(sqlite_api: Api) -> None:
    assert (await sqlite_api.get("//healthz", token=None)).json == {"alive": True}
    assert (await sqlite_api.get("//readyz", token=None)).json == {
        "ready": True,
        "generation": 1,
        "stale_lists": [],
    }
    silent = WorkerStatus(1, 101, False, 1, 0, 0, 9.0)
    unopened = WorkerStatus(0, 100, True, 0, 0, 0, 0.1)
    sqlite_api.program.status = replace(sqlite_api.program.status, generation=0, workers=(unopened, silent))
    sqlite_api.store.down = True
    answer = await sqlite_api.get("//readyz", token=None)
    assert answer.status == 503
    assert set(answer.fields()) == {"store", "generation", "workers[0]", "workers[1]"}
    assert (await sqlite_api.get("//healthz", token=None)).status == 200


async def test_status_reload_flush_and_metrics(templates: dict[str, str], tmp_path: Path) -> None:
    async with running_api(new_sqlite(templates, tmp_path), tmp_path, metrics_need_token=True) as api:
        assert (await api.get("/status")).json["workers"][0]["answering"] is True
        assert (await api.post("/reload")).status == 204
        assert api.program.reloads == 1
        assert (await api.post("/cache/flushes", {"what": "suffix", "name": "Pindah.Example"})).json == {"order": 1}
        assert api.program.flushed == [("suffix", "pindah.example")]
        assert (await api.post("/cache/flushes", {"what": "all", "name": "x.example"})).status == 422
        assert (await api.get("//metrics", token=None)).status == 401
        metrics = await api.get("//metrics")
        assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "saring_up 1" in metrics.text
