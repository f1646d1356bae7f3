"""The loader lets others go first, unless too little is left over for it."""

from __future__ import annotations

import os
import threading

import pytest

from saring.courtesy import Courtesy, courtesy, may_come_back, set_policy

IDLE, OTHER = os.SCHED_IDLE, os.SCHED_OTHER


class Said:
    """What the watch is told about each piece of work: whether it ended in time."""

    def __init__(self, *in_time: bool) -> None:
        self._in_time = list(in_time)
        self.policies: list[int] = []

    def wait(self, ended: threading.Event, patience_s: float) -> bool:
        assert patience_s == 3.0
        return self._in_time.pop(0)

    def set(self, policy: int) -> None:
        self.policies.append(policy)

    def work(self, courtesy: Courtesy) -> list[int]:
        with courtesy:
            pass
        done, self.policies = self.policies, []
        return done


def test_it_steps_back_after_work_that_was_in_time_and_forward_when_late() -> None:
    said = Said(True, True, False, False, True, True)
    courtesy = Courtesy(said.set, 3.0, said.wait)
    assert [said.work(courtesy) for _ in range(6)] == [[IDLE], [], [OTHER], [], [IDLE], []]


def test_work_that_fails_ends_too() -> None:
    said = Said(True)
    with pytest.raises(OSError, match="down"), Courtesy(said.set, 3.0, said.wait):
        raise OSError("down")
    assert said.policies == [IDLE]


def test_nothing_is_done_where_there_is_no_way_back() -> None:
    with courtesy(lambda: False):
        pass
    assert os.sched_getscheduler(0) == OTHER


def test_every_thread_of_the_process() -> None:
    if not may_come_back():
        pytest.skip("this process may not take its policy back (RLIMIT_NICE)")
    seen: list[int] = []
    go = threading.Event()
    thread = threading.Thread(target=lambda: (go.wait(), seen.append(os.sched_getscheduler(0))))
    thread.start()
    try:
        set_policy(IDLE)
        seen.append(os.sched_getscheduler(0))
        go.set()
        thread.join()
    finally:
        go.set()
        set_policy(OTHER)
    assert (seen, os.sched_getscheduler(0)) == ([IDLE, IDLE], OTHER)
