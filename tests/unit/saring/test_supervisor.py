"""Supervision with real processes: back at once, backing off, stopping in order, dying with the parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from saring.backoff import Backoff
from saring.child import ChildState
from saring.log_lines import facts_of
from saring.supervisor import Supervisor
from tests.support.supervised import CRASHING, STEADY, STUBBORN, eventually, notes, program


class Harness:
    def __init__(self, tmp_path: Path) -> None:
        self.log = tmp_path / "log"
        self.records: list[list[ChildState]] = []
        self.lines: list[bytes] = []
        self.supervisor = Supervisor(
            self.records.append, self.lines.append, lambda spec: Backoff(first_s=0.05, limit_s=0.2, good_s=0.5)
        )

    def noted(self, name: str, what: str) -> list[int]:
        return [pid for who, did, pid in notes(self.log) if (who, did) == (name, what)]

    async def started(self, name: str, times: int = 1) -> float:
        return await eventually(lambda: len(self.noted(name, "start")) >= times, 30.0)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    harness = Harness(tmp_path)
    yield harness
    await harness.supervisor.stop([])


async def test_a_killed_process_is_back_at_once_while_the_others_go_on(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("worker-0", "worker-1"):
        harness.supervisor.start(program(name, STEADY, harness.log))
    await harness.started("worker-0")
    await harness.started("worker-1")
    os.kill(harness.noted("worker-0", "start")[0], signal.SIGKILL)
    await harness.started("worker-0", times=2)
    assert [facts_of(record)["again_in_s"] for record in caplog.records if record.levelname == "ERROR"] == [0.0]
    assert len(harness.noted("worker-1", "start")) == 1
    states = {state.name: state for state in harness.supervisor.states()}
    assert states["worker-0"].restarts == 1
    assert states["worker-0"].last_exit == "killed by SIGKILL"
    assert states["worker-1"].restarts == 0
    assert harness.records[-1] == harness.supervisor.states()


async def test_a_crash_loop_backs_off_and_tells_the_last_line(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.supervisor.start(program("loader", CRASHING, harness.log))
    await harness.started("loader", times=4)
    await harness.supervisor.stop([])
    assert b"".join(harness.lines).startswith(b"first line\nthe database is on fire\n")
    deaths = [facts_of(record) for record in caplog.records if record.levelname == "ERROR"][:3]
    assert [entry["again_in_s"] for entry in deaths] == [0.0, 0.05, 0.1]
    assert all(entry["child"] == "loader" and entry["ended"] == "status 1" for entry in deaths)
    assert all(entry["last_line"] == "the database is on fire" for entry in deaths)


async def test_stages_stop_one_after_another(harness: Harness) -> None:
    for name in ("api", "loader", "worker-0", "worker-1", "unnamed"):
        harness.supervisor.start(program(name, STEADY, harness.log))
        await harness.started(name)
    await harness.supervisor.stop([["worker-0", "worker-1"], ["loader"], ["absent"], ["api"]])
    order = [name for name, what, _ in notes(harness.log) if what == "term"]
    assert sorted(order[:2]) == ["worker-0", "worker-1"]
    assert order[2:] == ["loader", "api", "unnamed"]
    assert all(state.pid == 0 for state in harness.supervisor.states())


async def test_one_that_will_not_stop_is_killed_in_bounded_time(harness: Harness) -> None:
    harness.supervisor.start(program("stuck", STUBBORN, harness.log, stop_s=0.2))
    await harness.started("stuck")
    async with asyncio.timeout(2.0):
        await harness.supervisor.stop([["stuck"]])
    assert harness.supervisor.states()[0].last_exit == "killed by SIGKILL"


async def test_a_replacement_runs_the_new_orders_and_counts_as_no_failure(harness: Harness) -> None:
    harness.supervisor.start(program("worker-0", STEADY, harness.log, orders=b"old\n"))
    await harness.started("worker-0")
    await harness.supervisor.replace(program("worker-0", STEADY, harness.log, orders=b"new\n"))
    await harness.started("worker-0", times=2)
    assert [line.split()[3] for line in harness.log.read_text().splitlines()] == ["old", "old", "new"]


async def test_a_signal_reaches_all(harness: Harness) -> None:
    for name in ("a", "b"):
        harness.supervisor.start(program(name, STEADY, harness.log))
        await harness.started(name)
    harness.supervisor.signal_all(signal.SIGHUP)
    await eventually(lambda: bool(harness.noted("a", "hup") and harness.noted("b", "hup")))


async def test_stopping_in_the_moment_of_starting_leaves_nothing_behind(harness: Harness) -> None:
    harness.supervisor.start(program("early", STEADY, harness.log))
    await asyncio.sleep(0)
    await harness.supervisor.stop([["early"]])
    assert harness.supervisor.states()[0].pid == 0


async def test_a_program_that_cannot_be_started_is_tried_again(harness: Harness) -> None:
    broken = program("broken", STEADY, harness.log)
    harness.supervisor.start(type(broken)("broken", ("/nonexistent/program",), b"", (), 1.0))
    await eventually(lambda: harness.supervisor.states()[0].restarts >= 2)


def test_children_stop_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = textwrap.dedent(
        f"""
        import asyncio, sys
        from pathlib import Path
        from saring.supervisor import Supervisor
        from tests.support.supervised import MORTAL, program
        async def main():
            supervisor = Supervisor(lambda states: None)
            supervisor.start(program("orphan", MORTAL, Path({str(log)!r})))
            await asyncio.sleep(3600)
        asyncio.run(main())
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    try:
        asyncio.run(_see_the_orphan_stop(parent, log))
    finally:
        parent.kill()
        parent.wait()


async def _see_the_orphan_stop(parent: subprocess.Popen[bytes], log: Path) -> None:
    await eventually(lambda: bool(notes(log)), within_s=10.0)
    parent.kill()
    await eventually(lambda: any(what == "term" for _, what, _ in notes(log)))
    pid = notes(log)[0][2]
    await eventually(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
