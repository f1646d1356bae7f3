"""Sockets and loops: every test here runs on asyncio's loop and on uvloop."""

from tests.support.loops import pytest_asyncio_loop_factories as pytest_asyncio_loop_factories
from tests.support.upstream_groups import group as group
