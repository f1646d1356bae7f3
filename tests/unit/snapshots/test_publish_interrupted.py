"""A publisher killed at any step, several publishers at once, a reader meanwhile: ``current`` is always whole."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from policy.model import Policy
from snapshots.generation import open_current
from snapshots.layout import numbers
from snapshots.publish import publish, rollback
from tests.support.deciding import REGENCY_SCOPE, government, rule

STEPS = ["locked", "policy written", "written", "named", "verified", "linked", "swapped"]
NOW_S = 1_772_420_400.0
REPOSITORY = Path(__file__).resolve().parents[3]

# A publisher of its own, killed by the kernel in the middle: no handler runs, no file is closed.
KILLED = """
import os, signal, sys
from pathlib import Path
from snapshots.publish import publish, rollback
from tests.unit.snapshots.test_publish_interrupted import NOW_S, policy

root, fatal, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def step(name):
    if name == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

publish(root, policy(2), None, NOW_S, step) if what == "publish" else rollback(root, 1, step)
"""


def policy(revision: int) -> Policy:
    return government(rule(1, REGENCY_SCOPE, f"name:r{revision}.example"), revision=revision)


def revision(root: Path) -> int:
    generation = open_current(root)
    generation.close()
    assert generation.damaged == ()
    return generation.policy.revision


def kill_at(root: Path, step: str, what: str) -> None:
    command = [sys.executable, "-c", KILLED, str(root), step, what]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("step", STEPS)
def test_a_publisher_killed_at_any_step_leaves_the_old_or_the_new_generation(tmp_path: Path, step: str) -> None:
    publish(tmp_path, policy(1), None, NOW_S)
    kill_at(tmp_path, step, "publish")
    assert revision(tmp_path) == (2 if step == "swapped" else 1)
    number = publish(tmp_path, policy(3), None, NOW_S)
    assert revision(tmp_path) == 3
    assert number == max(numbers(tmp_path))
    leftovers = [path.name for path in (*tmp_path.iterdir(), *(tmp_path / "generations").iterdir())]
    assert [name for name in leftovers if name.startswith(".")] == [".lock"]


@pytest.mark.parametrize("step", ["linked", "swapped"])
def test_a_rollback_killed_at_any_step_leaves_one_of_both(tmp_path: Path, step: str) -> None:
    publish(tmp_path, policy(1), None, NOW_S)
    publish(tmp_path, policy(2), None, NOW_S)
    kill_at(tmp_path, step, "rollback")
    assert revision(tmp_path) == (1 if step == "swapped" else 2)
    assert rollback(tmp_path, 1) == 1
    assert revision(tmp_path) == 1


class BrokenError(Exception):
    pass


@pytest.mark.parametrize("step", STEPS)
def test_a_publisher_that_fails_at_any_step_gives_the_lock_back(tmp_path: Path, step: str) -> None:
    publish(tmp_path, policy(1), None, NOW_S)

    def fail(name: str) -> None:
        if name == step:
            raise BrokenError

    with pytest.raises(BrokenError):
        publish(tmp_path, policy(2), None, NOW_S, fail)
    publish(tmp_path, policy(3), None, NOW_S)
    assert revision(tmp_path) == 3


def _publish_many(root: str, first: int, count: int) -> None:
    for number in range(first, first + count):
        publish(Path(root), policy(number), None, NOW_S)


def test_publishers_in_several_processes_take_turns_and_a_reader_always_finds_a_whole_one(tmp_path: Path) -> None:
    publish(tmp_path, policy(1), None, NOW_S)
    context = multiprocessing.get_context("spawn")
    publishers = [context.Process(target=_publish_many, args=(str(tmp_path), start, 8)) for start in (100, 200, 300)]
    for each in publishers:
        each.start()
    seen = 0
    while any(each.is_alive() for each in publishers):
        revision(tmp_path)
        seen += 1
    for each in publishers:
        each.join()
        assert each.exitcode == 0
        each.close()
    assert numbers(tmp_path) == list(range(1, 26))
    assert revision(tmp_path) in (107, 207, 307)
    assert seen > 0


def test_a_second_publisher_waits_for_the_first(tmp_path: Path) -> None:
    publish(tmp_path, policy(1), None, NOW_S)
    inside, go_on = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        if name == "locked":
            inside.set()
            assert go_on.wait(10)

    results: list[int] = []
    first = threading.Thread(target=lambda: results.append(publish(tmp_path, policy(2), None, NOW_S, hold)))
    second = threading.Thread(target=lambda: results.append(publish(tmp_path, policy(3), None, NOW_S)))
    first.start()
    assert inside.wait(10)
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert sorted(results) == [2, 3]
    assert results[-1] == max(numbers(tmp_path))
    assert revision(tmp_path) == 3
