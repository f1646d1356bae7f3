"""Lists beside each other, through the API: from a sync to what an administrator reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from admin_api.database import reading
from admin_api.rest.auth import Scope
from admin_api.services import StaleList
from admin_api.to_policy import SourceRow, load_sources
from blocklists.admission import Gate
from blocklists.compiler import ListInput, compile_index
from blocklists.progress import Silent, SilentBoard
from policy.model import Policy, Regency
from querylog.store import Top
from saring.config import load
from saring.list_insight import Refreshing, count_hits, inputs_of, refresh_insight
from saring.list_sync import sync_lists
from snapshots.generation import open_current
from snapshots.publish import publish
from tests.support.admin import Api
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.lists import plain

LISTS = {
    "satu": ["judi.example", "www.judi.example", "slot.example", "togel.example"],
    "dua": ["slot.example", "m.togel.example"],
}


async def rows_of(api: Api) -> list[SourceRow]:
    async with reading(api.sessions) as session:
        return await load_sources(session)


async def synced(api: Api, directory: Path) -> None:
    """Both lists entered, synced, compiled and looked at."""
    await api.made("/categories", {"code": "perjudian", "title": "Perjudian"})
    for code, names in LISTS.items():
        (directory / f"{code}.txt").write_bytes(plain(names))
        location = str(directory / f"{code}.txt")
        body = {"code": code, "title": code.title(), "location": location, "categories": ["perjudian"]}
        await api.made("/blocklists", body)
    config = load(None, {"SARING_CONFIG": "/dev/null"}).config.lists
    rows, library, root = await rows_of(api), api.services.library, api.services.snapshots_root
    await sync_lists(rows, library, Gate(), config, SilentBoard(), api.services.clock)
    (root / "index").mkdir(parents=True)
    inputs = [ListInput(one.list_id, one.code, one.entries) for one in inputs_of(rows, library)]
    index = compile_index(inputs, root / "index", Silent())
    publish(root, Policy(Regency("Contoh")), index.path, api.program.now_s)


async def refresh(api: Api) -> None:
    refreshing = Refreshing(api.services.library, api.services.snapshots_root, lambda: api.store, api.program.now_s)
    assert refresh_insight(await rows_of(api), refreshing, Silent()) is not None


async def test_before_the_first_sync_there_is_nothing_and_it_says_so(sqlite_api: Api) -> None:
    empty = (await sqlite_api.get("/blocklists/insight")).json
    assert (empty["computed"], empty["items"], empty["hits_since"]) == (None, [], None)
    assert (await sqlite_api.get("/blocklists/overlap")).json == {"computed": None, "lists": {}, "items": []}
    assert (await sqlite_api.get("/blocklists/holders?name=a.example")).json["items"] == []


async def test_what_each_list_adds_and_what_its_entries_met(sqlite_api: Api, tmp_path: Path) -> None:
    await synced(sqlite_api, tmp_path)
    for name, count in (("slot.example", 3), ("judi.example", 2), ("bukan.example", 5)):
        for _ in range(count):
            sqlite_api.store.add(matched=name, name=f"x.{name}", list="satu", time_us=int(1_795_000_000e6))
    await refresh(sqlite_api)
    found = (await sqlite_api.get("/blocklists/insight")).json
    assert (found["computed"], found["names"], found["hits_complete"]) == ("2026-11-24T00:00:00Z", 5, True)
    one, two = found["items"]
    share = one["share"]
    assert (share["names"], share["unique"], share["contribution"], share["shadowed"]) == (4, 3, 3, 1)
    assert share["examples"] == [{"name": "www.judi.example", "by": "judi.example"}]
    # The log put the three to one list; the other has the name as well.
    assert one["hits"] == {"hits": 5, "hit_names": 2, "never_hit": 2}
    assert two["hits"] == {"hits": 3, "hit_names": 1, "never_hit": 1}
    assert (two["share"]["unique"], two["share"]["contribution"]) == (1, 0)
    assert (one["age_s"], one["stale"], one["state"]["version"]) == (0, False, 1)
    assert one["size_bytes"] > 0
    assert (await sqlite_api.get("/blocklists/2/insight")).json == two
    assert (await sqlite_api.get("/blocklists/9/insight")).status == 404
    (pair,) = (await sqlite_api.get("/blocklists/overlap")).json["items"]
    assert pair == {"a": "satu", "b": "dua", "names": 1, "share_of_a": 0.25, "share_of_b": 0.5}


async def test_shares_are_counted_anew_only_where_a_list_changed(
    sqlite_api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await synced(sqlite_api, tmp_path)
    await refresh(sqlite_api)
    monkeypatch.setattr("saring.list_insight.compare_lists", lambda *_: pytest.fail("nothing changed"))
    sqlite_api.store.down = True
    await refresh(sqlite_api)
    kept = (await sqlite_api.get("/blocklists/insight")).json
    assert (kept["items"][0]["share"]["names"], kept["items"][0]["hits"]) == (4, None)


async def test_a_damaged_file_leaves_the_insight_before(sqlite_api: Api, tmp_path: Path) -> None:
    await synced(sqlite_api, tmp_path)
    await refresh(sqlite_api)
    library = sqlite_api.services.library
    (library.root / "insight.json").unlink()
    library.entries_path("satu", 1).write_bytes(b"?")
    refreshing = Refreshing(library, sqlite_api.services.snapshots_root, lambda: sqlite_api.store, 1.0)
    assert refresh_insight(await rows_of(sqlite_api), refreshing, Silent()) is None


async def test_who_holds_a_name_and_since_when(sqlite_api: Api, tmp_path: Path) -> None:
    await synced(sqlite_api, tmp_path)
    found = (await sqlite_api.get("/blocklists/holders?name=A.M.Togel.Example.")).json
    assert found["name"] == "a.m.togel.example"
    assert [(one["blocklist"], one["entry"], one["kind"]) for one in found["items"]] == [
        ("satu", "togel.example", "subtree"),
        ("dua", "m.togel.example", "subtree"),
    ]
    assert (found["items"][0]["version"], found["items"][0]["since_version"]) == (1, 1)
    assert found["items"][0]["since"] == "2026-11-24T00:00:00Z"
    lined = (await sqlite_api.get("/blocklists/holders?name=m.togel.example&lines=true")).json["items"]
    assert [(one["line"], one["text"]) for one in lined] == [(4, "togel.example"), (2, "m.togel.example")]
    assert found["items"][0]["line"] == 0
    for query in ("", "name=", "name=a..b", "name=."):
        refused = await sqlite_api.get(f"/blocklists/holders?{query}")
        assert (refused.status, list(refused.fields())) == (422, ["name"]), query


async def test_history_tells_versions_and_events(sqlite_api: Api, tmp_path: Path) -> None:
    await synced(sqlite_api, tmp_path)
    sqlite_api.services.library.record_failure("satu", "the host has no address", sqlite_api.program.now_s)
    found = (await sqlite_api.get("/blocklists/1/history")).json
    assert [version["names"] for version in found["versions"]] == [4]
    assert (found["versions"][0]["reasons"], found["versions"][0]["complaints"]) == ({}, [])
    assert [event["kind"] for event in found["events"]] == ["admitted", "failed"]
    assert (await sqlite_api.get("/blocklists/9/history")).status == 404


async def test_a_list_gets_stale_by_its_own_limit(sqlite_api: Api, tmp_path: Path) -> None:
    await synced(sqlite_api, tmp_path)
    first = await sqlite_api.get("/blocklists/1")
    assert first.json["max_age_s"] == 259_200
    await sqlite_api.call("PATCH", "/blocklists/1", {"max_age_s": 86_400}, match=first.etag)
    sqlite_api.program.now_s += 86_401
    one, two = (await sqlite_api.get("/blocklists/insight")).json["items"]
    assert (one["stale"], one["age_s"], two["stale"]) == (True, 86_401, False)
    too_short = await sqlite_api.call("PATCH", "/blocklists/1", {"max_age_s": 60}, match="*")
    assert list(too_short.fields()) == ["max_age_s"]


async def test_readiness_tells_stale_lists_and_does_not_depend_on_them(sqlite_api: Api) -> None:
    stale = (StaleList("judi", 300_000.0, 259_200.0),)
    sqlite_api.program.status = replace(sqlite_api.program.status, stale_lists=stale)
    answer = await sqlite_api.get("//readyz", token=None)
    assert answer.status == 200
    assert answer.json["stale_lists"] == [{"code": "judi", "age_s": 300_000.0, "max_age_s": 259_200.0}]


async def test_insight_needs_the_scope(sqlite_api: Api) -> None:
    writer = await sqlite_api.token(Scope.POLICY_READ, login="sari")
    for path in ("/blocklists/insight", "/blocklists/overlap", "/blocklists/holders?name=a", "/blocklists/1/history"):
        assert (await sqlite_api.get(path, token=writer)).status == 403, path


async def test_what_was_matched_and_is_no_name_counts_nothing(sqlite_api: Api, tmp_path: Path) -> None:
    await synced(sqlite_api, tmp_path)
    await refresh(sqlite_api)
    generation = open_current(sqlite_api.services.snapshots_root)
    try:
        assert count_hits((), generation.index, [Top("/^judi[0-9]+/ ..", 4), Top("", 1)]) == ()
    finally:
        generation.close()
