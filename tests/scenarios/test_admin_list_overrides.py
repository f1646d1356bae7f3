"""Letting in a refused content: two people, exactly this content, for a while; from the API to the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin_api.database import editing, reading
from admin_api.journal import Actor
from admin_api.overrides import OverrideRefusedError, approve_override
from admin_api.rest.auth import Scope
from admin_api.to_policy import load_sources
from blocklists.admission import Gate
from blocklists.progress import SilentBoard
from saring.config import load
from saring.list_gate import Admission, load_admission, note_used
from saring.list_sync import Synced, sync_lists
from tests.support.admin import Api
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.lists import plain
from tests.support.postgresql import postgresql as postgresql

NAMES = [f"situs{number}.example" for number in range(200)]
REASON = "penerbit membersihkan daftarnya, sudah ditelepon"


class Nights:
    """The sync job's part, over the API's own database and library."""

    def __init__(self, api: Api, directory: Path) -> None:
        self.api = api
        self.file = directory / "judi.txt"
        self.config = load(None, {"SARING_CONFIG": "/dev/null"}).config.lists

    async def admission(self) -> Admission:
        return await load_admission(self.api.sessions, self.config, self.api.program.now_s)

    async def sync(self, content: bytes) -> Synced:
        self.file.unlink(missing_ok=True)
        self.file.write_bytes(content)
        self.api.program.now_s += 60
        async with reading(self.api.sessions) as session:
            rows = await load_sources(session)
        admission = await self.admission()
        clock = self.api.services.clock
        library = self.api.services.library
        results = await sync_lists(rows, library, admission.gate, self.config, SilentBoard(), clock, admission.accepted)
        await note_used(self.api.sessions, results, clock())
        return results[0]


async def refused_list(api: Api, directory: Path) -> tuple[Nights, str]:
    """A list whose update shrank too much; its content's checksum."""
    await api.made("/categories", {"code": "perjudian", "title": "Perjudian"})
    body = {"code": "judi", "title": "Judi", "location": str(directory / "judi.txt"), "categories": ["perjudian"]}
    await api.made("/blocklists", body)
    nights = Nights(api, directory)
    assert (await nights.sync(plain(NAMES))).kind == "admitted"
    refused = await nights.sync(plain(NAMES[:50]))
    assert (refused.kind, refused.version, refused.names) == ("refused", 1, 200)
    return nights, refused.sha256


async def test_two_people_let_in_exactly_one_content_once(api: Api, tmp_path: Path) -> None:
    nights, sha256 = await refused_list(api, tmp_path)
    sari = await api.token(Scope.LISTS_WRITE, Scope.LISTS_READ, login="sari")
    budi = await api.token(Scope.LISTS_WRITE, login="budi")
    state = (await api.get("/blocklists/1/state", token=sari)).json["refusal"]
    assert (state["code"], state["sha256"], state["line"], state["final"]) == ("shrunk", sha256, 0, False)
    assert state["cause"] in state["sentence"]
    assert "Version 1 with 200 names is still served" in state["sentence"]

    body = {"sha256": sha256, "reason": REASON}
    asked = await api.post("/blocklists/1/overrides", body, token=sari)
    assert (asked.status, asked.json["state"], asked.json["requested_by"]) == (201, "pending", "sari")
    assert (await nights.sync(plain(NAMES[:50]))).kind == "refused", "one person is not enough"
    own = await api.post("/list-overrides/1/approval", token=sari)
    assert (own.status, "another person" in own.text) == (409, True)
    assert (await api.post("/blocklists/1/overrides", body, token=budi)).status == 409

    api.program.synced.clear()
    approved = await api.post("/list-overrides/1/approval", token=budi)
    assert (approved.json["state"], approved.json["approved_by"]) == ("approved", "budi")
    assert api.program.synced == ["judi"]
    assert (await nights.sync(plain(NAMES[:49]))).kind == "refused", "another content is not this one"
    done = await nights.sync(plain(NAMES[:50]))
    assert (done.kind, done.version, done.names) == ("admitted", 2, 50)
    assert "in spite of" in done.text

    used = (await api.get("/list-overrides/1", token=sari)).json
    assert (used["state"], used["used_version"]) == ("used", 2)
    assert (await api.get("/blocklists/1/state")).json["refusal"] is None
    assert "shrank" in (await api.get("/blocklists/1/history")).json["versions"][1]["overridden"]
    rows = (await api.get("/audit?kind=list%20override")).json["items"]
    assert [(row["action"], row["login"], row["label"]) for row in reversed(rows)] == [
        ("request", "sari", "judi"),
        ("approve", "budi", "judi"),
        ("admit", "sync", "judi"),
    ]
    assert (await nights.sync(plain(NAMES))).kind == "admitted"
    assert (await nights.sync(plain(NAMES[:50]))).kind == "refused", "it counts once"
    assert (await nights.admission()).accepted == {}


async def test_an_override_ends_by_itself_or_is_withdrawn(sqlite_api: Api, tmp_path: Path) -> None:
    nights, sha256 = await refused_list(sqlite_api, tmp_path)
    budi = await sqlite_api.token(Scope.LISTS_WRITE, login="budi")
    body = {"sha256": sha256, "reason": REASON, "valid_s": 3600}
    await sqlite_api.post("/blocklists/1/overrides", body)
    sqlite_api.program.now_s += 3600
    late = await sqlite_api.post("/list-overrides/1/approval", token=budi)
    assert (late.status, "expired" in late.text) == (409, True)
    await sqlite_api.post("/blocklists/1/overrides", body)
    assert (await sqlite_api.post("/list-overrides/2/approval", token=budi)).status == 200
    assert (await nights.admission()).accepted == {"judi": sha256}
    assert (await sqlite_api.post("/list-overrides/2/withdrawal")).json["state"] == "withdrawn"
    assert (await sqlite_api.post("/list-overrides/2/withdrawal")).status == 409
    assert (await nights.sync(plain(NAMES[:50]))).kind == "refused"
    items = (await sqlite_api.get("/list-overrides?limit=1")).json
    assert [item["state"] for item in items["items"]] == ["expired"]
    rest = (await sqlite_api.get(f"/list-overrides?cursor={items['next_cursor']}")).json
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([2], None)


async def test_what_cannot_be_let_in_cannot_be_asked_for(sqlite_api: Api, tmp_path: Path) -> None:
    nights, sha256 = await refused_list(sqlite_api, tmp_path)
    for body, status in (
        ({"sha256": "0" * 64, "reason": REASON}, 409),
        ({"sha256": sha256, "reason": ""}, 422),
        ({"sha256": sha256}, 422),
        ({"sha256": sha256[:-1], "reason": REASON}, 422),
        ({"sha256": sha256, "reason": REASON, "valid_s": 10**9}, 422),
    ):
        assert (await sqlite_api.post("/blocklists/1/overrides", body)).status == status, body
    page = await nights.sync(b"<!DOCTYPE html><html><body>502</body></html>\n")
    final = await sqlite_api.post("/blocklists/1/overrides", {"sha256": page.sha256, "reason": REASON})
    assert (final.status, "nothing to serve" in final.text) == (409, True)
    await nights.sync(plain(NAMES))
    none = await sqlite_api.post("/blocklists/1/overrides", {"sha256": sha256, "reason": REASON})
    assert (none.status, "no update of judi is refused" in none.text) == (409, True)
    assert (await sqlite_api.post("/blocklists/9/overrides", {"sha256": sha256, "reason": REASON})).status == 404
    for path in ("/list-overrides/9/approval", "/list-overrides/9/withdrawal"):
        assert (await sqlite_api.post(path)).status == 404


async def test_overrides_need_the_scope(sqlite_api: Api, tmp_path: Path) -> None:
    _, sha256 = await refused_list(sqlite_api, tmp_path)
    reader = await sqlite_api.token(Scope.LISTS_READ, Scope.POLICY_WRITE, login="pembaca")
    body = {"sha256": sha256, "reason": REASON}
    assert (await sqlite_api.post("/blocklists/1/overrides", body, token=reader)).status == 403
    await sqlite_api.post("/blocklists/1/overrides", body)
    assert (await sqlite_api.post("/list-overrides/1/approval", token=reader)).status == 403
    assert (await sqlite_api.get("/list-overrides", token=reader)).status == 200


async def test_deleting_the_list_takes_its_overrides_along_and_leaves_the_journal(api: Api, tmp_path: Path) -> None:
    _, sha256 = await refused_list(api, tmp_path)
    await api.post("/blocklists/1/overrides", {"sha256": sha256, "reason": REASON})
    deleted = await api.call("DELETE", "/blocklists/1", match=(await api.get("/blocklists/1")).etag)
    assert deleted.status == 204, deleted.text
    assert (await api.get("/list-overrides")).json["items"] == []
    assert len((await api.get("/audit?kind=list%20override")).json["items"]) == 1


async def test_an_approval_stands_when_the_sync_cannot_be_started(sqlite_api: Api, tmp_path: Path) -> None:
    _, sha256 = await refused_list(sqlite_api, tmp_path)
    await sqlite_api.post("/blocklists/1/overrides", {"sha256": sha256, "reason": REASON})
    sqlite_api.program.sync_error = OSError("disk full")
    budi = await sqlite_api.token(Scope.LISTS_WRITE, login="budi")
    approved = await sqlite_api.post("/list-overrides/1/approval", token=budi)
    assert (approved.status, "start it by hand" in approved.headers["Saring-Warning"]) == (200, True)


async def test_a_list_that_would_block_what_must_resolve_is_held(sqlite_api: Api, tmp_path: Path) -> None:
    nights, _ = await refused_list(sqlite_api, tmp_path)
    made = await sqlite_api.made("/must-resolve-names", {"name": "WWW.Bank.Example.", "note": "gaji"})
    assert made.json["name"] == "www.bank.example"
    nights.config = nights.config.model_copy(update={"must_resolve": ("layanan.example",)})
    gate = (await nights.admission()).gate
    assert gate == Gate(must_resolve=("www.bank.example", "layanan.example"))
    held = await nights.sync(plain([*NAMES, "bank.example", "layanan.example"]))
    assert (held.kind, held.line) == ("refused", 201)
    assert (
        "is held: it would block www.bank.example, a name that must resolve, and 1 more: layanan.example" in held.cause
    )
    refusal = (await sqlite_api.get("/blocklists/1/state")).json["refusal"]
    assert (refusal["code"], refusal["held"]) == ("must_resolve", True)
    # Policy does not know these names: nothing was published for them.
    assert "Saring-Generation" not in made.headers


@pytest.mark.parametrize("login", ["budi", "cli:budi"])
async def test_whoever_types_commands_is_the_same_person(sqlite_api: Api, tmp_path: Path, login: str) -> None:
    _, sha256 = await refused_list(sqlite_api, tmp_path)
    budi = await sqlite_api.token(Scope.LISTS_WRITE, login="budi")
    await sqlite_api.post("/blocklists/1/overrides", {"sha256": sha256, "reason": REASON}, token=budi)
    with pytest.raises(OverrideRefusedError, match="another person"):
        async with editing(sqlite_api.sessions) as session:
            await approve_override(session, 1, Actor(login), sqlite_api.program.now_s)
