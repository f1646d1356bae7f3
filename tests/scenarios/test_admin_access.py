"""Who may do what: tokens, scopes, agency contacts, the first administrator, and what hostile clients get."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from admin_api.features.setup import MAX_ATTEMPTS, issue_setup_code
from admin_api.rest.auth import Scope
from admin_api.services import Limits
from tests.support.admin import ADMIN, Api, new_sqlite, running_api
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates

DINKES = {"code": "dinkes", "name": "Dinas Kesehatan"}
DISDIK = {"code": "disdik", "name": "Dinas Pendidikan"}


async def two_agencies(api: Api) -> str:
    """Two agencies with all that belongs to them; the secret of a token of the first one's contact."""
    for number, agency in enumerate((DINKES, DISDIK), start=1):
        await api.made("/agencies", agency)
        await api.made("/units", {"agency_id": number, "code": "umum", "name": "Umum"})
        await api.made("/networks", {"cidr": f"10.{number}.0.0/16", "agency_id": number})
    target = {"kind": "name", "value": "a.example"}
    for scope in (
        {"kind": "regency"},
        {"kind": "agency", "id": 1},
        {"kind": "agency", "id": 2},
        {"kind": "unit", "id": 2},
    ):
        await api.made("/rules", {"title": str(scope), "scope": scope, "target": target, "action": "block"})
    return await api.token(Scope.POLICY_READ, Scope.QUERIES_READ, login="kontak", agency_id=1)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", "Basic YTpi", f"Bearer {ADMIN[:-1]}b", f"Token {ADMIN}", "Bearer saring_\u00e9"],
)
async def test_what_is_no_token_of_ours_opens_nothing(sqlite_api: Api, authorization: str) -> None:
    refused = await sqlite_api.get("/agencies", token=None, headers={"Authorization": authorization})
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.headers["Content-Type"].startswith("application/problem+json")


async def test_a_token_opens_what_its_scopes_say(sqlite_api: Api) -> None:
    auditor = await sqlite_api.token(Scope.AUDIT_READ, Scope.POLICY_READ, login="auditor")
    assert (await sqlite_api.get("/audit", token=auditor)).status == 200
    assert (await sqlite_api.get("/agencies", token=auditor)).status == 200
    for method, path in (
        ("POST", "/agencies"),
        ("PATCH", "/agencies/1"),
        ("DELETE", "/agencies/1"),
        ("GET", "/queries"),
        ("GET", "/tokens"),
        ("GET", "/blocklists"),
        ("GET", "/status"),
        ("POST", "/reload"),
        ("POST", "/cache/flushes"),
        ("PUT", "/regency"),
    ):
        refused = await sqlite_api.call(method, path, DINKES, token=auditor)
        assert refused.status == 403, (method, path)
        assert "lacks the scope" in refused.json["detail"]


async def test_a_secret_is_shown_once_and_only_its_hash_is_kept(sqlite_api: Api) -> None:
    await sqlite_api.made("/users", {"login": "sari", "name": "Sari"})
    made = await sqlite_api.made("/tokens", {"user_id": 2, "title": "laptop", "scopes": ["policy:read"]})
    secret = made.json["secret"]
    assert secret.startswith("saring_")
    assert len(secret) == len("saring_") + 64
    shown = await sqlite_api.get(f"/tokens/{made.json['id']}")
    assert "secret" not in shown.json
    assert shown.json["last_used"] is None
    audit = (await sqlite_api.get("/audit")).text
    assert secret not in audit
    assert (await sqlite_api.get("/agencies", token=secret)).status == 200
    assert (await sqlite_api.get(f"/tokens/{made.json['id']}")).json["last_used"] == "2026-11-24T00:00:00Z"
    await sqlite_api.call("DELETE", f"/tokens/{made.json['id']}", match=made.etag)
    assert (await sqlite_api.get("/agencies", token=secret)).status == 401


async def test_a_token_ends_with_its_time_and_with_its_user(sqlite_api: Api) -> None:
    user = await sqlite_api.made("/users", {"login": "sari", "name": "Sari"})
    body = {"user_id": 2, "title": "t", "scopes": ["policy:read"], "expires": "2026-11-24T07:10:00+07:00"}
    secret = (await sqlite_api.made("/tokens", body)).json["secret"]
    sqlite_api.program.now_s += 599
    assert (await sqlite_api.get("/agencies", token=secret)).status == 200
    sqlite_api.program.now_s += 1
    assert (await sqlite_api.get("/agencies", token=secret)).status == 401
    late = await sqlite_api.post("/tokens", body)
    assert late.fields() == {"expires": "has passed"}
    lasting = (await sqlite_api.made("/tokens", body | {"expires": None})).json["secret"]
    assert (await sqlite_api.get("/agencies", token=lasting)).status == 200
    await sqlite_api.call("PATCH", "/users/2", {"active": False}, match=user.etag)
    assert (await sqlite_api.get("/agencies", token=lasting)).status == 401


async def test_the_last_administrator_cannot_be_locked_out(sqlite_api: Api) -> None:
    token = await sqlite_api.get("/tokens/1")
    user = await sqlite_api.get("/users/1")
    assert (await sqlite_api.call("DELETE", "/tokens/1", match=token.etag)).status == 409
    fewer = await sqlite_api.call("PATCH", "/tokens/1", {"scopes": ["policy:read"]}, match=token.etag)
    assert fewer.status == 409
    assert (await sqlite_api.call("PATCH", "/users/1", {"active": False}, match=user.etag)).status == 409
    await sqlite_api.made("/tokens", {"user_id": 1, "title": "second", "scopes": ["admin"]})
    assert (await sqlite_api.call("DELETE", "/tokens/1", match=token.etag)).status == 204


async def test_a_contact_sees_its_agency_and_nothing_of_the_others(sqlite_api: Api) -> None:
    contact = await two_agencies(sqlite_api)
    for path in ("/agencies", "/units", "/networks"):
        assert len((await sqlite_api.get(path, token=contact)).json["items"]) == 1, path
        assert (await sqlite_api.get(f"{path}/1", token=contact)).status == 200, path
        assert (await sqlite_api.get(f"{path}/2", token=contact)).status == 404, path
    assert (await sqlite_api.get("/units?agency_id=2", token=contact)).json["items"] == []
    rules = (await sqlite_api.get("/rules", token=contact)).json["items"]
    assert [rule["id"] for rule in rules] == [1, 2]
    assert (await sqlite_api.get("/rules/4", token=contact)).status == 404


async def test_a_contact_reads_only_its_agencys_queries_and_every_read_is_recorded(sqlite_api: Api) -> None:
    contact = await two_agencies(sqlite_api)
    sqlite_api.store.add(agency="dinkes", name="a.example")
    sqlite_api.store.add(agency="disdik", name="b.example")
    for path in ("/queries", "/queries/tail"):
        names = [row["name"] for row in (await sqlite_api.get(path, token=contact)).json["items"]]
        assert names == ["a.example"], path
    assert (await sqlite_api.get("/queries/totals", token=contact)).json["by_agency"] == {"dinkes": {"blocked": 1}}
    assert (await sqlite_api.get("/queries/top", token=contact)).json["items"] == [{"value": "a.example", "answers": 1}]
    assert (await sqlite_api.get("/queries?agency=disdik", token=contact)).status == 403
    assert (await sqlite_api.get("/queries/gaps", token=contact)).status == 403
    rows = (await sqlite_api.get("/audit?kind=queries")).json["items"]
    assert [(row["login"], row["action"], row["label"]) for row in rows] == [
        ("kontak", "top", "dinkes"),
        ("kontak", "totals", "dinkes"),
        ("kontak", "tail", "dinkes"),
        ("kontak", "search", "dinkes"),
    ]


async def test_a_contacts_token_cannot_be_given_more(sqlite_api: Api) -> None:
    await sqlite_api.made("/agencies", DINKES)
    for scope in ("admin", "policy:write", "lists:write", "status:read", "audit:read"):
        body = {"user_id": 1, "title": "t", "scopes": [scope], "agency_id": 1}
        assert (await sqlite_api.post("/tokens", body)).status == 422, scope


async def test_queries_are_searched_page_by_page(sqlite_api: Api) -> None:
    for number in range(5):
        sqlite_api.store.add(name=f"n{number}.example", rrtype=65 if number % 2 else 1)
    first = await sqlite_api.get("/queries?limit=2")
    assert [row["name"] for row in first.json["items"]] == ["n4.example", "n3.example"]
    assert first.json["items"][1] | {"type": "HTTPS", "rcode": "NXDOMAIN"} == first.json["items"][1]
    link = first.headers["Link"]
    second = await sqlite_api.call("GET", "//" + link[2 : link.index(">")])
    assert [row["name"] for row in second.json["items"]] == ["n2.example", "n1.example"]
    assert len((await sqlite_api.get("/queries?type=HTTPS")).json["items"]) == 2
    assert len((await sqlite_api.get("/queries?until=2026-11-24T00:00:00.000003Z")).json["items"]) == 2
    for query in ("cursor=x", "type=FOO", "verdict=bad", "client=10.1", "since=2026-11-24", "since=0", "rcode=-1"):
        refused = await sqlite_api.get(f"/queries?{query}")
        assert refused.status == 422, query
    sqlite_api.store.down = True
    assert (await sqlite_api.get("/queries")).status == 503


async def issue(api: Api, valid_s: float = 600) -> str | None:
    async with api.sessions.begin() as session:
        return await issue_setup_code(session, b"\x01" * 15, api.program.now_s, valid_s)


SETUP: dict[str, Any] = {"login": "kepala", "name": "Kepala Dinas"}


async def without_admins(api: Api) -> None:
    from sqlalchemy import delete

    from admin_api.models import Token

    async with api.sessions.begin() as session:
        await session.execute(delete(Token))


async def test_the_setup_code_makes_the_first_administrator_once(sqlite_api: Api) -> None:
    assert await issue(sqlite_api) is None
    await without_admins(sqlite_api)
    code = await issue(sqlite_api)
    assert code is not None
    typed = code.lower().replace("-", " ")
    answers = await asyncio.gather(
        *(sqlite_api.post("/setup", SETUP | {"code": typed, "login": f"u{n}"}, token=None) for n in range(4))
    )
    made = [answer for answer in answers if answer.status == 201]
    assert len(made) == 1
    assert {answer.status for answer in answers} == {201, 403}
    assert (await sqlite_api.get("/tokens", token=made[0].json["secret"])).status == 200
    assert await issue(sqlite_api) is None


async def test_the_setup_code_expires_and_is_void_after_too_many_attempts(sqlite_api: Api) -> None:
    await without_admins(sqlite_api)
    code = await issue(sqlite_api, valid_s=60)
    sqlite_api.program.now_s += 60
    assert (await sqlite_api.post("/setup", SETUP | {"code": code}, token=None)).status == 403
    code = await issue(sqlite_api)
    for _ in range(MAX_ATTEMPTS):
        assert (await sqlite_api.post("/setup", SETUP | {"code": "WRONG"}, token=None)).status == 403
    assert (await sqlite_api.post("/setup", SETUP | {"code": code}, token=None)).status == 403


async def test_an_address_that_fails_too_often_must_wait(templates: dict[str, str], tmp_path: Path) -> None:
    limits = Limits(failed_auth_per_minute=3)
    async with running_api(new_sqlite(templates, tmp_path), tmp_path, limits=limits) as api:
        for _ in range(3):
            assert (await api.get("/agencies", token="saring_x")).status == 401
        limited = await api.get("/agencies")
        assert limited.status == 429
        assert int(limited.headers["Retry-After"]) == 60
        assert (await api.post("/setup", SETUP | {"code": "x"}, token=None)).status == 429
        api.program.now_s += 60
        assert (await api.get("/agencies")).status == 200


async def test_bodies_of_the_wrong_kind_are_refused_by_name(templates: dict[str, str], tmp_path: Path) -> None:
    limits = Limits(max_body_size_bytes=2000)
    async with running_api(new_sqlite(templates, tmp_path), tmp_path, limits=limits) as api:
        deep = b'{"code":' + b"[" * 40 + b"]" * 40 + b"}"
        huge_number = b'{"code": "a", "name": "b", "allow_list_only": ' + b"9" * 500 + b"}"
        for data, content_type, status in (
            (b"{}", "text/plain", 415),
            (b"{}", "application/json; charset=latin-1", 415),
            (b"", "application/json", 400),
            (b"{", "application/json", 400),
            (b'{"a": NaN}', "application/json", 400),
            (b"\xff", "application/json", 400),
            (deep, "application/json", 400),
            (b'"' + b"x" * 3000 + b'"', "application/json", 413),
            (b"[]", "application/json", 422),
            (b"null", "application/json", 422),
            (b'{"code": "a", "name": "\\ud800"}', "application/json", 400),
            (b'{"code": "a", "name": "\\u0000"}', "application/json", 422),
            (huge_number, "application/json", 422),
        ):
            refused = await api.call("POST", "/agencies", data=data, headers={"Content-Type": content_type})
            assert refused.status == status, (data[:40], refused.text)
            assert refused.headers["Content-Type"].startswith("application/problem+json")
            assert "Traceback" not in refused.text
        gzip = await api.post("/agencies", DINKES, headers={"Content-Encoding": "gzip"})
        assert gzip.status in (400, 415)


async def test_every_answer_carries_the_security_headers_and_an_identifier(sqlite_api: Api) -> None:
    for path in ("/agencies", "/nothing", "/agencies/x", "//healthz"):
        answer = await sqlite_api.get(path, headers={"Origin": "https://evil.example"})
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "saring"
        assert len(answer.headers["X-Request-ID"]) == 16
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    wrong = await sqlite_api.call("DELETE", "/agencies")
    assert wrong.status == 405
    assert wrong.headers["Allow"] == "GET, POST"


async def test_a_failure_inside_gives_an_identifier_and_no_trace(sqlite_api: Api) -> None:
    def broken() -> None:
        raise ZeroDivisionError("secret path /var/lib/saring")

    object.__setattr__(sqlite_api.services, "status", broken)
    answer = await sqlite_api.get("/status")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert answer.json["instance"].endswith(answer.headers["X-Request-ID"])
