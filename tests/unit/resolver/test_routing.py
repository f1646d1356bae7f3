"""Which group a question goes to."""

from __future__ import annotations

import pytest

from dnswire.name import from_text
from resolver.routing import FIRST, Routing
from resolver.settings import Route, ServerGroup, UpstreamServer

GROUPS = (
    ServerGroup("default", (UpstreamServer("192.0.2.1"),)),
    ServerGroup("inside", (UpstreamServer("10.0.0.1"),), internal=True),
    ServerGroup("school", (UpstreamServer("192.0.2.2"),)),
)
ROUTES = (
    Route("muba.go.id", "inside"),
    Route("www.muba.go.id", "default"),
    Route(".", "school", agency="disdik"),
    Route("muba.go.id", "school", agency="disdik"),
    Route("10.in-addr.arpa", "inside"),
)
ROUTING = Routing(GROUPS, ROUTES)


@pytest.mark.parametrize(
    ("agency", "name", "group"),
    [
        ("dinkes", "example.com", 0),
        ("dinkes", "muba.go.id", 1),
        ("dinkes", "a.b.muba.go.id", 1),
        ("dinkes", "xmuba.go.id", 0),
        ("dinkes", "go.id", 0),
        ("dinkes", "www.muba.go.id", 0),
        ("dinkes", "x.www.muba.go.id", 0),
        ("disdik", "example.com", 2),
        ("disdik", "a.muba.go.id", 2),
        ("disdik", "www.muba.go.id", 0),  # the longer suffix, though it is everybody's
        ("disdik", "5.0.0.10.in-addr.arpa", 1),
        ("", ".", 0),
    ],
)
def test_the_longest_suffix_and_of_equal_ones_the_agency_s(agency: str, name: str, group: int) -> None:
    assert ROUTING.table(agency).find(from_text(name)).group == group


def test_only_a_route_to_an_internal_group_leads_inside() -> None:
    table = ROUTING.table("dinkes")
    targets = [table.find(from_text(name)) for name in ("muba.go.id", "www.muba.go.id", "x.example")]
    assert [target.inside for target in targets] == [True, False, False]
    assert [target.public for target in targets] == [False, True, True]
    internal = Routing((ServerGroup("default", (), internal=True),), ())
    assert not internal.common.find(from_text("x.example")).inside, "nobody routed it there"
    assert not internal.common.find(from_text("x.example")).public


def test_no_two_groups_nor_flags_share_a_key() -> None:
    targets = [ROUTING.common.find(from_text(name)) for name in ("x.example", "muba.go.id")]
    targets.append(ROUTING.table("disdik").find(from_text("x.example")))
    endings = [key for target in targets for key in target.keys]
    assert len(set(endings)) == len(endings) == 12


def test_a_key_is_of_the_group_and_not_of_its_place() -> None:
    """A cache outlives a restart, and with it an edit of the groups."""
    other = Routing((GROUPS[0], GROUPS[2], GROUPS[1]), ROUTES)
    name = from_text("muba.go.id")
    assert other.common.find(name).group == 2
    assert other.common.find(name).keys == ROUTING.common.find(name).keys
    moved = (GROUPS[0], ServerGroup("inside", (UpstreamServer("10.0.0.9"),), internal=True), GROUPS[2])
    assert Routing(moved, ROUTES).common.find(name).keys != ROUTING.common.find(name).keys
    assert FIRST.keys == ROUTING.common.find(from_text("x.example")).keys


def test_a_route_to_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="'gone', which does not exist"):
        Routing(GROUPS, (Route("x.example", "gone"),))
