"""Runs a folder's tests on both event loops: asyncio's own, and uvloop, which the workers use and which differs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio calls this where a folder's ``conftest.py`` imports it."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
