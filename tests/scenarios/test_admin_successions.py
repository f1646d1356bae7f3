"""Agencies renamed, merged and split: what moves, what stays, who may still look, and that last year's sums hold."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from admin_api.bulk import run_bulk
from admin_api.journal import Actor
from admin_api.models import PauseRow
from admin_api.rest.auth import Scope as TokenScope
from admin_api.seed import ImportRefusedError, import_regency
from admin_api.tenant_csv import CsvError, read_csv
from admin_api.tenant_import import import_tenants
from admin_api.to_policy import read_policy
from policy.model import Policy
from tests.support.admin import NOW_S, Api, Response
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.command_line import DOCUMENT, Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run
from tests.support.postgresql import postgresql as postgresql

BASIS = {"number": "188/7/2026", "date": "2026-11-20", "signer": "Bupati"}


async def regency(api: Api) -> None:
    """Three agencies of a unit each, all called ``umum``, with networks, rules, a forwarder and a device."""
    document: dict[str, Any] = {"regency": {"name": "R"}, "agency": [], "rule": []}
    for number, code in enumerate(("dikbud", "dispora", "setda"), start=1):
        unit = {"code": "umum", "name": "Umum", "networks": [f"10.{number}.7.0/24"]}
        networks = [f"10.{number}.0.0/16"]
        document["agency"].append({"code": code, "name": code.title(), "networks": networks, "unit": [unit]})
        rule = {"title": "r", "target": "name:a.example", "action": "block"}
        document["rule"].append(rule | {"code": f"a-{code}", "scope": f"agency:{code}"})
        document["rule"].append(rule | {"code": f"u-{code}", "scope": f"unit:{code}/umum"})
    document["forwarder"] = [{"cidr": "10.1.0.1", "title": "R", "agencies": ["dikbud", "dispora"], "trusts": ["mac"]}]
    document["device"] = [{"kind": "cpe_id", "value": "ONT 1", "tenant": "unit:dispora/umum"}]
    async with api.sessions.begin() as session:
        await import_regency(session, document, now_s=NOW_S)


async def act(api: Api, name: str, body: dict[str, Any], *, dry_run: bool = False) -> Response:
    return await api.post(f"/successions/{name}?dry_run={str(dry_run).lower()}", body | {"basis": BASIS})


def owners(policy: Policy) -> dict[str, str]:
    """Whose each network is, in codes."""
    agencies = {agency.id: agency.code for agency in policy.agencies}
    units = {unit.id: unit.code for unit in policy.units}
    assert all(unit.agency_id in agencies for unit in policy.units)
    return {
        network.cidr: agencies[network.agency_id] + (f"/{units[network.unit_id]}" if network.unit_id else "")
        for network in policy.networks
    }


async def test_a_renamed_agency_keeps_all_but_its_code(sqlite_api: Api) -> None:
    api = sqlite_api
    await regency(api)
    before = await read_policy(api.sessions)
    shown = await act(api, "rename", {"agency": "dikbud", "code": "disdik", "name": "Disdik"}, dry_run=True)
    assert shown.json["acts"][0]["label"] == "dikbud -> disdik"
    assert (await read_policy(api.sessions)) == before
    done = await act(api, "rename", {"agency": "dikbud", "code": "disdik", "name": "Disdik"})
    assert done.json["applied"]
    assert done.headers["Saring-In-Force"] == "yes"
    after = await read_policy(api.sessions)
    assert (after.agencies[0].id, after.agencies[0].code, after.agencies[0].name) == (1, "disdik", "Disdik")
    assert (after.networks, after.rules, after.revision) == (before.networks, before.rules, before.revision + 1)
    [entry] = (await api.get("/successions")).json["items"]
    assert entry["before"] == [{"agency_id": 1, "code": "dikbud", "name": "Dikbud"}]
    assert entry["units"] == {"dikbud/umum": "disdik/umum"}
    assert entry["basis"]["number"] == "188/7/2026"
    assert (await api.get("/audit?action=rename")).json["items"][0]["after"]["letter"] == "188/7/2026"


async def test_a_code_that_ended_is_nobodys_again(sqlite_api: Api) -> None:
    await regency(sqlite_api)
    await act(sqlite_api, "rename", {"agency": "dikbud", "code": "disdik"})
    again = await sqlite_api.post("/agencies", {"code": "dikbud", "name": "Baru"})
    assert "became disdik (letter 188/7/2026)" in again.fields()["code"]
    back = await act(sqlite_api, "rename", {"agency": "disdik", "code": "dikbud"})
    assert set(back.fields()) == {"code"}
    with pytest.raises(CsvError, match="became disdik"):
        await run_bulk(
            sqlite_api.sessions,
            lambda session: import_tenants(session, read_csv(b"agency,agency_name\ndikbud,X\n"), 0, prune=False),
            Actor("x"),
            0.0,
            apply=True,
        )
    async with sqlite_api.sessions() as session:
        with pytest.raises(ImportRefusedError, match="became disdik"):
            await import_regency(session, tomllib.loads(DOCUMENT.replace("dinkes", "dikbud")), now_s=NOW_S)


async def test_merged_agencies_bring_all_they_have(api: Api) -> None:
    await regency(api)
    async with api.sessions.begin() as session:
        session.add(PauseRow(agency_id=2, from_s=0, until_s=2**40, reason="", author="x"))
    contact = await api.token(TokenScope.POLICY_READ, TokenScope.QUERIES_READ, agency_id=2)
    body = {"agencies": ["dikbud", "dispora"], "into": "disdikpora", "name": "Disdikpora"}
    shown = await act(api, "merge", body, dry_run=True)
    assert "a pause of dispora ends here" in shown.json["warnings"]
    assert any(warning.endswith("of dispora now holds for all of disdikpora") for warning in shown.json["warnings"])
    done = await act(api, "merge", body)
    assert done.json["applied"]
    policy = await read_policy(api.sessions)
    heir = policy.agencies[-1]
    assert [agency.code for agency in policy.agencies] == ["setda", "disdikpora"]
    assert heir.id > 3
    assert owners(policy) == {
        "10.1.0.0/16": "disdikpora",
        "10.1.7.0/24": "disdikpora/umum",
        "10.2.0.0/16": "disdikpora",
        "10.2.7.0/24": "disdikpora/umum-dispora",
        "10.3.0.0/16": "setda",
        "10.3.7.0/24": "setda/umum",
    }
    assert [rule.scope.id for rule in policy.rules] == [heir.id, 1, heir.id, 2, 3, 3]
    assert policy.forwarders[0].agency_ids == (heir.id,)
    assert (policy.devices[0].agency_id, policy.devices[0].unit_id) == (heir.id, 2)
    assert policy.pauses == ()
    # The contact of one of them is the merged agency's now, and sees the rows of its whole past.
    for code, unit in (("dikbud", ""), ("dispora", "umum"), ("disdikpora", "umum-dispora"), ("setda", "")):
        api.store.add(agency=code, unit=unit)
    seen = await api.get("/queries/totals", token=contact)
    assert seen.json["by_agency"] == {"disdikpora": {"blocked": 3}}
    assert (await api.get("/queries?agency=dispora", token=contact)).status == 403
    of_unit = await api.get("/queries?agency=disdikpora&unit=umum-dispora")
    assert [row["agency"] for row in of_unit.json["items"]] == ["disdikpora", "dispora"]
    # A new agency gets a number that none ever had.
    fresh = await api.made("/agencies", {"code": "baru", "name": "Baru"})
    assert fresh.json["id"] > heir.id


async def test_a_split_gives_what_is_asked_and_keeps_the_rest(sqlite_api: Api) -> None:
    api = sqlite_api
    await regency(api)
    part = {"code": "kota", "name": "Kota", "units": ["umum"], "networks": ["10.1.0.0/16"]}
    done = await act(api, "split", {"agency": "dikbud", "parts": [part]})
    assert done.status == 200, done.text
    policy = await read_policy(api.sessions)
    kota = next(agency for agency in policy.agencies if agency.code == "kota")
    assert {cidr: owner for cidr, owner in owners(policy).items() if cidr.startswith("10.1.")} == {
        "10.1.0.0/16": "kota",
        "10.1.7.0/24": "kota/umum",
    }
    # What the parent had for itself holds for the new part, too: a split frees nobody.
    assert [rule.scope.id for rule in policy.rules if rule.scope.kind == "agency"] == [1, 2, 3, kota.id]
    assert policy.forwarders[0].agency_ids == (1, 2, kota.id)
    gone = await act(
        api,
        "split",
        {"agency": "dispora", "parts": [{"code": "setda"}, {"code": "olahraga", "name": "O"}], "rest": "olahraga"},
    )
    assert gone.status == 200, gone.text
    owner = owners(await read_policy(api.sessions))
    assert (owner["10.2.0.0/16"], owner["10.2.7.0/24"]) == ("olahraga", "olahraga/umum")


async def test_sums_hold_through_merges_and_splits(sqlite_api: Api) -> None:
    api = sqlite_api
    await regency(api)
    split_s = int(NOW_S) + 1000
    for second, code in (
        (1, "dikbud"),
        (2, "dispora"),
        (3, "setda"),
        (2000, "dikbud"),
        (2001, "kota"),
        (2002, "setda"),
    ):
        api.store.add(agency=code, time_us=(int(NOW_S) + second) * 1_000_000)
    await act(api, "merge", {"agencies": ["dispora"], "into": "dikbud"})
    api.program.now_s = float(split_s)
    await act(api, "split", {"agency": "dikbud", "parts": [{"code": "kota", "name": "Kota", "units": ["umum"]}]})

    async def totals(query: str) -> Any:
        answer = await api.get(f"/queries/totals?{query}")
        assert answer.status == 200, answer.text
        return answer.json

    everything = await totals("")
    assert everything["by_agency"] == {"dikbud": {"blocked": 3}, "kota": {"blocked": 1}, "setda": {"blocked": 2}}
    assert everything["answers"] == sum(sum(counts.values()) for counts in everything["by_agency"].values()) == 6
    for code, counts in everything["by_agency"].items():
        assert (await totals(f"agency={code}"))["by_verdict"] == counts
    kota = await totals("agency=kota")
    [before] = kota["before_split"]
    assert (before["agencies"], before["answers"]) == (["dikbud", "dispora"], 2)
    assert (await totals(f"agency=kota&until={before['until']}"))["before_split"][0]["answers"] == 2
    assert (await totals(f"agency=kota&since={before['until']}"))["before_split"][0]["answers"] == 0
    assert kota["lineage"]["agencies"] == ["kota"]
    exactly = await totals("agency=dikbud&exactly=true")
    assert (exactly["answers"], exactly["lineage"]["agencies"]) == (2, ["dikbud"])
    assert (await totals("exactly=true"))["by_agency"]["dispora"] == {"blocked": 1}
    top = await api.get("/queries/top?agency=dikbud&field=agency")
    assert [(item["value"], item["answers"]) for item in top.json["items"]] == [("dikbud", 2), ("dispora", 1)]
    contact = await api.token(TokenScope.QUERIES_READ, agency_id=4)
    assert (await api.get("/queries/totals", token=contact)).json["before_split"] == []


IMPOSSIBLE: list[tuple[str, dict[str, Any], str]] = [
    ("rename", {"agency": "nobody", "code": "x"}, "agency"),
    ("rename", {"agency": "dikbud", "code": "setda"}, "code"),
    ("rename", {"agency": "dikbud", "code": "dikbud"}, "code"),
    ("merge", {"agencies": ["dikbud"], "into": "dikbud"}, "agencies"),
    ("merge", {"agencies": ["dikbud"], "into": "baru"}, "into"),
    ("merge", {"agencies": ["dikbud"], "into": "setda", "units": {"dikbud/umum": "umum"}}, "units"),
    ("split", {"agency": "dikbud", "parts": [{"code": "dikbud"}]}, "parts[0].code"),
    ("split", {"agency": "dikbud", "parts": [{"code": "setda"}], "rest": "dispora"}, "rest"),
    ("split", {"agency": "dikbud", "parts": [{"code": "setda", "units": ["umum"]}]}, "parts"),
    ("split", {"agency": "dikbud", "parts": [{"code": "setda", "networks": ["10.1.7.0/24"]}]}, "parts[0].networks"),
    ("split", {"agency": "dikbud", "parts": [{"code": "setda", "networks": ["10.9.0.0/24"]}]}, "parts[0].networks"),
    ("split", {"agency": "dikbud", "parts": [{"code": "setda", "rules": [2]}]}, "parts[0].rules"),
    (
        "split",
        {"agency": "dikbud", "parts": [{"code": c, "rules": [1]} for c in ("setda", "dispora")]},
        "parts[1].rules",
    ),
]


async def test_what_cannot_be_is_refused_and_nothing_moves(sqlite_api: Api) -> None:
    await regency(sqlite_api)
    before = await read_policy(sqlite_api.sessions)
    for name, body, field in IMPOSSIBLE:
        refused = await act(sqlite_api, name, body)
        assert refused.status == 422, (body, refused.text)
        assert field in refused.fields(), body
    assert await read_policy(sqlite_api.sessions) == before


async def test_two_readings_of_a_schedule_are_settled_by_people(sqlite_api: Api) -> None:
    await regency(sqlite_api)
    window = {"days": ["mon"], "start": "08:00", "end": "16:00"}
    await sqlite_api.made("/schedules", {"code": "jam", "title": "Jam", "windows": [window]})
    made = {}
    for number, reading in ((1, "never"), (2, "always")):
        scope = {"kind": "agency", "id": number}
        body = {"scope": scope, "schedule": "jam", "reading": reading}
        made[number] = await sqlite_api.made("/schedule-overrides", body)
    merge = {"agencies": ["dispora"], "into": "dikbud"}
    assert "read the schedule jam differently" in (await act(sqlite_api, "merge", merge)).fields()["agencies"]
    changed = await sqlite_api.call("PATCH", "/schedule-overrides/2", {"reading": "never"}, match=made[2].etag)
    assert changed.status == 200, changed.text
    done = await act(sqlite_api, "merge", merge)
    assert done.status == 200, done.text
    assert len((await read_policy(sqlite_api.sessions)).schedule_overrides) == 1


def test_the_commands_show_first_and_do_with_yes(filled: Run) -> None:
    assert filled("tenants", "rename", "dinkes", "kesehatan").output.endswith("nothing was done: --yes does it\n")
    done = filled("tenants", "rename", "dinkes", "kesehatan", "--letter", "188/7", "--yes", "--json")
    assert json.loads(done.output)["applied"]
    parted = filled("tenants", "split", "kesehatan", "--into", "igd=Gawat Darurat", "--unit", "igd=igd", "--yes")
    assert parted.output.endswith("done\n"), parted.output
    merged = filled("tenants", "merge", "igd", "--into", "kesehatan", "--unit", "igd/igd=igd-2", "--yes", "--json")
    assert json.loads(merged.output)["acts"][0]["label"] == "igd -> kesehatan"
    shown = json.loads(filled("tenants", "history", "--json").output)
    assert [(one["kind"], one["basis"]["number"]) for one in shown] == [
        ("rename", "188/7"),
        ("split", ""),
        ("merge", ""),
    ]
    assert "dinkes" in filled("tenants", "history").output
    wrong = filled("tenants", "rename", "kesehatan", "dinkes", "--yes")
    assert wrong.exit_code == 1
    assert "became kesehatan" in wrong.output
    for arguments in (["--unit", "igd"], ["--rule", "x=p"], ["--unit", "igd=nobody"], ["--letter-date", "soon"]):
        assert filled("tenants", "split", "kesehatan", "--into", "p=P", *arguments).exit_code == 2, arguments
