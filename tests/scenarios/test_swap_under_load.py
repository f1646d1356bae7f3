"""Generations change while queries keep coming: none is lost, and none is answered by two generations at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.swaps import swap_under_load
from blocklists.entry import SUBTREE
from dnswire.name import from_text
from tests.support.lists import write_covers

# SARING_LONG=1: what DESIGN 9 asks for, in two minutes; ``make bench B=blocklists`` does the same.
LONG = os.environ.get("SARING_LONG") == "1"
NAMES, SWAPS = (1_000_000, 1_000) if LONG else (3_000, 25)


def test_no_query_is_lost_and_no_answer_mixes_two_generations(tmp_path: Path) -> None:
    names = [f"n{number:x}.judi{number % 97}.example" for number in range(NAMES)]
    entries = write_covers(tmp_path / "entries", {from_text(name): SUBTREE for name in names})
    swapped = swap_under_load(tmp_path / "state", entries, names[:: NAMES // 1_000], SWAPS, quiet_s=0.2)
    assert swapped.asked > SWAPS
    assert (swapped.lost, swapped.mixed) == (0, 0)
    assert swapped.rows == swapped.answers, "the query log has every answer"
    assert len(swapped.swapping["answers"]) == 2, "both generations were met"


def test_the_experiment_would_see_a_mixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with generations whose policy is the other's: each name passes, and is no generation's answer."""
    from bench import swaps

    policy_of = swaps.policy_of
    names = [f"n{number}.example" for number in range(50)]
    entries = write_covers(tmp_path / "entries", {from_text(name): SUBTREE for name in names})
    turns = iter([True] * 3 + [False] * 100)
    monkeypatch.setattr(swaps, "policy_of", lambda number: policy_of(number if next(turns) else number + 1))
    swapped = swap_under_load(tmp_path / "state", entries, names, 3, quiet_s=0)
    assert swapped.mixed > 0
