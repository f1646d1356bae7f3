"""Groups of upstreams in a test's hand: made on demand, closed behind the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import pytest

from dnswire.name import from_text
from resolver.settings import ServerGroup, UpstreamServer
from resolver.upstream.failure import UpstreamFailure
from resolver.upstream.group import Exchanged, UpstreamGroup
from resolver.upstream.limits import GroupSettings
from resolver.upstream.trust import identities
from tests.support.hostile import HostileUpstream

# Patience is what it costs to be wrong, so the tests that must wait wait this long, and the others never do.
SHORT = GroupSettings(attempt_s=0.1, deadline_s=0.6, first_backoff_s=0.05)
LONG = GroupSettings(attempt_s=5.0, deadline_s=10.0)


class MakeGroup(Protocol):
    """``group(server, ..., settings=, strategy=, ca_file=)``."""

    def __call__(
        self,
        *upstreams: HostileUpstream | UpstreamServer,
        settings: GroupSettings = LONG,
        strategy: str = "strict",
        ca_file: str = "",
    ) -> UpstreamGroup: ...


@pytest.fixture
async def group() -> AsyncIterator[MakeGroup]:
    """Makes groups, and closes them behind the test."""
    made: list[UpstreamGroup] = []

    def make(
        *upstreams: HostileUpstream | UpstreamServer,
        settings: GroupSettings = LONG,
        strategy: str = "strict",
        ca_file: str = "",
    ) -> UpstreamGroup:
        servers = tuple(u if isinstance(u, UpstreamServer) else u.where for u in upstreams)
        whom = identities(ServerGroup("test", servers, ca_file=ca_file))
        made.append(UpstreamGroup(servers, settings, strategy, identities=whom))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def ask(upstreams: UpstreamGroup, name: str = "www.example", rrtype: int = 1) -> Exchanged:
    """The answer to a question; the name has letters, whose case tells a forger nothing."""
    return await upstreams.exchange(from_text(name), rrtype, 1, False, False)


async def failure(upstreams: UpstreamGroup, name: str = "www.example") -> UpstreamFailure:
    """Why there is no answer; fails the test where there is one."""
    with pytest.raises(UpstreamFailure) as caught:
        await ask(upstreams, name)
    return caught.value


def near_misses(upstreams: UpstreamGroup, server: int = 0) -> object:
    """What was counted, by kind."""
    return upstreams.counters()[server]["near_misses"]
