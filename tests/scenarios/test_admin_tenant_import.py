"""All tenants from one file: shown first, then done at once, journalled row by row, published once."""

from __future__ import annotations

import io
import json
from pathlib import Path

from admin_api.rest.auth import Scope
from admin_api.tenant_csv import MAX_SIZE_BYTES
from admin_api.to_policy import read_policy
from tests.support.admin import Api, Response
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.command_line import Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run
from tests.support.postgresql import postgresql as postgresql

CSV = {"Content-Type": "text/csv; charset=utf-8"}
FILE = """\
kode_opd;nama_opd;kode_unit;nama_unit;jaringan;hanya_yang_diizinkan
dinkes;Dinas Kesehatan;;;10.20.4.0/22;
dinkes;;igd;IGD;10.20.5.0/24;ya
setda;Sekretariat Daerah;;;10.20.8.0/22;
"""


async def bring(api: Api, text: str, query: str = "dry_run=false", **more: object) -> Response:
    return await api.call("POST", f"/import/tenants?{query}", data=io.BytesIO(text.encode()), headers=CSV, **more)


async def test_a_file_becomes_tenants_in_one_edit(api: Api) -> None:
    shown = await bring(api, FILE, query="")
    assert not shown.json["applied"]
    assert len(shown.json["steps"]) == 6
    assert (await read_policy(api.sessions)).agencies == ()
    done = await bring(api, FILE)
    assert done.json == shown.json | {"applied": True}
    assert done.headers["Saring-In-Force"] == "yes"
    policy = await read_policy(api.sessions)
    assert [(agency.code, agency.name) for agency in policy.agencies] == [
        ("dinkes", "Dinas Kesehatan"),
        ("setda", "Sekretariat Daerah"),
    ]
    assert policy.units[0].allow_list_only
    dinkes, setda = (agency.id for agency in policy.agencies)  # what was rehearsed has used up identifiers
    assert [(n.cidr, n.agency_id, n.unit_id) for n in policy.networks] == [
        ("10.20.4.0/22", dinkes, 0),
        ("10.20.5.0/24", dinkes, policy.units[0].id),
        ("10.20.8.0/22", setda, 0),
    ]
    journal = (await api.get("/audit")).json["items"]
    assert {(row["action"], row["revision"]) for row in journal} == {("create", 1)}
    assert len(journal) == 6
    assert (policy.revision, api.program.published) == (1, 1)

    exported = await api.get("/export/tenants")
    assert exported.headers["Content-Type"].startswith("text/csv")
    again = await bring(api, exported.text, query="dry_run=false&prune=true")
    assert (again.json["applied"], again.json["unchanged"], again.json["steps"]) == (False, 6, [])
    assert api.program.published == 1


async def test_changes_name_what_was_and_who_loses_addresses(sqlite_api: Api) -> None:
    api = sqlite_api
    await bring(api, FILE)
    text = "agency,agency_name,network\nsetda,Setda,10.20.5.0/24\nsetda,,10.20.6.128/25\n"
    done = await bring(api, text)
    steps = [(step["fate"], step["label"], step["before"], step["after"]) for step in done.json["steps"]]
    assert steps[:3] == [
        ("change", "setda", {"name": "Sekretariat Daerah"}, {"name": "Setda"}),
        ("change", "10.20.5.0/24", {"tenant": "dinkes/igd"}, {"tenant": "setda"}),
        ("create", "10.20.6.128/25", {}, {"tenant": "setda"}),
    ]
    assert {step[0] for step in steps[3:]} == {"absent"}
    assert [(loss["network"], loss["winner"], loss["loser"]) for loss in done.json["losses"]] == [
        ("10.20.5.0/24", "setda", "dinkes"),
        ("10.20.6.128/25", "setda", "dinkes"),
    ]
    assert done.json["warnings"] == []
    moved = (await read_policy(api.sessions)).networks[1]
    assert (moved.agency_id, moved.unit_id) == (2, 0)
    [update] = (await api.get("/audit?kind=network&action=update")).json["items"]
    assert update["before"] == {"agency_id": 1, "unit_id": 1}


async def test_pruning_is_asked_for_and_stops_at_what_is_still_needed(sqlite_api: Api) -> None:
    api = sqlite_api
    await bring(api, FILE)
    rule = {
        "title": "r",
        "scope": {"kind": "unit", "id": 1},
        "target": {"kind": "name", "value": "a.example"},
        "action": "block",
    }
    made = await api.made("/rules", rule)
    only = "agency,network\nsetda,10.20.8.0/22\n"
    refused = await bring(api, only, query="prune=true&dry_run=false")
    assert refused.status == 422
    assert set(refused.fields()) == {"prune: unit dinkes/igd", "prune: agency dinkes"}
    assert len((await read_policy(api.sessions)).networks) == 3
    await api.call("DELETE", "/rules/1", match=made.etag)
    done = await bring(api, only, query="prune=true&dry_run=false")
    assert [step["label"] for step in done.json["steps"]] == ["10.20.4.0/22", "10.20.5.0/24", "dinkes/igd", "dinkes"]
    policy = await read_policy(api.sessions)
    assert ([agency.code for agency in policy.agencies], policy.units, len(policy.networks)) == (["setda"], (), 1)


async def test_wrong_files_change_nothing(sqlite_api: Api) -> None:
    refused = await bring(sqlite_api, FILE + "setda;;;;10.20.9.1/24;vielleicht\nneu;;;;;\n")
    assert refused.status == 422
    assert set(refused.fields()) == {"line 5: network", "line 5: allow_list_only"}
    assert (await bring(sqlite_api, "")).status == 422
    assert (await bring(sqlite_api, "x" * (MAX_SIZE_BYTES + 1))).status == 413
    assert (await bring(sqlite_api, "agency\n" + "#" * 300_000)).status == 422  # larger than other bodies may be
    assert (await sqlite_api.post("/import/tenants", {"agency": "x"})).status == 415
    token = await sqlite_api.token(Scope.POLICY_READ)
    assert (await bring(sqlite_api, FILE, token=token)).status == 403
    assert (await read_policy(sqlite_api.sessions)).agencies == ()


def test_the_command_shows_first_and_does_with_yes(filled: Run, tmp_path: Path) -> None:
    file = tmp_path / "opd.csv"
    file.write_text(FILE.replace("10.20.8.0/22", "10.20.0.64/26"), encoding="utf-8")
    shown = filled("tenants", "import", str(file))
    assert shown.exit_code == 0, shown.output
    assert "10.20.0.64/26 of setda lies inside 10.20.0.0/24 of dinkes: setda has these 64 addresses" in shown.output
    assert "nothing was done: --yes does it" in shown.output
    done = json.loads(filled("tenants", "import", str(file), "--yes", "--json").output)
    assert done["applied"]
    assert filled("tenants", "export", "semua.csv").exit_code == 0
    assert "nothing to do" in filled("tenants", "import", "semua.csv", "--prune").output
    assert filled("tenants", "export").output.startswith("kode_opd,nama_opd")
    file.write_text("agency;network\ndinkes;10.0.0.300\n", encoding="utf-8")
    wrong = filled("tenants", "import", str(file), "--yes")
    assert wrong.exit_code == 1
    assert "line 2: network (10.0.0.300): not an address range" in wrong.output
    for flags in (("--yes", "--dry-run"), ("--prune", "--colour")):
        assert filled("tenants", "import", str(file), *flags).exit_code == 2
