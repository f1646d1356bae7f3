"""Who is who and when: forwarders, devices, periods and readings of schedules, through the API, on both databases."""

from __future__ import annotations

from typing import Any

from admin_api.rest.auth import Scope as TokenScope
from admin_api.to_policy import read_policy
from policy.model import Device, Forwarder, Holiday, Identification, Period, Reading, Scope, ScopeKind, Window
from tests.support.admin import Api
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.postgresql import postgresql as postgresql

MORNING = {"days": ["mon", "tue", "wed", "thu"], "start": "07:30", "end": "12:00"}
FASTING = {"days": ["mon", "tue", "wed", "thu"], "start": "08:00", "end": "15:00"}
RAMADAN = {"title": "Ramadan", "from_date": "2027-02-08", "until_date": "2027-03-09", "windows": [FASTING]}
OFFICE = {"code": "jam-kerja", "title": "Jam kerja", "windows": [MORNING]}
SHIFT = {"code": "piket", "title": "Piket", "windows": [{"days": ["sun"], "start": "20:00", "end": "08:00"}]}
FORWARDER = {"cidr": "10.20.8.1", "title": "Router", "agency_ids": [1], "trusts": ["mac", "client_subnet"]}


async def regency(api: Api) -> None:
    """Two agencies, the first with a unit."""
    await api.made("/agencies", {"code": "dinkes", "name": "Dinas Kesehatan"})
    await api.made("/agencies", {"code": "disdik", "name": "Dinas Pendidikan"})
    await api.made("/units", {"agency_id": 1, "code": "igd", "name": "IGD"})


async def test_forwarders_and_devices_become_policy(api: Api) -> None:
    await regency(api)
    made = await api.made("/forwarders", FORWARDER)
    assert made.json["cidr"] == "10.20.8.1/32"
    device = await api.made("/devices", {"kind": "mac", "value": "02-00-5E-10-00-01", "agency_id": 1, "unit_id": 1})
    assert device.json["value"] == "02:00:5e:10:00:01"
    await api.made("/devices", {"kind": "cpe_id", "value": "ONT 7", "agency_id": 2})
    policy = await read_policy(api.sessions)
    trusts = (Identification.CLIENT_SUBNET, Identification.MAC)
    assert policy.forwarders == (Forwarder(1, "10.20.8.1/32", "Router", (1,), trusts),)
    assert policy.devices == (
        Device(Identification.MAC, "02:00:5e:10:00:01", 1, 1),
        Device(Identification.CPE_ID, "ONT 7", 2),
    )
    wider = await api.call("PATCH", "/forwarders/1", {"agency_ids": [2, 1]}, match=made.etag)
    assert wider.json["agency_ids"] == [1, 2]
    again = {"kind": "mac", "value": "0200.5e10.0001", "agency_id": 2}
    assert (await api.post("/devices", again)).status == 409
    agency = await api.get("/agencies/2")
    refused = await api.call("DELETE", "/agencies/2", match=agency.etag)
    assert "forwarder 1; device 2" in refused.json["detail"]


IMPOSSIBLE: list[tuple[str, Any, str]] = [
    ("/forwarders", FORWARDER | {"agency_ids": [7]}, "agency_ids[0]"),
    ("/forwarders", FORWARDER | {"agency_ids": [1, 1]}, "agency_ids"),
    ("/forwarders", FORWARDER | {"trusts": ["xff"]}, "trusts[0]"),
    ("/devices", {"kind": "mac", "value": "02:00:5e", "agency_id": 1}, "value"),
    ("/devices", {"kind": "client_subnet", "value": "10.0.0.1", "agency_id": 1}, "value"),
    ("/devices", {"kind": "cpe_id", "value": "x", "agency_id": 2, "unit_id": 1}, "unit_id"),
    ("/schedules", OFFICE | {"periods": [RAMADAN | {"until_date": "2027-02-07"}]}, "periods[0]"),
    ("/schedules", OFFICE | {"periods": [RAMADAN | {"from_date": "2027-02-29"}]}, "periods[0].from_date"),
    (
        "/schedule-overrides",
        {"scope": {"kind": "regency"}, "schedule": "jam-kerja", "reading": "never"},
        "(body)",
    ),
    (
        "/schedule-overrides",
        {"scope": {"kind": "unit", "id": 1}, "schedule": "jam-kerja", "reading": "schedule"},
        "(body)",
    ),
]


async def test_what_cannot_be_is_refused_by_field(sqlite_api: Api) -> None:
    await regency(sqlite_api)
    for path, body, field in IMPOSSIBLE:
        refused = await sqlite_api.post(path, body)
        assert refused.status == 422, refused.text
        assert set(refused.fields()) == {field}, body


async def test_whose_an_address_is_and_who_loses_it(sqlite_api: Api) -> None:
    api = sqlite_api
    await regency(api)
    await api.made("/networks", {"cidr": "10.20.0.0/16", "agency_id": 1})
    await api.made("/networks", {"cidr": "10.20.4.0/24", "agency_id": 1, "unit_id": 1})
    hole = await api.made("/networks", {"cidr": "10.20.4.64/26", "agency_id": 2})
    assert hole.headers["Saring-Warning"] == (
        "warning: network 10.20.4.64/26, cidr: it lies inside 10.20.4.0/24 of dinkes/igd: the longer prefix wins, "
        "so 64 addresses are disdik's; see that this hole is meant"
    )
    await api.made("/networks", {"cidr": "fd00::/8", "agency_id": 2})

    async def holders(address: str) -> list[str]:
        return [item["cidr"] for item in (await api.get(f"/networks?containing={address}")).json["items"]]

    assert await holders("10.20.4.70") == ["10.20.4.64/26", "10.20.4.0/24", "10.20.0.0/16"]
    assert await holders("::ffff:10.20.4.1") == ["10.20.4.0/24", "10.20.0.0/16"]
    assert await holders("fd00::1") == ["fd00::/8"]
    assert await holders("192.0.2.1") == []
    assert (await api.get("/networks?containing=10.20.4.0/24")).status == 422


async def test_periods_and_readings_become_policy(api: Api) -> None:
    await regency(api)
    made = await api.made("/schedules", OFFICE | {"periods": [RAMADAN], "skip_joint_leave": False})
    await api.made("/schedules", SHIFT)
    unit = {"kind": "unit", "id": 1}
    override = {"scope": unit, "schedule": "jam-kerja", "reading": "schedule", "other": "piket"}
    await api.made("/schedule-overrides", override)
    never = {"scope": {"kind": "agency", "id": 2}, "schedule": "jam-kerja", "reading": "never"}
    await api.made("/schedule-overrides", never)
    assert (await api.post("/schedule-overrides", override | {"reading": "never", "other": None})).status == 409
    got = await api.get("/schedule-overrides/2")
    moved = await api.call("PATCH", "/schedule-overrides/2", {"scope": {"kind": "agency", "id": 1}}, match=got.etag)
    assert moved.status == 200, moved.text
    back = await api.call("PUT", "/schedule-overrides/2", never, match=moved.etag)
    assert back.json["scope"] == never["scope"]
    policy = await read_policy(api.sessions)
    fasting = Window((0, 1, 2, 3), 480, 900)
    assert policy.schedules[0].periods == (Period("Ramadan", "2027-02-08", "2027-03-09", (fasting,)),)
    assert policy.schedules[0].skip_joint_leave is False
    assert [(o.scope, o.schedule_id, o.reading, o.other_id) for o in policy.schedule_overrides] == [
        (Scope(ScopeKind.UNIT, 1), 1, Reading.SCHEDULE, 2),
        (Scope(ScopeKind.AGENCY, 2), 1, Reading.NEVER, 0),
    ]
    closed = RAMADAN | {"title": "Renovasi", "windows": []}
    changed = await api.call("PATCH", "/schedules/1", {"periods": [closed, RAMADAN]}, match=made.etag)
    assert changed.json["periods"] == [closed, RAMADAN]
    fewer = await api.call("PATCH", "/schedules/1", {"periods": [closed]}, match=changed.etag)
    assert fewer.json["periods"] == [closed]
    shift = await api.get("/schedules/2")
    refused = await api.call("DELETE", "/schedules/2", match=shift.etag)
    assert "schedule-override 1" in refused.json["detail"]
    gone = await api.call("DELETE", "/schedules/1", match=fewer.etag)
    assert gone.status == 409


async def test_an_agency_sees_its_own_and_no_forwarders(sqlite_api: Api) -> None:
    await regency(sqlite_api)
    await sqlite_api.made("/schedules", OFFICE)
    for number, agency_id in enumerate((1, 2), start=1):
        await sqlite_api.made("/devices", {"kind": "cpe_id", "value": str(number), "agency_id": agency_id})
        scope = {"kind": "agency", "id": agency_id}
        await sqlite_api.made("/schedule-overrides", {"scope": scope, "schedule": "jam-kerja", "reading": "always"})
    token = await sqlite_api.token(TokenScope.POLICY_READ, agency_id=2)
    assert [item["id"] for item in (await sqlite_api.get("/devices", token=token)).json["items"]] == [2]
    assert [item["id"] for item in (await sqlite_api.get("/schedule-overrides", token=token)).json["items"]] == [2]
    assert (await sqlite_api.get("/forwarders", token=token)).status == 403


async def test_observing_joint_leave_and_administrators_networks(sqlite_api: Api) -> None:
    api = sqlite_api
    category = {"code": "belanja", "title": "Belanja", "observe": True}
    await api.made("/categories", category)
    listed = {"code": "toko", "title": "Toko", "location": "https://lists.example/a", "categories": ["belanja"]}
    await api.made("/blocklists", listed | {"observe": True})
    await api.made("/holidays", {"date": "2027-03-11", "title": "Cuti bersama", "joint_leave": True})
    got = await api.get("/regency")
    await api.call("PATCH", "/regency", {"admin_networks": ["10.20.0.0/24"]}, match=got.etag)
    policy = await read_policy(api.sessions)
    assert policy.categories[0].observe
    assert policy.lists[0].observe
    assert policy.holidays == (Holiday("2027-03-11", "Cuti bersama", joint_leave=True),)
    assert policy.regency.admin_networks == ("10.20.0.0/24",)


TARGETS = [
    ("search", "google", "safe_search", True),
    ("search", "all", "allow", True),
    ("search", "altavista", "safe_search", False),
    ("search", "google", "block", False),
    ("name", "www.google.com", "safe_search", False),
    ("bypass", "private_relay", "block", True),
    ("search", "bing", "observe", True),
    ("bypass", "private_relay", "observe", True),
    ("bypass", "canary", "observe", False),
    ("bypass", "vpn", "block", False),
    ("bypass", "canary", "redirect", False),
]


async def test_safe_search_and_bypasses_as_targets(sqlite_api: Api) -> None:
    for kind, value, action, accepted in TARGETS:
        rule = {
            "title": "t",
            "scope": {"kind": "regency"},
            "target": {"kind": kind, "value": value},
            "action": action,
            "answer": {"kind": "redirect", "name": "a.example"} if action == "redirect" else None,
        }
        answer = await sqlite_api.post("/rules", rule)
        assert answer.status == (201 if accepted else 422), (rule, answer.text)
