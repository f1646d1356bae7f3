"""Exceptions: asked for by one person, decided by another, ended by time or by anybody; in the journal throughout."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from admin_api.database import reading
from admin_api.expiry import note_what_has_passed
from admin_api.negative import negative_grounds
from admin_api.rest.auth import Scope
from admin_api.seed import import_regency
from admin_api.to_policy import load_sources, read_policy
from blocklists.library import Library
from blocklists.progress import SilentBoard
from dnswire import name as wire
from policy.decide import decide
from policy.model import Layer, Target, TargetKind, Verdict
from policy.resolve import resolve
from saring.config import load
from saring.list_gate import load_admission
from saring.list_sync import sync_lists
from tests.support.admin import Api
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.deciding import government
from tests.support.lists import plain
from tests.support.postgresql import postgresql as postgresql

DAY_S = 86_400
LETTER = {"number": "800/1", "date": "2026-11-01", "signer": "Kepala Dinas"}
ASK: dict[str, Any] = {
    "target": {"kind": "service", "value": "tiktok"},
    "duration_s": 7 * DAY_S,
    "reason": "siaran langsung hari jadi",
    "contact": "humas, pesawat 112",
}


REGENCY = """
[regency]
name = "Contoh"
[[agency]]
code = "dinkes"
name = "Dinkes"
networks = ["10.1.0.0/16"]
unit = [{ code = "umum", name = "Umum", networks = ["10.1.1.0/24"] }]
[[agency]]
code = "disdik"
name = "Disdik"
networks = ["10.2.0.0/16"]
unit = [{ code = "umum", name = "Umum", networks = ["10.2.1.0/24"] }]
[[category]]
code = "media_sosial"
title = "Media sosial"
[[category]]
code = "perjudian"
title = "Perjudian"
negative = true
[[service]]
code = "tiktok"
title = "TikTok"
category = "media_sosial"
names = ["tiktok.com"]
[[rule]]
code = "tanpa-medsos"
title = "Tanpa medsos"
scope = "regency"
target = "category:media_sosial"
action = "block"
"""


class Office:
    """Two agencies, a blocked category; who asks, who decides, and an agency's contact."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.sari = self.budi = self.contact = ""

    async def furnish(self) -> Office:
        async with self.api.sessions.begin() as session:
            await import_regency(session, tomllib.loads(REGENCY), now_s=self.api.program.now_s)
        writes = (Scope.POLICY_READ, Scope.POLICY_WRITE)
        self.sari = await self.api.token(*writes, login="sari")
        self.budi = await self.api.token(*writes, login="budi")
        asks = (Scope.POLICY_READ, Scope.EXCEPTIONS_REQUEST)
        self.contact = await self.api.token(*asks, login="kontak", agency_id=1)
        return self

    async def ask(self, token: str | None = None, **more: Any) -> Any:
        asked = await self.api.post("/exceptions", ASK | more, token=token or self.sari)
        assert asked.status == 201, asked.text
        return asked.json

    async def approve(self, number: int, token: str | None = None, **granted: Any) -> Any:
        return await self.api.post(f"/exceptions/{number}/approval", granted, token=token or self.budi)

    async def verdict(self, address: bytes, name: str, at_s: float | None = None) -> tuple[Verdict, Layer]:
        policy = await read_policy(self.api.sessions)
        resolved = resolve(policy, self.api.program.now_s if at_s is None else at_s)
        decision = decide(resolved.client(address).view, (), wire.from_text(name), 1)
        return decision.verdict, decision.layer

    async def journal(self) -> list[tuple[str, str]]:
        rows = (await self.api.get("/audit?kind=exception")).json["items"]
        return [(row["action"], row["login"]) for row in reversed(rows)]


@pytest.fixture
async def office(sqlite_api: Api) -> Office:
    return await Office(sqlite_api).furnish()


BLOCKED = (Verdict.BLOCKED, Layer.REGENCY)
LET = (Verdict.ALLOWED, Layer.EXCEPTION)
HEALTH, HEALTH_UNIT, SCHOOLS = bytes((10, 1, 0, 9)), bytes((10, 1, 1, 9)), bytes((10, 2, 0, 9))


async def test_from_request_to_the_second_in_which_it_ends(api: Api) -> None:
    office = await Office(api).furnish()
    program = api.program
    asked = await office.ask(scope={"kind": "agency", "id": 1})
    assert (asked["state"], asked["requested_by"], asked["rule_id"]) == ("requested", "sari", None)
    assert (asked["negative"], asked["letter_required"], asked["findings"]) == ([], False, [])
    assert asked["asked"]["duration_s"] == 7 * DAY_S
    published = program.published
    assert await office.verdict(HEALTH, "tiktok.com") == BLOCKED

    own = await office.approve(1, token=office.sari)
    assert (own.status, "another person" in own.text) == (409, True)
    program.now_s += 3600
    approved = await office.approve(1, note="ya")
    assert approved.status == 200, approved.text
    shown = approved.json
    assert (shown["state"], shown["decided_by"], shown["decision_note"]) == ("approved", "budi", "ya")
    assert (shown["valid_from"], shown["valid_until"]) == ("2026-11-24T01:00:00Z", "2026-12-01T01:00:00Z")
    assert approved.headers["Saring-In-Force"] == "yes"
    assert program.published == published + 1

    end_s = program.now_s + 7 * DAY_S
    assert await office.verdict(HEALTH, "tiktok.com") == LET
    assert await office.verdict(HEALTH_UNIT, "www.tiktok.com", end_s - 0.001) == LET
    assert await office.verdict(HEALTH, "tiktok.com", end_s) == BLOCKED
    assert await office.verdict(SCHOOLS, "tiktok.com") == BLOCKED
    rule = (await api.get(f"/rules/{shown['rule_id']}")).json
    assert (rule["exception"], rule["author"], rule["approver"], rule["action"]) == (True, "sari", "budi", "allow")

    program.now_s = end_s - 1
    assert await note_what_has_passed(api.sessions, program.now_s) == 0
    program.now_s = end_s
    assert (await api.get("/exceptions/1")).json["state"] == "expired"
    assert [one["id"] for one in (await api.get("/exceptions?state=expired")).json["items"]] == [1]
    assert await note_what_has_passed(api.sessions, program.now_s) == 1
    assert await note_what_has_passed(api.sessions, program.now_s) == 0
    ended = (await api.get("/exceptions/1")).json
    assert (ended["state"], ended["ended"], ended["ended_by"]) == ("expired", "2026-12-01T01:00:00Z", "")
    assert ended["rule_id"] == shown["rule_id"]
    assert [rule.id for rule in (await read_policy(api.sessions)).rules] == [1]
    assert await office.journal() == [("request", "sari"), ("approve", "budi"), ("expire", "clock")]


async def test_an_approver_grants_less_and_never_more(office: Office) -> None:
    await office.ask(scope={"kind": "agency", "id": 1})
    for granted, field in (
        ({"scope": {"kind": "regency"}}, "scope"),
        ({"scope": {"kind": "agency", "id": 2}}, "scope"),
        ({"scope": {"kind": "unit", "id": 2}}, "scope"),
        ({"target": {"kind": "category", "value": "media_sosial"}}, "target"),
        ({"target": {"kind": "name", "value": "facebook.com"}}, "target"),
        ({"target": {"kind": "wildcard", "value": "com"}}, "target"),
        ({"duration_s": 8 * DAY_S}, "duration_s"),
        ({"starts": "2028-11-24T00:00:00Z"}, "starts"),
    ):
        refused = await office.approve(1, **granted)
        assert (refused.status, list(refused.fields())) == (422, [field]), granted
        assert refused.json["errors"][0]["expected"]
    starts = "2026-11-24T03:00:00Z"
    unit, name = {"kind": "unit", "id": 1}, {"kind": "wildcard", "value": "live.tiktok.com"}
    granted = (await office.approve(1, scope=unit, target=name, duration_s=3600, starts=starts)).json
    assert (granted["scope"], granted["target"], granted["valid_from"]) == (unit, name, starts)
    assert (granted["asked"]["scope"], granted["asked"]["target"]) == ({"kind": "agency", "id": 1}, ASK["target"])
    start_s = office.api.program.now_s + 3 * 3600
    assert await office.verdict(HEALTH_UNIT, "a.live.tiktok.com", start_s - 1) == BLOCKED
    assert await office.verdict(HEALTH_UNIT, "a.live.tiktok.com", start_s) == LET
    assert await office.verdict(HEALTH_UNIT, "tiktok.com", start_s) == BLOCKED
    assert await office.verdict(HEALTH, "live.tiktok.com", start_s) == BLOCKED
    assert await office.verdict(HEALTH_UNIT, "a.live.tiktok.com", start_s + 3600) == BLOCKED
    journal = (await office.api.get("/audit?kind=exception")).json["items"][0]
    assert (journal["before"]["scope"]["kind"], journal["after"]["scope"]["kind"]) == ("agency", "unit")


async def test_a_contact_asks_for_his_agency_and_decides_nothing(office: Office) -> None:
    api, contact = office.api, office.contact
    for scope, status in (
        (None, 201),
        ({"kind": "unit", "id": 1}, 201),
        ({"kind": "regency"}, 403),
        ({"kind": "agency", "id": 2}, 403),
        ({"kind": "unit", "id": 2}, 403),
        ({"kind": "unit", "id": 99}, 403),
    ):
        assert (await api.post("/exceptions", ASK | {"scope": scope}, token=contact)).status == status, scope
    by_client = await office.ask(contact, client="10.1.1.7")
    assert by_client["scope"] == {"kind": "unit", "id": 1}
    for client in ("10.2.0.1", "192.0.2.1"):
        assert (await api.post("/exceptions", ASK | {"client": client}, token=contact)).status == 403
    await office.ask(scope={"kind": "agency", "id": 2})
    assert [one["id"] for one in (await api.get("/exceptions", token=contact)).json["items"]] == [1, 2, 3]
    assert (await api.get("/exceptions/4", token=contact)).status == 404
    assert (await api.post("/exceptions/4/withdrawal", {"reason": "x"}, token=contact)).status == 404
    for action, body in (("approval", {}), ("denial", {"reason": "x"}), ("revocation", {"reason": "x"})):
        assert (await api.post(f"/exceptions/1/{action}", body, token=contact)).status == 403, action
    withdrawn = await api.post("/exceptions/1/withdrawal", {"reason": "sudah selesai"}, token=contact)
    assert (withdrawn.json["state"], withdrawn.json["end_reason"]) == ("withdrawn", "sudah selesai")
    another = await api.post("/exceptions/2/withdrawal", {"reason": "x"}, token=office.sari)
    assert (another.status, "kontak asked for it" in another.text) == (409, True)
    assert (await office.approve(1)).status == 409
    assert (await office.approve(2)).status == 200
    reader = await api.token(Scope.POLICY_READ, login="pembaca")
    assert (await api.post("/exceptions", ASK, token=reader)).status == 403


async def test_denied_or_revoked_it_is_over_at_once(office: Office) -> None:
    api = office.api
    await office.ask(scope={"kind": "regency"})
    await office.ask(scope={"kind": "regency"})
    denied = await api.post("/exceptions/1/denial", {"reason": "pakai jaringan tamu"}, token=office.budi)
    assert (denied.json["state"], denied.json["decision_note"]) == ("denied", "pakai jaringan tamu")
    assert (await office.approve(1)).status == 409
    assert (await office.approve(2)).status == 200
    assert await office.verdict(SCHOOLS, "tiktok.com") == LET
    rules = (await api.get("/rules?exception=true")).json["items"]
    for method, body in (("PATCH", {"title": "x"}), ("DELETE", None)):
        refused = await api.call(method, f"/rules/{rules[0]['id']}", body, match="*")
        assert (refused.status, "two people decided" in refused.text) == (409, True)
    published = api.program.published
    revoked = await api.post("/exceptions/2/revocation", {"reason": "disalahgunakan"}, token=office.sari)
    assert (revoked.json["state"], revoked.json["ended_by"], revoked.json["valid_until"] is not None) == (
        "revoked",
        "sari",
        True,
    )
    assert (revoked.headers["Saring-In-Force"], api.program.published) == ("yes", published + 1)
    assert await office.verdict(SCHOOLS, "tiktok.com") == BLOCKED
    assert (await api.post("/exceptions/2/revocation", {"reason": "x"}, token=office.sari)).status == 409
    assert await office.journal() == [
        ("request", "sari"),
        ("request", "sari"),
        ("deny", "budi"),
        ("approve", "budi"),
        ("revoke", "sari"),
    ]


async def test_none_is_open_ended(office: Office) -> None:
    api = office.api
    long = await api.post("/exceptions", ASK | {"scope": {"kind": "regency"}, "duration_s": 91 * DAY_S})
    assert (long.status, "at most 90 days" in long.text) == (422, True)
    for wrong in (
        {"duration_s": 299},
        {"duration_s": None},
        {"duration_s": 1097 * DAY_S},
        {"starts": "2026-11-23T00:00:00Z"},
        {"starts": "2028-11-24T00:00:00Z"},
        {"reason": ""},
        {"contact": ""},
        {"schedule": "tidak-ada"},
        {"target": {"kind": "service", "value": "tidak-ada"}},
        {"scope": {"kind": "agency", "id": 99}},
    ):
        asked = await api.post("/exceptions", ASK | {"scope": {"kind": "regency"}} | wrong)
        assert asked.status == 422, wrong
    assert (await api.post("/exceptions", ASK)).fields() == {"scope": "is missing"}
    unknown = await api.post("/exceptions", ASK | {"client": "192.0.2.9"})
    assert unknown.fields() == {"client": "is in no registered network, so nobody knows whose it is"}
    await office.ask(scope={"kind": "regency"})
    regency = await api.get("/regency")
    await api.call("PATCH", "/regency", {"exception_max_days": 2}, match=regency.etag)
    assert (await office.approve(1)).fields() == {"duration_s": "an exception holds for at most 2 days here"}
    assert (await office.approve(1, duration_s=2 * DAY_S)).status == 200


async def test_what_frees_negative_content_says_so_and_needs_a_letter(office: Office, tmp_path: Path) -> None:
    api = office.api
    await _listed(api, tmp_path, ["slot.judi.example", "poker.example"])
    regency = {"scope": {"kind": "regency"}}
    for target, because in (
        ({"kind": "name", "value": "www.poker.example"}, "poker.example is on list judi (perjudian, negative)"),
        ({"kind": "wildcard", "value": "judi.example"}, "slot.judi.example is on list judi (perjudian, negative)"),
        ({"kind": "list", "value": "judi"}, "list judi feeds perjudian, which is negative"),
        ({"kind": "category", "value": "perjudian"}, "category perjudian is negative"),
        ({"kind": "regex", "value": "^x"}, "an expression may match names of every negative list"),
    ):
        asked = await office.ask(target=target, **regency)
        assert (asked["negative"], asked["letter_required"]) == ([because], True), target
    harmless = await office.ask(target={"kind": "name", "value": "judi.example"}, **regency)
    assert harmless["negative"] == []
    refused = await office.approve(1)
    assert set(refused.fields()) == {"basis.number", "basis.date", "basis.signer"}
    assert "would let negative content through: poker.example is on list judi" in refused.fields()["basis.number"]
    half = await office.approve(1, basis=LETTER | {"signer": ""})
    assert list(half.fields()) == ["basis.signer"]
    sha256 = "0" * 64
    approved = await office.approve(1, basis=LETTER | {"document_sha256": sha256})
    assert approved.status == 200, approved.text
    rule = next(rule for rule in (await read_policy(api.sessions)).rules if rule.exception)
    assert (rule.basis.number, rule.basis.document_sha256) == ("800/1", sha256)


async def _listed(api: Api, directory: Path, names: list[str]) -> None:
    body = {"code": "judi", "title": "Judi", "location": str(directory / "judi.txt"), "categories": ["perjudian"]}
    await api.made("/blocklists", body)
    (directory / "judi.txt").write_bytes(plain(names))
    config = load(None, {"SARING_CONFIG": "/dev/null"}).config.lists
    async with reading(api.sessions) as session:
        rows = await load_sources(session)
    gate = (await load_admission(api.sessions, config, api.program.now_s)).gate
    await sync_lists(rows, api.services.library, gate, config, SilentBoard(), api.services.clock)


async def test_letters_are_demanded_where_the_regency_says_so(office: Office) -> None:
    api = office.api
    regency = await api.get("/regency")
    settings = {"letters_for": ["exception", "mandatory"], "letters_with_document": True}
    changed = await api.call("PATCH", "/regency", settings, match=regency.etag)
    assert (changed.json["letters_for"], changed.json["letters_with_document"]) == (["exception", "mandatory"], True)
    await office.ask(scope={"kind": "regency"}, basis=LETTER)
    assert list((await office.approve(1)).fields()) == ["basis.document_sha256"]
    assert (await office.approve(1, basis=LETTER | {"document_sha256": "ab" * 32})).status == 200
    rule = {"title": "R", "scope": {"kind": "regency"}, "target": {"kind": "name", "value": "a.example"}}
    refused = await api.post("/rules", rule | {"action": "block", "mandatory": True})
    assert set(refused.fields()) == {"basis.number", "basis.date", "basis.signer", "basis.document_sha256"}
    assert "every rule of the kind mandatory rests on an official letter here" in refused.text
    assert "sha256sum" in refused.text
    assert (await api.post("/rules", rule | {"action": "block"})).status == 201
    complete = rule | {"action": "block", "mandatory": True, "basis": LETTER | {"document_sha256": "ab" * 32}}
    complete["target"] = {"kind": "name", "value": "b.example"}
    assert (await api.post("/rules", complete)).status == 201


def test_the_library_is_what_is_asked(tmp_path: Path) -> None:
    target = Target(TargetKind.NAME, "a.example")
    assert negative_grounds(government(), Library(tmp_path), target) == ()
    assert negative_grounds(government(), None, Target(TargetKind.NETWORK, "203.0.113.0/24")) == ()
    service = Target(TargetKind.SERVICE, "tiktok")
    bad = government()
    shady = replace(bad, services=(replace(bad.services[0], category_id=1),))
    assert negative_grounds(shady, None, service) == ("service tiktok is in perjudian, which is negative",)
    inside = Target(TargetKind.WILDCARD, "com")
    assert "tiktok.com is of service tiktok (perjudian, negative)" in negative_grounds(shady, None, inside)


async def test_a_request_may_lose_what_it_speaks_of_and_is_void_after_a_month(office: Office) -> None:
    api = office.api
    await api.made("/categories", {"code": "gim", "title": "Gim"})
    await office.ask(target={"kind": "category", "value": "gim"}, scope={"kind": "regency"})
    gone = await api.call("DELETE", "/categories/3", match="*")
    assert gone.status == 204, gone.text
    assert (await office.approve(1)).fields() == {"target.value": "there is no such resource"}
    assert (await api.get("/exceptions/1")).json["state"] == "requested"
    for path in ("approval", "denial", "revocation", "withdrawal"):
        body = {} if path == "approval" else {"reason": "x"}
        assert (await api.post(f"/exceptions/9/{path}", body)).status == 404
    await office.ask(scope={"kind": "regency"})
    office.api.program.now_s += 30 * DAY_S
    late = await office.approve(2)
    assert (late.status, "expired" in late.text) == (409, True)
    revision = (await read_policy(office.api.sessions)).revision
    assert await note_what_has_passed(office.api.sessions, office.api.program.now_s) == 2
    assert (await read_policy(office.api.sessions)).revision == revision
    shown = (await office.api.get("/exceptions/2")).json
    assert (shown["state"], shown["end_reason"]) == ("expired", "nobody decided in time")


async def test_pages_filters_and_what_would_change_nothing(office: Office) -> None:
    for agency in (1, 2, 1):
        await office.ask(scope={"kind": "agency", "id": agency})
    approved = (await office.approve(2)).json
    get = office.api.get
    first = (await get("/exceptions?limit=2")).json
    assert [one["id"] for one in first["items"]] == [1, 2]
    assert [one["id"] for one in (await get(f"/exceptions?cursor={first['next_cursor']}")).json["items"]] == [3]
    assert [one["id"] for one in (await get("/exceptions?state=requested&agency_id=1")).json["items"]] == [1, 3]
    by_rule = (await get(f"/exceptions?rule_id={approved['rule_id']}")).json["items"]
    assert [one["state"] for one in by_rule] == ["approved"]
    mandatory = {"title": "Satu pintu", "scope": {"kind": "regency"}, "action": "block", "mandatory": True}
    await office.api.made("/rules", mandatory | {"target": {"kind": "service", "value": "tiktok"}})
    asked = await office.ask(scope={"kind": "agency", "id": 1})
    [finding] = asked["findings"]
    assert (finding["severity"], finding["part"]) == ("warning", "rule")
    assert "(Satu pintu) always wins, for mandatory rules go before exceptions" in finding["message"]
    approved = await office.approve(4)
    assert [one["message"] for one in approved.json["findings"]] == [finding["message"]]
    assert "always wins" in approved.headers["Saring-Warning"]
