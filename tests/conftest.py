"""Fixtures that more than one folder of tests uses."""

from tests.support.fixtures_world import world as world
