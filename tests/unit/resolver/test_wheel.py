from __future__ import annotations

import random

import pytest

from resolver.wheel import NEVER, Timed, Wheel
from tests.support.ticking import Calls, Clock


class Item(Timed):
    __slots__ = ("called_s", "then")

    def __init__(self) -> None:
        super().__init__()
        self.called_s: list[float] = []
        self.then = lambda: None

    def expired(self, now_s: float) -> None:
        self.called_s.append(now_s)
        self.then()


def wheel(start_s: float = 1_000.0) -> tuple[Wheel, Calls]:
    calls = Calls(Clock(start_s))
    return Wheel(calls.call_later, calls.clock), calls


def test_an_item_is_called_once_not_early_and_at_most_a_tick_late() -> None:
    turning, calls = wheel()
    source = random.Random(1)
    items = []
    for _ in range(300):
        item = Item()
        due_s = 1_000.0 + source.uniform(0.0, 30.0)  # some beyond one turn of the ring
        turning.add(item, due_s)
        items.append((item, due_s))
    calls.pass_s(31.0)
    for item, due_s in items:
        assert len(item.called_s) == 1
        assert due_s <= item.called_s[0] <= due_s + 0.051
    assert turning.count == 0


def test_a_cleared_item_is_never_called() -> None:
    turning, calls = wheel()
    item = Item()
    turning.add(item, 1_001.0)
    turning.discard(item)
    calls.pass_s(5.0)
    assert item.called_s == []
    assert item.due_s == NEVER


def test_the_loop_has_no_timer_while_nothing_waits() -> None:
    turning, calls = wheel()
    assert calls.armed == 0
    item = Item()
    turning.add(item, 1_000.2)
    assert calls.armed == 1
    calls.pass_s(1.0)
    assert calls.armed == 0


def test_a_deadline_moved_later_by_assignment_is_honoured() -> None:
    turning, calls = wheel()
    item = Item()
    turning.add(item, 1_000.1)
    item.due_s = 1_002.0
    calls.pass_s(1.5)
    assert item.called_s == []
    calls.pass_s(1.0)
    assert len(item.called_s) == 1


def test_adding_again_replaces_the_deadline() -> None:
    turning, calls = wheel()
    item = Item()
    turning.add(item, 1_000.1)
    turning.add(item, 1_000.5)
    calls.pass_s(1.0)
    assert len(item.called_s) == 1
    assert item.called_s[0] >= 1_000.5


def test_an_item_may_clear_another_that_is_due_in_the_same_tick() -> None:
    turning, calls = wheel()
    one, two = Item(), Item()
    one.then = lambda: turning.discard(two)
    two.then = lambda: turning.discard(one)
    turning.add(one, 1_000.101)
    turning.add(two, 1_000.101)
    calls.pass_s(1.0)
    assert len(one.called_s) + len(two.called_s) == 1
    assert turning.count == 0


def test_a_stalled_loop_calls_everything_once_when_it_goes_on() -> None:
    turning, calls = wheel()
    items = [Item() for _ in range(50)]
    for number, item in enumerate(items):
        turning.add(item, 1_000.0 + number)
    calls.clock.now_s += 3_600
    calls.pass_s(0.1)
    assert [len(item.called_s) for item in items] == [1] * 50


def test_a_faulty_item_does_not_stop_the_clock() -> None:
    turning, calls = wheel()
    faulty, other = Item(), Item()

    def fail() -> None:
        raise RuntimeError("faulty")

    faulty.then = fail
    turning.add(faulty, 1_000.1)
    turning.add(other, 1_000.5)
    with pytest.raises(RuntimeError):
        calls.pass_s(1.0)
    calls.pass_s(1.0)
    assert len(other.called_s) == 1


def test_a_deadline_in_the_past_is_called_with_the_next_tick() -> None:
    turning, calls = wheel()
    item = Item()
    turning.add(item, 0.0)
    calls.pass_s(0.06)
    assert len(item.called_s) == 1


def test_closing_forgets_all() -> None:
    turning, calls = wheel()
    item = Item()
    turning.add(item, 1_000.1)
    turning.close()
    calls.pass_s(1.0)
    assert item.called_s == []
    assert turning.count == 0
    turning.add(item, 1_001.5)
    calls.pass_s(1.0)
    assert len(item.called_s) == 1
