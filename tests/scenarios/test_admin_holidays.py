"""A year's national holidays entered by the program: what it knows, what people decided, and that people win."""

from __future__ import annotations

import json

import pytest

from admin_api.models import HolidayRow
from admin_api.national_holidays import national_holidays
from admin_api.to_policy import read_policy
from tests.support.admin import Api
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.command_line import Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run
from tests.support.postgresql import postgresql as postgresql

INDEPENDENCE, CHRISTMAS, CHRISTMAS_LEAVE = "2026-08-17", "2026-12-25", "2026-12-24"


async def fates(api: Api, query: str = "year=2026") -> dict[str, str]:
    answer = await api.post(f"/holidays/import?{query}")
    assert answer.status == 200, answer.text
    return {item["date"]: item["fate"] for item in answer.json["items"]}


def test_decreed_days_and_joint_leave_are_known_and_estimates_say_so() -> None:
    days = {day.date: day for day in national_holidays(2026)}
    assert not days[INDEPENDENCE].joint_leave
    assert days[CHRISTMAS_LEAVE].joint_leave
    assert not any(day.estimated for day in days.values())
    assert list(days) == sorted(days)
    assert any(day.estimated for day in national_holidays(2040))
    with pytest.raises(ValueError, match="1970 to 2100"):
        national_holidays(2101)


async def test_a_year_is_entered_once(api: Api) -> None:
    shown = await fates(api, "year=2026&dry_run=true")
    assert set(shown.values()) == {"create"}
    assert (await read_policy(api.sessions)).holidays == ()
    assert api.program.published == 0
    made = await api.post("/holidays/import?year=2026")
    assert made.json["applied"]
    assert made.json["joint_leave_known"]
    assert made.headers["Saring-In-Force"] == "yes"
    policy = await read_policy(api.sessions)
    assert policy.revision == 1
    assert {day.date for day in policy.holidays if day.joint_leave} >= {CHRISTMAS_LEAVE}
    journal = (await api.get("/audit?kind=holiday&limit=500")).json["items"]
    assert {(row["action"], row["revision"]) for row in journal} == {("import", 1)}
    assert len(journal) == len(policy.holidays)
    again = await api.post("/holidays/import?year=2026")
    assert not again.json["applied"]
    assert {item["fate"] for item in again.json["items"]} == {"same"}
    assert api.program.published == 1


async def test_what_people_wrote_edited_or_deleted_stays(sqlite_api: Api) -> None:
    api = sqlite_api
    await api.made("/holidays", {"date": INDEPENDENCE, "title": "Proklamasi"})
    await fates(api)
    for item in (await api.get("/holidays?year=2026&limit=100")).json["items"]:
        path = f"/holidays/{item['id']}"
        if item["date"] == CHRISTMAS_LEAVE:
            got = await api.get(path)
            await api.call("DELETE", path, match=got.etag)
        if item["date"] == CHRISTMAS:
            got = await api.get(path)
            assert got.json["imported"]
            kept = await api.call("PATCH", path, {"title": "Natal"}, match=got.etag)
            assert not kept.json["imported"]
    shown = await fates(api)
    assert {day: fate for day, fate in shown.items() if fate != "same"} == {
        INDEPENDENCE: "edited",
        CHRISTMAS: "edited",
        CHRISTMAS_LEAVE: "deleted",
    }
    titles = {day.date: day.title for day in (await read_policy(api.sessions)).holidays}
    assert (titles[INDEPENDENCE], titles[CHRISTMAS]) == ("Proklamasi", "Natal")
    assert CHRISTMAS_LEAVE not in titles


async def test_what_an_earlier_import_entered_follows_the_decree(sqlite_api: Api) -> None:
    async with sqlite_api.sessions.begin() as session:
        for date, title in (("2026-08-16", "Estimated"), (INDEPENDENCE, "Estimated")):
            session.add(HolidayRow(version=1, date=date, title=title, imported=True))
        session.add(HolidayRow(version=1, date="2026-09-28", title="Hari jadi kabupaten"))
    shown = await fates(sqlite_api)
    assert (shown["2026-08-16"], shown[INDEPENDENCE]) == ("remove", "change")
    assert "2026-09-28" not in shown
    dates = {day.date for day in (await read_policy(sqlite_api.sessions)).holidays}
    assert "2026-08-16" not in dates
    assert "2026-09-28" in dates
    assert (await fates(sqlite_api, "year=2026"))[INDEPENDENCE] == "same"
    for wrong in ("year=1900", "year=2026&dry_run=perhaps", ""):
        assert (await sqlite_api.post(f"/holidays/import?{wrong}")).status == 422


def test_the_command_enters_a_year(filled: Run) -> None:
    shown = filled("holidays", "import", "2026", "--dry-run")
    assert "would be entered" in shown.output
    done = json.loads(filled("holidays", "import", "2026", "--json").output)
    assert done["applied"]
    assert "nothing to do" in filled("holidays", "import", "2026").output
    unknown = filled("holidays", "import", "2099")
    assert "nothing is known of the joint leave of 2099" in unknown.output
    assert filled("holidays", "import", "1066").exit_code == 2
