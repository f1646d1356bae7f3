"""What a generation no longer in force remembers goes in parts, so that nobody waits for it."""

from __future__ import annotations

import time
from pathlib import Path

from blocklists.entry import SUBTREE
from dnswire.name import from_text
from resolver.in_force import InForce
from tests.support.lists import opened
from tests.support.world import HEALTH_CLIENT, sample_policy


def test_plans_are_forgotten_part_by_part_and_can_be_made_again(tmp_path: Path) -> None:
    name = from_text("judi.example")
    index = opened(tmp_path, {1: {name: SUBTREE}})
    in_force = InForce.begin(1, sample_policy(), index, time.time(), {})
    known = in_force.identify(HEALTH_CLIENT)
    for number in range(25):
        below = from_text(f"n{number}.judi.example")
        in_force.plan(known, below + b"\0\1\0\1", below, 1)
    left = []
    while in_force.shed(10):
        left.append(len(known.plans))
    assert (left, known.plans) == ([15, 5], {})
    assert in_force.plan(known, b"again", name, 1).decision.list_id == 1
    index.close()


def test_nothing_to_forget_is_done_at_once(tmp_path: Path) -> None:
    index = opened(tmp_path, {})
    in_force = InForce.begin(1, sample_policy(), index, time.time(), {})
    assert not in_force.shed(0)
    in_force.identify(HEALTH_CLIENT)
    assert not in_force.shed(1)
    index.close()
