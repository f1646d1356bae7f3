"""Pauses: who may let off whom, for how long, what holds on meanwhile, and that they always end."""

from __future__ import annotations

import tomllib
from typing import Any

from admin_api.expiry import note_what_has_passed
from admin_api.rest.auth import Scope
from admin_api.seed import import_regency
from admin_api.to_policy import read_policy
from dnswire import name as wire
from policy.decide import decide
from policy.model import Verdict
from policy.resolve import resolve
from tests.support.admin import Api
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates

REGENCY = """
[regency]
name = "Contoh"
pause_max_minutes = 30
[[agency]]
code = "dinkes"
name = "Dinkes"
networks = ["10.1.0.0/16"]
unit = [{ code = "umum", name = "Umum", networks = ["10.1.1.0/24"] }]
[[agency]]
code = "disdik"
name = "Disdik"
networks = ["10.2.0.0/16"]
[[rule]]
code = "a"
title = "A"
scope = "regency"
target = "wildcard:a.example"
action = "block"
[[rule]]
code = "b"
title = "B"
scope = "regency"
target = "wildcard:b.example"
action = "block"
mandatory = true
"""
BODY: dict[str, Any] = {"minutes": 5, "reason": "rapat dengan pusat"}
OFFICE, UNIT, SCHOOLS = bytes((10, 1, 0, 9)), bytes((10, 1, 1, 9)), bytes((10, 2, 0, 9))


async def furnished(api: Api) -> None:
    async with api.sessions.begin() as session:
        await import_regency(session, tomllib.loads(REGENCY), now_s=api.program.now_s)


async def blocked(api: Api, address: bytes, name: str, after_s: float = 0) -> bool:
    policy = await read_policy(api.sessions)
    client = resolve(policy, api.program.now_s + after_s).client(address)
    return decide(client.view, (), wire.from_text(name), 1).verdict is Verdict.BLOCKED


async def test_an_agency_is_let_off_to_the_second_and_a_unit_alone_until_somebody_ends_it(sqlite_api: Api) -> None:
    api = sqlite_api
    await furnished(api)
    begun = await api.post("/agencies/1/pause", BODY)
    assert (begun.status, begun.headers["Saring-In-Force"]) == (201, "yes"), begun.text
    pause = begun.json
    assert (pause["tenant"], pause["running"], pause["until"]) == ("dinkes", True, "2026-11-24T00:05:00Z")
    for address in (OFFICE, UNIT):
        assert not await blocked(api, address, "a.example")
        assert await blocked(api, address, "b.example"), "a mandatory rule holds on"
    assert await blocked(api, SCHOOLS, "a.example")
    assert not await blocked(api, OFFICE, "a.example", 299.9)
    assert await blocked(api, OFFICE, "a.example", 300)

    again = await api.post("/agencies/1/pause", BODY)
    assert (again.status, "for 300 s more" in again.text) == (409, True)
    api.program.now_s += 300
    assert (await api.get("/pauses/1")).json["running"] is False
    assert (await api.get("/pauses?running=true")).json["items"] == []
    assert await note_what_has_passed(api.sessions, api.program.now_s) == 1
    assert (await read_policy(api.sessions)).pauses == ()
    assert (await api.post("/agencies/1/pause", BODY)).status == 201
    rows = (await api.get("/audit?kind=pause")).json["items"]
    assert [(row["action"], row["login"], row["label"]) for row in reversed(rows)] == [
        ("begin", "admin", "dinkes"),
        ("expire", "clock", "dinkes"),
        ("begin", "admin", "dinkes"),
    ]

    assert (await api.post("/pauses/2/end")).status == 200
    begun = await api.post("/units/1/pause", BODY | {"minutes": 30})
    assert begun.json["tenant"] == "dinkes/umum"
    assert not await blocked(api, UNIT, "a.example")
    assert await blocked(api, OFFICE, "a.example")
    ended = await api.post("/pauses/3/end")
    assert (ended.json["running"], ended.json["ended_by"]) == (False, "admin")
    assert await blocked(api, UNIT, "a.example")
    assert (await api.post("/pauses/3/end")).status == 409
    rows = (await api.get("/audit?kind=pause&limit=2")).json["items"]
    assert [(row["action"], row["label"]) for row in rows] == [("end", "dinkes/umum"), ("begin", "dinkes/umum")]


async def test_pauses_are_short_and_not_for_everybody_to_give(sqlite_api: Api) -> None:
    await furnished(sqlite_api)
    long = await sqlite_api.post("/agencies/1/pause", BODY | {"minutes": 31})
    assert long.fields() == {"minutes": "a pause lasts at most 30 minutes here"}
    for wrong in ({"minutes": 0}, {"minutes": 481}, {"minutes": "5"}, {"reason": ""}, {"until": None}):
        assert (await sqlite_api.post("/agencies/1/pause", BODY | wrong)).status == 422, wrong
    contact = await sqlite_api.token(Scope.POLICY_READ, Scope.EXCEPTIONS_REQUEST, login="kontak", agency_id=1)
    assert (await sqlite_api.post("/agencies/1/pause", BODY, token=contact)).status == 403
    for path in ("/agencies/9/pause", "/units/9/pause"):
        assert (await sqlite_api.post(path, BODY)).status == 404
    assert (await sqlite_api.post("/pauses/9/end")).status == 404
    assert (await sqlite_api.get("/pauses/9")).status == 404
    for path in ("/agencies/1/pause", "/agencies/2/pause", "/units/1/pause"):
        assert (await sqlite_api.post(path, BODY)).status == 201
    first = (await sqlite_api.get("/pauses?limit=2")).json
    assert len(first["items"]) == 2
    assert [one["id"] for one in (await sqlite_api.get(f"/pauses?cursor={first['next_cursor']}")).json["items"]] == [3]
    assert [one["id"] for one in (await sqlite_api.get("/pauses", token=contact)).json["items"]] == [1, 3]
