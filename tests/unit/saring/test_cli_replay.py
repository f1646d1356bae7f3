"""``saring replay``: a draft against logged queries, at the command line and in the API's child process."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from admin_api.replay_order import ReplayError, ReplayOrder
from blocklists.library import Library
from blocklists.progress import Silent
from policy.model import Action, Policy, Rule, Scope, Target, TargetKind
from querylog.embedded.store import EmbeddedStore
from querylog.spool import SpoolWriter
from saring.orders import Orders
from saring.query_store import open_store
from saring.replay_process import replayer
from saring.replay_run import run_replay
from saring.state_dir import StateDir
from snapshots.generation import read_policy
from tests.support.command_line import Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run
from tests.support.querylog_samples import append, loader

REPOSITORY = Path(__file__).parents[3]
NAMES = ("judi.example", "judi.example", "slot.example", "kantor.example")


@pytest.fixture
def logged(filled: Run, tmp_path: Path) -> Run:
    """The program's state with a few queries of the last minute in its log."""
    spool = SpoolWriter(tmp_path / "spool/worker-0", "n1", 0, 1 << 16, 1 << 20)
    store = EmbeddedStore(tmp_path / "var/log", writer=True)
    for number, name in enumerate(NAMES):
        append(spool, number, time_us=int(time.time() * 1e6) - 1_000_000 + number, name=name, agency=0)
    loader(tmp_path / "spool", store).run_once()
    spool.close()
    store.close()
    return filled


def test_a_file_is_replayed_and_nothing_published(logged: Run, tmp_path: Path) -> None:
    file = tmp_path / "draft.toml"
    text = logged("policy", "export").output
    file.write_text(text.replace("negative = true\n", ""), encoding="utf-8")
    shown = logged("replay", "--draft", str(file), "--from", "1h")
    assert shown.exit_code == 0, shown.output
    assert "  Kategori perjudian: negatif ya -> tidak" in shown.output
    assert "newly freed 3" in shown.output
    assert "newly freed: 3 queries for 2 names" in shown.output
    assert f"To do it: saring policy import {file} --yes --revision 1" in shown.output
    found = json.loads(logged("replay", "--draft", str(file), "--json").output)
    assert {one["name"]: one["queries"] for one in found["result"]["newly_freed"]["top"]} == {
        "judi.example": 2,
        "slot.example": 1,
    }
    assert len(json.loads(logged("generations", "--json").output)) == 1
    assert "no query would be decided otherwise" in logged("replay").output
    assert "the draft says what is in force" in logged("replay", "--generation", "1").output


def test_a_list_that_only_the_draft_serves_is_compiled_for_the_replay(logged: Run, tmp_path: Path) -> None:
    file = tmp_path / "draft.toml"
    text = logged("policy", "export").output
    file.write_text(text.replace('categories = ["perjudian"]', 'categories = ["perjudian"]\nenabled = false'), "utf-8")
    assert logged("policy", "import", str(file), "--yes").exit_code == 0
    assert logged("lists", "sync").exit_code == 0  # the index without it
    file.write_text(text, encoding="utf-8")
    found = json.loads(logged("replay", "--draft", str(file), "--json").output)
    assert found["result"]["effects"]["newly_blocked"] == 3
    assert found["result"]["newly_blocked"]["top"][0]["after"]["list"] == "judi"
    assert not [note for note in found["notes"] if "never fetched" in note]


def test_wrong_usage_and_mistakes(logged: Run, tmp_path: Path) -> None:
    file = tmp_path / "draft.toml"
    file.write_text("x = ", encoding="utf-8")
    assert logged("replay", "--draft", str(file)).exit_code == 1
    assert logged("replay", "--draft", str(file), "--generation", "1").exit_code == 2
    assert logged("replay", "--agency", "tidak-ada").exit_code == 1
    assert logged("replay", "--generation", "9").exit_code == 1
    assert "at most 366 days" in logged("replay", "--from", "2020-01-01").output


def _order(policy: Policy) -> ReplayOrder:
    rule = Rule(99, Scope(), Target(TargetKind.WILDCARD, "kantor.example"), Action.BLOCK, "Uji")
    now_us = int(time.time() * 1e6)
    changed = Policy(**{name: getattr(policy, name) for name in policy.__slots__} | {"rules": (*policy.rules, rule)})
    return ReplayOrder(changed, (), now_us - 3_600_000_000, now_us)


async def test_a_child_process_tells_progress_and_the_same_result(
    logged: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    state = StateDir(tmp_path / "var")
    order = _order(await asyncio.to_thread(read_policy, state.snapshots, 1))
    seen: list[tuple[str, int]] = []

    class Told(Silent):
        def start(self, label: str, total: int) -> None:
            seen.append((label, total))

        def advance(self, units: int) -> None:
            seen.append(("", units))

    replay = replayer(Orders(os.getpid(), "error", "console", str(state.root), "{}"))
    report = await replay(order, Told())
    assert seen == [("replay", 4), ("", 4)]
    store = open_store(state, writer=False)
    assert report == run_replay(state.snapshots, Library(state.lists), store, order, Silent())
    store.close()
    assert report.result.newly_blocked.top[0].name == "kantor.example"

    with pytest.raises(ReplayError, match="no policy in force"):
        await replayer(Orders(os.getpid(), "error", "console", str(tmp_path / "none"), "{}"))(order, Silent())
    cancelled = asyncio.create_task(replay(order, Silent()))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
