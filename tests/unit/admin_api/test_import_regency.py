"""Importing a regency: the documented example, again and again, edited, and wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from admin_api.database import open_database, reading, sessions_of
from admin_api.seed import ImportRefusedError, Report, import_regency
from admin_api.to_policy import load_sources, read_policy
from policy.model import Action, Policy, ScopeKind, TargetKind
from tests.support.admin import NOW_S, new_sqlite
from tests.support.admin import templates as templates
from tests.support.seed_example import EXAMPLE

MAC = "02:00:5e:10:00:01"
FORWARDER = {"cidr": "10.0.0.1", "title": "R", "agencies": ["dinkes"], "trusts": ["mac"]}
OVERRIDE = {"scope": "agency:dinkes", "schedule": "jam-kerja", "reading": "never"}
OVERRIDE_WHERE = "schedule_override nothing of agency:dinkes"


@pytest.fixture
def url(templates: dict[str, str], tmp_path: Path) -> str:
    return new_sqlite(templates, tmp_path)


async def imported(url: str, *documents: dict[str, Any]) -> tuple[list[Report], Policy]:
    engine = open_database(url)
    sessions = sessions_of(engine)
    reports = []
    try:
        for document in documents:
            async with sessions.begin() as session:
                reports.append(await import_regency(session, document, now_s=NOW_S))
        return reports, await read_policy(sessions)
    finally:
        await engine.dispose()


def document(**changes: Any) -> dict[str, Any]:
    return tomllib.loads(EXAMPLE) | changes


async def test_the_documented_example_becomes_a_policy(url: str) -> None:
    [report], policy = await imported(url, document())
    assert report.changed_anything
    assert report.revision == policy.revision == 1
    assert policy.regency.name == "Kabupaten Musi Banyuasin"
    assert [network.cidr for network in policy.networks] == ["10.20.4.0/22", "fd00:20:4::/48", "10.20.5.0/24"]
    assert policy.networks[2].unit_id == policy.units[0].id
    assert policy.protected == ("go.id", "mubakab.go.id")
    assert policy.schedules[0].windows[3].end_min == 240
    block, allow = policy.rules  # the second is the exception's
    assert (block.target.kind, block.target.value, block.schedule_id) == (TargetKind.CATEGORY, "media_sosial", 1)
    assert (allow.scope.kind, allow.action, allow.exception, allow.approver) == (
        ScopeKind.UNIT,
        Action.ALLOW,
        True,
        "budi",
    )
    assert (allow.valid_from_s, allow.valid_until_s) == (1767200400, 1798736400)
    assert block.basis.date == "2026-01-05"
    assert policy.forwarders[0].agency_ids == (policy.agencies[0].id,)
    assert (policy.devices[0].agency_id, policy.devices[0].unit_id) == (policy.agencies[0].id, policy.units[0].id)
    assert policy.schedules[0].periods[0].title == "Ramadan"
    [override] = policy.schedule_overrides
    assert (override.scope.kind, override.schedule_id, override.other_id) == (ScopeKind.UNIT, 1, 2)
    assert policy.regency.admin_networks == ("10.20.0.0/24",)


async def test_lists_keep_what_the_sync_job_needs(url: str) -> None:
    await imported(url, document())
    engine = open_database(url)
    async with reading(sessions_of(engine)) as session:
        [source] = await load_sources(session)
    await engine.dispose()
    assert (source.code, source.format, source.subdomains, source.national) == ("trustpositif", "plain", None, True)
    assert (source.max_size_bytes, source.shrink_limit, source.categories) == (536870912, 0.2, ("perjudian",))


async def test_the_same_document_again_changes_nothing(url: str) -> None:
    reports, policy = await imported(url, document(), document())
    assert not reports[1].changed_anything
    assert policy.revision == 1


async def test_an_edited_document_changes_what_was_edited_and_deletes_nothing(url: str) -> None:
    edited = document(protected=["go.id"])
    edited["agency"][0]["name"] = "Dinkes"
    del edited["exception"]
    reports, policy = await imported(url, document(), edited)
    assert reports[1].changed == {"agency": 1}
    assert policy.agencies[0].name == "Dinkes"
    assert len(policy.rules) == 2
    assert policy.revision == 2


async def test_every_mistake_is_told_and_nothing_is_written(url: str) -> None:
    wrong = document()
    wrong["rule"][0]["target"] = "category:nothing"
    wrong["exception"][0]["scope"] = "agency:nobody"
    wrong["service"][0]["category"] = "nothing"
    with pytest.raises(ImportRefusedError) as refused:
        await imported(url, wrong)
    fields = [error.field for error in refused.value.errors]
    assert fields == [
        "service tiktok: category",
        "rule medsos-jam-kerja: target.value",
        "exception humas-boleh-tiktok: scope",
    ]
    _, policy = await imported(url)
    assert policy.agencies == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agencies": []}, "agencies"),
        ({"regency": {"name": "x", "zone": "Mars"}}, "regency.zone"),
        ({"holiday": [{"date": "2026-02-30", "title": "x"}]}, "holiday[0].date"),
        ({"protected": ["go.id", "GO.ID."]}, "protected"),
        ({"category": [{"code": "a", "title": "A"}, {"code": "a", "title": "B"}]}, "category"),
        ({"agency": [{"code": "a", "name": "A", "networks": ["10.0.0.1/8"]}]}, "agency[0].networks[0]"),
        ({"device": [{"kind": "mac", "value": v, "tenant": "agency:dinkes"} for v in (MAC, MAC.upper())]}, "device"),
        ({"forwarder": [FORWARDER | {"agencies": ["nobody"]}]}, "forwarder 10.0.0.1/32: agencies"),
        ({"schedule_override": [OVERRIDE | {"schedule": "nothing"}]}, f"{OVERRIDE_WHERE}: schedule"),
        ({"agency": [{"code": c, "name": c, "networks": ["10.0.0.0/8"]} for c in "ab"]}, "networks"),
    ],
)
async def test_mistakes_of_form_name_their_place(url: str, change: dict[str, Any], field: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        await imported(url, document(**change))
    assert field in [error.field for error in refused.value.errors]
