"""The scheduler's decisions, with a clock of its own; its sync runs for real in a process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from admin_api.database import editing, reading
from admin_api.journal import advance_revision
from admin_api.migrations import upgrade
from admin_api.models import AgencyRow, Audit, PauseRow
from blocklists.admission import Gate
from blocklists.insight import compare_lists
from blocklists.insight_file import Insight, write_insight
from blocklists.progress import Silent, SilentBoard
from policy.model import Policy
from saring.bootstrap import import_document
from saring.config import load
from saring.control import Control, open_control
from saring.list_insight import inputs_of
from saring.list_sync import sync_lists
from saring.orders import Orders
from saring.people import local_actor
from saring.process_sync import REPAIR_AFTER_S, RETRY_NEVER_FETCHED_S, Scheduler
from saring.publisher import Publisher, current_policy
from saring.schedule import next_run_s
from saring.state_dir import StateDir, read_json
from saring.status import current_generation
from saring.sync_request import request_sync

NOW_S = 1_800_000_000.0

DOCUMENT = """
[regency]
name = "Kabupaten Contoh"

[[agency]]
code = "dinkes"
name = "Dinas Kesehatan"

[[category]]
code = "perjudian"
title = "Perjudian"
negative = true

[[list]]
code = "judi"
title = "Judi"
location = "judi.txt"
categories = ["perjudian"]
"""


class Rig:
    def __init__(self, state: StateDir, control: Control, directory: Path) -> None:
        config = load(None, {"SARING_CONFIG": "/dev/null"}).config
        orders = Orders(os.getpid(), "error", "json", str(state.root), config.model_dump_json())
        self.state = state
        self.control = control
        self.directory = directory
        self.now_s = NOW_S
        self.synced: list[list[str]] = []
        self.ended: list[str] = []
        self.scheduler = Scheduler(config, state, control, orders, asyncio.Event(), self.clock, self.sync)

    def clock(self) -> float:
        return self.now_s

    async def sync(self, orders: Orders) -> dict[str, object]:
        self.synced.append(["*"] if orders.force_all else [code for code in orders.code.split(",") if code])
        return {"never_fetched": self.ended}

    async def tick(self) -> None:
        await self.scheduler.tick()
        for _ in range(3):
            await asyncio.sleep(0)

    async def edit(self) -> None:
        async with editing(self.control.sessions) as session:
            await session.execute(update(AgencyRow).values(name="Baru"))
            await advance_revision(session)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    state = StateDir(tmp_path / "var")
    state.create()
    (tmp_path / "regency.toml").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "judi.txt").write_text("judi.example\n", encoding="utf-8")
    config = load(None, {"SARING_CONFIG": "/dev/null"}).config
    async with open_control(config, state) as control:
        await upgrade(control.engine)
        await import_document(control.sessions, tmp_path / "regency.toml", local_actor(), NOW_S)
        await Publisher(state, control.sessions, lambda: NOW_S).publish()
        yield Rig(state, control, tmp_path)


async def test_a_list_that_was_never_fetched_is_fetched_at_the_start_once(rig: Rig) -> None:
    await rig.tick()
    await rig.tick()
    assert rig.synced == [["judi"]]


async def test_it_is_tried_again_after_a_while_where_that_failed(rig: Rig) -> None:
    rig.ended = ["judi"]
    await rig.tick()
    rig.now_s += RETRY_NEVER_FETCHED_S - 1
    await rig.tick()
    assert rig.synced == [["judi"]]
    rig.now_s += 2
    await rig.tick()
    await rig.tick()
    assert rig.synced == [["judi"], ["judi"]]


async def test_all_lists_are_fetched_every_night(rig: Rig) -> None:
    await rig.tick()
    night_s = next_run_s(NOW_S, "02:30", "Asia/Jakarta")
    rig.now_s = night_s - 1
    await rig.tick()
    assert rig.synced == [["judi"]]
    rig.now_s = night_s
    await rig.tick()
    await rig.tick()
    assert rig.synced == [["judi"], ["*"]]
    told = read_json(rig.state.run / "sync.json") or {}
    assert told["next_sync_s"] == night_s + 86_400


async def test_a_request_is_answered_and_one_for_all_is_one_for_each(rig: Rig) -> None:
    await rig.tick()
    request_sync(rig.state, "judi")
    await rig.tick()
    request_sync(rig.state, None)
    request_sync(rig.state, "judi")
    await rig.tick()
    assert rig.synced == [["judi"], ["judi"], ["*"]]


async def test_an_edit_that_nobody_published_is_published_after_a_moment(rig: Rig) -> None:
    await rig.tick()
    await rig.edit()
    await rig.tick()
    assert current_generation(rig.state.snapshots)[0] == 1
    rig.now_s += REPAIR_AFTER_S
    await rig.tick()
    number, _, revision = current_generation(rig.state.snapshots)
    assert (number, revision) == (2, await rig.control.revision())


async def test_an_edit_that_somebody_published_is_left_alone(rig: Rig) -> None:
    await rig.edit()
    await Publisher(rig.state, rig.control.sessions, rig.clock).publish()
    await rig.tick()
    rig.now_s += 60
    await rig.tick()
    assert current_generation(rig.state.snapshots)[0] == 2


async def test_a_list_in_the_library_that_the_index_lacks_is_compiled_without_fetching(rig: Rig) -> None:
    config = load(None, {"SARING_CONFIG": "/dev/null"}).config
    rows = await rig.control.sources()
    await sync_lists(rows, rig.control.library, Gate(), config.lists, SilentBoard(), rig.clock)
    await rig.tick()
    await rig.tick()
    assert rig.synced == [[]]


async def test_lists_that_nobody_compared_yet_are_compared_in_the_syncs_own_process(rig: Rig) -> None:
    config = load(None, {"SARING_CONFIG": "/dev/null"}).config
    rows = await rig.control.sources()
    await sync_lists(rows, rig.control.library, Gate(), config.lists, SilentBoard(), rig.clock)
    await Publisher(rig.state, rig.control.sessions, rig.clock).compile_and_publish(rig.control.library, Silent())
    await rig.tick()
    await rig.tick()
    assert rig.synced == [[]]
    write_insight(rig.control.library.root, Insight(0.0, compare_lists(inputs_of(rows, rig.control.library), Silent())))
    await rig.edit()
    await rig.tick()
    await rig.tick()
    assert rig.synced == [[]]


async def test_what_time_has_ended_is_noted_and_published(rig: Rig) -> None:
    async with editing(rig.control.sessions) as session:
        pause = {"from_s": int(NOW_S) - 300, "until_s": int(NOW_S) + 60, "reason": "rapat", "author": "sari"}
        session.add(PauseRow(agency_id=1, **pause))
        await advance_revision(session)
    await rig.tick()
    rig.now_s += REPAIR_AFTER_S
    await rig.tick()
    assert len((read_current(rig)).pauses) == 1
    rig.now_s += 60
    await rig.tick()
    rig.now_s += REPAIR_AFTER_S
    await rig.tick()
    assert read_current(rig).pauses == ()
    async with reading(rig.control.sessions) as session:
        [row] = (await session.scalars(select(Audit).where(Audit.kind == "pause"))).all()
        assert (row.action, row.login, row.label) == ("expire", "clock", "dinkes")


def read_current(rig: Rig) -> Policy:
    _, policy = current_policy(rig.state.snapshots)
    assert policy is not None
    return policy
