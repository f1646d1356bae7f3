"""Nobody slips through: every trick of DESIGN 5's last point, by every way an answer can come to a client.

The rows are in ``tests/support/tricks.py``. A column is where the answer comes from (upstream, cache, what has expired)
and which lane brings it. No forbidden address may reach the client, by the first answer or by any later one. By what
upstreams are asked, and clients behind a proxy: ``test_bypass_by_transport.py``.
"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from dnswire.constants import RRType
from querylog.record import Transport
from resolver.fast_lane import FastLane
from tests.support.dns import ask
from tests.support.fixtures_world import Worlds
from tests.support.tricks import BAD, TRICKS, TTL_S, Internet, Trick, a, ecs, leaks, policies
from tests.support.world import HEALTH_CLIENT, SCHOOLS_CLIENT, SOCIAL_LIST, STRANGER, World

UDP, TCP = int(Transport.UDP), int(Transport.TCP)

# Where the answer comes from: (what happened before the forbidden question is put).
UNCACHED = "uncached"
OLDER = "cached before the rule"
OTHERS = "cached by an agency that may"
STALE = "expired, upstreams dead"
OTHERS_STALE = "expired, cached by an agency that may, upstreams slow"
STATES = (UNCACHED, OLDER, OTHERS, STALE, OTHERS_STALE)
WAYS = (("UDP, pipeline", UDP, False), ("UDP, fast lane", UDP, True), ("TCP", TCP, False))


class Client:
    """One way to one world, and all that came back by it."""

    def __init__(self, here: World, trick: Trick, transport: int, fast: bool) -> None:
        self._here = here
        self._trick = trick
        self._transport = Transport(transport)
        self._lane = FastLane(here.pipeline) if fast else None
        self.by_lane = 0

    def ask(self, host: str) -> bytes:
        message = ask(self._trick.qname, self._trick.rrtype, **self._trick.query)  # type: ignore[arg-type]  # as they are
        if self._lane is not None:
            response = self._lane.reply(message, ip_address(f"::ffff:{host}").packed)
            if response:
                self.by_lane += 1
                return response
        return self._here.raw(message, host, self._transport)


def prepared(world: Worlds, trick: Trick, state: str) -> World:
    before, after = policies(trick)
    here = world(before if state in (OLDER, STALE) else after, {SOCIAL_LIST: [f"*.{BAD}"]})
    here.upstreams[0] = here.upstream = Internet(trick)
    return here


def put_into_cache(here: World, client: Client, trick: Trick, state: str) -> None:
    """Leaves the forbidden answer in the cache, and with the fast lane, as often as that takes to learn it."""
    host = SCHOOLS_CLIENT if state in (OTHERS, OTHERS_STALE) else HEALTH_CLIENT
    told = [client.ask(host) for _ in range(3)]
    assert [leaks(response) for response in told] == [trick.reveals] * 3, "this is no trick: nothing could leak"
    if state in (STALE, OTHERS_STALE):
        here.wait(TTL_S + 1)
    if state in (OLDER, STALE):
        here.publish(policies(trick)[1], {SOCIAL_LIST: [f"*.{BAD}"]})
    here.upstream.failing = state == STALE
    here.upstream.instant = state != OTHERS_STALE


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("transport", "fast"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
def test_nobody_slips_through(world: Worlds, transport: int, fast: bool, state: str) -> None:
    leaked = []
    learnt = 0
    for title, trick in TRICKS.items():
        here = prepared(world, trick, state)
        client = Client(here, trick, transport, fast)
        if state != UNCACHED:
            put_into_cache(here, client, trick, state)
        told = []
        for _ in range(3):
            told.append(client.ask(HEALTH_CLIENT))
            told.append(here.wait(1.9))  # longer than a client waits before it gets what is known of old
        here.sent.clear()
        here.upstream.land()
        told.extend(here.sent)
        learnt += client.by_lane
        assert any(told), title
        if any(map(leaks, told)):
            leaked.append(title)
    assert leaked == []
    assert bool(learnt) == fast


def test_a_stranger_gets_nothing_by_naming_another(world: Worlds) -> None:
    """ECS is a claim: only a forwarder of ours, known by its socket, is believed."""
    trick = Trick(BAD, said=[a(BAD)], query={"options": [ecs(SCHOOLS_CLIENT)]})
    for state in (UNCACHED, OTHERS):
        for _, transport, fast in WAYS:
            here = prepared(world, trick, state)
            client = Client(here, trick, transport, fast)
            if state != UNCACHED:
                put_into_cache(here, client, trick, state)
            told = [client.ask(STRANGER) for _ in range(2)]
            assert [(here.heard(response).rcode, leaks(response)) for response in told] == [("REFUSED", False)] * 2


def test_a_late_answer_is_not_taken_for_what_the_old_one_was_redirected_to(world: Worlds) -> None:
    """The client waited, got the old answer's redirection, and its target is asked for: two questions under way."""
    trick = TRICKS["CNAME to a redirected name"]
    here = prepared(world, trick, OTHERS_STALE)
    client = Client(here, trick, UDP, False)
    put_into_cache(here, client, trick, OTHERS_STALE)
    assert client.ask(HEALTH_CLIENT) == b""
    here.wait(1.9)
    assert here.upstream.asked[-1] == ("baru.example", RRType.A)
    here.upstream.land()
    assert [leaks(response) for response in here.sent] == [False]
    here.upstream.instant = True
    assert not leaks(here.raw(ask("baru.example"), SCHOOLS_CLIENT))
