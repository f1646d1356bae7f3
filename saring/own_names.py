"""The names of Saring's own that the configuration tells of: nobody's rule, and no list, may block them."""

from __future__ import annotations

from admin_api.surroundings import MUST_RESOLVE
from policy.surroundings import OwnName
from saring.config_schema import Config


def own_names(config: Config) -> tuple[OwnName, ...]:
    """Those of the admin API, and those that must resolve."""
    of_api = tuple(OwnName(name, "the admin API's name") for name in config.api.names)
    return of_api + tuple(OwnName(name, MUST_RESOLVE) for name in config.lists.must_resolve)
