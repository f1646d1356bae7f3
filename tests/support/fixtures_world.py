"""A factory of worlds that are closed at the end of their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from policy.model import Policy
from tests.support.world import World

Worlds = Callable[..., World]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Worlds]:
    """``world(policy, lists, ...)``: see ``World``."""
    made: list[World] = []

    def make(policy: Policy, lists: Mapping[int, Sequence[str]] | None = None, **options: object) -> World:
        made.append(World(tmp_path / f"spool-{len(made)}", policy, lists, **options))  # type: ignore[arg-type]  # passed on
        return made[-1]

    yield make
    for one in made:
        one.spool.close()
