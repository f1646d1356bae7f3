"""Replays through the API: drafts of every sort, progress, waiting, cancelling, publishing just that; and who may."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from admin_api.replay_order import ReplayOrder, ReplayReport
from admin_api.rest.auth import Scope
from admin_api.seed import import_regency
from admin_api.to_policy import read_policy
from blocklists.library import Library
from blocklists.progress import Progress
from saring.replay_run import run_replay
from tests.support.admin import NOW_S, Api, new_sqlite, running_api
from tests.support.admin import templates as templates
from tests.support.generations import publish_database
from tests.support.log_store import SAMPLE, MemoryStore
from tests.support.seed_example import EXAMPLE
from tests.support.small_index import small_index

PERIOD = {"since": "2026-11-24T00:00:00Z", "until": "2026-11-25T00:00:00Z"}
OPEN_S = NOW_S + 3_600  # 08:00 in Jakarta: office hours
OTHER = EXAMPLE.replace('[[category]]\ncode = "perj', '[[agency]]\ncode = "disdik"\nname = "Dinas Pendidikan"\n\n'
                        '[[category]]\ncode = "perj', 1)  # fmt: skip


class Runner:
    """Replays in a thread, each after ``gate`` was opened."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = MemoryStore()
        self.gate = asyncio.Event()
        self.gate.set()
        self.ended = 0

    async def __call__(self, order: ReplayOrder, progress: Progress) -> ReplayReport:
        try:
            await self.gate.wait()
            library = Library(self.directory / "lists")
            return await asyncio.to_thread(
                run_replay, self.directory / "snapshots", library, self.store, order, progress
            )
        finally:
            self.ended += 1


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture
async def api(templates: dict[str, str], tmp_path: Path, runner: Runner) -> AsyncIterator[Api]:
    """The example and one agency more, published with a list; some queries of office hours."""
    async with running_api(new_sqlite(templates, tmp_path), tmp_path, replay=runner) as running:
        async with running.sessions.begin() as session:
            await import_regency(session, tomllib.loads(OTHER), now_s=NOW_S)
        root = running.services.snapshots_root
        await publish_database(running.sessions, root, small_index(root / "index", "judi.example"))
        runner.store = running.store
        for name, agency, count in (
            ("a.uji.example", "dinkes", 3),
            ("b.uji.example", "dinkes", 1),
            ("a.uji.example", "disdik", 2),
            ("judi.example", "disdik", 4),
            ("www.tiktok.com", "", 5),
        ):
            for _ in range(count):
                add(running.store, name, agency)
        yield running


def add(store: MemoryStore, name: str, agency: str, **facts: Any) -> None:
    time_us = int(OPEN_S * 1e6) + len(store.rows)
    store.add(name=name, agency=agency, time_us=time_us, **{"verdict": "allowed", "matched": "", **facts})


def blocking(value: str = "uji.example", **fields: Any) -> dict[str, Any]:
    rule = {
        "title": "Uji",
        "scope": {"kind": "regency"},
        "action": "block",
        "target": {"kind": "wildcard", "value": value},
    }
    return {"action": "create", "kind": "rule", "fields": rule | fields}


async def ended(api: Api, response: Any, **more: Any) -> dict[str, Any]:
    """The replay, once it has ended."""
    assert response.status == 202, response.text
    path = response.headers["Location"].removeprefix("/api/v1")
    while True:
        found: dict[str, Any] = (await api.get(path, **more)).json
        if found["state"] not in ("waiting", "running"):
            return found
        await asyncio.sleep(0)


async def test_edits_are_replayed_and_published_only_when_confirmed(api: Api) -> None:
    edits = [blocking(), {"action": "change", "kind": "category", "id": 1, "fields": {"observe": True}}]
    found = await ended(api, await api.post("/replays", PERIOD | {"edits": edits}))
    assert (found["state"], found["error"]) == ("done", "")
    report = found["report"]
    assert report["changes"][0]["text"] == "Kategori perjudian: hanya diamati tidak -> ya"
    effects = report["result"]["effects"]
    assert (effects["newly_blocked"], effects["newly_freed"], effects["same"]) == (6, 4, 5)
    blocked = report["result"]["newly_blocked"]
    assert [(one["name"], one["queries"], one["tenants"]) for one in blocked["top"]] == [
        ("a.uji.example", 5, {"dinkes": 3, "disdik": 2}),
        ("b.uji.example", 1, {"dinkes": 1}),
    ]
    assert (blocked["names"], blocked["by_tenant"]["dinkes"]) == (2, {"a.uji.example": 3, "b.uji.example": 1})
    assert blocked["top"][0]["after"]["rule"] == "Uji"
    assert report["result"]["newly_freed"]["top"][0]["before"]["list"] == "trustpositif"
    by_agency = {one["agency"]: one["effects"] for one in report["result"]["tenants"]}
    assert by_agency == {
        "": {"same": 5},
        "dinkes": {"newly_blocked": 4},
        "disdik": {"newly_blocked": 2, "newly_freed": 4},
    }
    assert found["progress"] == {"done": 15, "total": 15}

    assert len((await read_policy(api.sessions)).rules) == 2, "nothing was done so far"
    done = await api.post(f"/replays/{found['id']}/publication")
    assert (done.status, done.headers["Saring-In-Force"], len(done.json["changes"])) == (200, "yes", 2)
    policy = await read_policy(api.sessions)
    assert (policy.rules[-1].title, policy.categories[0].observe) == ("Uji", True)
    assert (await api.post(f"/replays/{found['id']}/publication")).status == 409, "once"


async def test_a_draft_is_not_published_over_what_others_edited_meanwhile(api: Api) -> None:
    found = await ended(api, await api.post("/replays", PERIOD | {"edits": [blocking()]}))
    await api.made("/agencies", {"code": "baru", "name": "Baru"})
    refused = await api.post(f"/replays/{found['id']}/publication")
    assert (refused.status, "revision" in refused.json["detail"]) == (409, True)
    assert "Uji" not in [rule.title for rule in (await read_policy(api.sessions)).rules]


async def test_files_generations_and_the_database_itself_are_drafts(api: Api) -> None:
    text = (await api.get("/export/policy")).text
    opened = text.replace('code = "perjudian"\ntitle = "Perjudian"\nnegative = true', 'code = "perjudian"\ntitle = "P"')
    found = await ended(api, await api.post("/replays", PERIOD | {"file": opened}))
    assert found["report"]["result"]["effects"]["newly_freed"] == 4

    await api.made("/rules", blocking()["fields"])  # committed; the test's program publishes nothing
    found = await ended(api, await api.post("/replays", PERIOD))
    assert found["report"]["result"]["effects"]["newly_blocked"] == 6
    assert (await api.post(f"/replays/{found['id']}/publication")).status == 200

    found = await ended(api, await api.post("/replays", PERIOD | {"generation": 1, "agency": "disdik"}))
    assert (found["agency"], found["report"]["result"]["queries"]) == ("disdik", 6)
    assert found["report"]["result"]["effects"]["same"] == 6, "generation 1 is in force"
    assert (await api.post("/replays", PERIOD | {"generation": 9})).status == 422


async def test_schedules_count_at_the_rows_own_time(api: Api) -> None:
    at_night = int((NOW_S + 15 * 3_600) * 1e6)  # 22:00
    for _ in range(2):
        add(api.store, "www.tiktok.com", "", verdict="allowed")
        api.store.rows[-1] = type(SAMPLE)(**{**_fields(api.store.rows[-1]), "time_us": at_night})
    edits = [{"action": "change", "kind": "rule", "id": 1, "fields": {"schedule": None}}]
    found = await ended(api, await api.post("/replays", PERIOD | {"edits": edits}))
    assert found["report"]["result"]["effects"]["newly_blocked"] == 2, "only the two of the night"


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


async def test_what_cannot_be_known_is_said(api: Api) -> None:
    add(api.store, "x.example", "dinkes", verdict="blocked", via="address")
    add(api.store, "x.example", "hilang", verdict="blocked")
    add(api.store, "www.example", "dinkes", verdict="blocked", via="alias", matched="judi.example")
    edits = [
        {"action": "create", "kind": "network", "fields": {"cidr": "10.99.0.0/24", "agency_id": 1}},
        {"action": "change", "kind": "category", "id": 1, "fields": {"negative": False}},
        {"action": "create", "kind": "blocklist", "fields": {
            "code": "baru", "title": "Baru", "location": "https://x.example/l.txt", "categories": ["perjudian"]}},
    ]  # fmt: skip
    report = (await ended(api, await api.post("/replays", PERIOD | {"edits": edits})))["report"]
    assert report["result"]["unknown"] == {"tenant": 1, "address": 1}
    assert "www.example" in [one["name"] for one in report["result"]["newly_freed"]["top"]], "by the alias it led to"
    notes = " ".join(report["notes"])
    for told in ("never fetched, so nobody knows their names: baru", "who clients are", "1 queries were decided by"):
        assert told in notes


async def test_one_runs_a_few_wait_and_all_can_be_cancelled(api: Api, runner: Runner) -> None:
    runner.gate.clear()
    begun = [await api.post("/replays", PERIOD | {"edits": [blocking()]}) for _ in range(6)]
    assert [one.status for one in begun] == [202] * 5 + [429]
    paths = [one.headers["Location"].removeprefix("/api/v1") for one in begun[:5]]
    assert [one["state"] for one in (await api.get("/replays")).json["items"]] == ["waiting"] * 4 + ["running"]
    assert (await api.post(f"{paths[0]}/publication")).status == 409
    for path in paths[:4]:
        assert (await api.call("DELETE", path)).status == 204
        assert (await api.get(path)).status == 404
    runner.gate.set()
    assert (await ended(api, begun[4]))["state"] == "done"
    assert runner.ended == 5, "each that was cancelled gave its turn to the next, and ended"


async def test_a_contact_replays_rules_of_the_own_agency_on_its_own_queries(api: Api) -> None:
    contact = await api.token(Scope.POLICY_READ, Scope.QUERIES_READ, login="kontak", agency_id=1)
    own = blocking(scope={"kind": "agency", "id": 1})
    found = await ended(api, await api.post("/replays", PERIOD | {"edits": [own]}, token=contact), token=contact)
    assert (found["agency"], found["report"]["result"]["queries"], found["report"]["changes"]) == ("dinkes", 4, [])
    assert found["report"]["result"]["effects"]["newly_blocked"] == 4
    assert (await api.post(f"/replays/{found['id']}/publication", token=contact)).status == 403

    for body, status in (
        ({"agency": "disdik", "edits": [own]}, 403),
        ({"edits": [blocking()]}, 403),
        ({"edits": [blocking(scope={"kind": "agency", "id": 2})]}, 403),
        ({"edits": [blocking(scope={"kind": "unit", "id": 99})]}, 403),
        ({"edits": [{"action": "delete", "kind": "rule", "id": 1}]}, 422),
        ({"edits": [{"action": "delete", "kind": "category", "id": 1}]}, 403),
        ({"file": "x = 1"}, 403),
        ({"generation": 1}, 403),
    ):
        assert (await api.post("/replays", PERIOD | body, token=contact)).status == status, body
    others = await ended(api, await api.post("/replays", PERIOD | {"edits": [own]}))
    assert (await api.get(f"/replays/{others['id']}", token=contact)).status == 404
    assert (await api.call("DELETE", f"/replays/{others['id']}", token=contact)).status == 404
    assert [one["id"] for one in (await api.get("/replays", token=contact)).json["items"]] == [found["id"]]
    reader = await api.token(Scope.QUERIES_READ, login="pembaca")
    assert (await api.post("/replays", PERIOD | {"edits": [own]}, token=reader)).status == 403
    acts = (await api.get("/audit?action=replay")).json["items"]
    assert {act["login"] for act in acts} >= {"kontak", "admin"}


async def test_publishing_needs_the_scopes_of_what_is_edited(api: Api) -> None:
    writer = await api.token(Scope.POLICY_READ, Scope.POLICY_WRITE, Scope.QUERIES_READ, login="penulis")
    lists = [{"action": "change", "kind": "blocklist", "id": 1, "fields": {"observe": True}}]
    for body, status in (({"edits": [blocking()]}, 200), ({"edits": lists}, 403), ({}, 403)):
        found = await ended(api, await api.post("/replays", PERIOD | body, token=writer))
        assert (await api.post(f"/replays/{found['id']}/publication", token=writer)).status == status, body


async def test_mistakes_name_the_edit(api: Api) -> None:
    wrong = [blocking(), blocking(schedule="tidak-ada")]
    response = await api.post("/replays", PERIOD | {"edits": wrong})
    assert (response.status, list(response.fields())) == (422, ["edits[1].fields.schedule"])
    for body in ({"edits": []}, {"edits": [{"action": "delete", "kind": "rule"}]}, {"file": "x = ", "generation": 1},
                 {"until": PERIOD["since"]}, {"until": "2028-11-24T00:00:00Z"}):  # fmt: skip
        assert (await api.post("/replays", PERIOD | body)).status == 422, body


async def test_a_replay_that_fails_says_why(api: Api) -> None:
    api.store.down = True
    found = await ended(api, await api.post("/replays", PERIOD | {"edits": [blocking()]}))
    assert (found["state"], found["error"]) == ("failed", "down for a test")
