"""A flood of names that nobody answers, each in another zone, must not take the places of names that are answered.

The pipeline and a group of upstreams on real sockets, and a clock that only the test moves: the flood never ends an
exchange by itself, since no deadline comes within the test's seconds but those that the test lets pass.
"""

from __future__ import annotations

import asyncio

from querylog.record import Transport
from resolver.upstream.exchange import FINISH, SEND
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.upstream.group import UpstreamGroup
from resolver.upstream.limits import GroupSettings
from tests.support import dns_messages as say
from tests.support import hostile
from tests.support.dns import Said, ask, heard
from tests.support.fixtures_world import Worlds
from tests.support.hostile import HostileUpstream
from tests.support.world import HEALTH_CLIENT, World, sample_policy

PLACES = 64
LIMITS = GroupSettings(max_outstanding=PLACES, jostle_s=0.2)
STEP_S = 0.02
FLOOD_A_STEP = 4  # 200 a second: a place lasts 0.32 s where the newest always get one
FLOOD = b"banjir"


def honest_but_to_the_flood(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    if FLOOD not in query.lower():
        hostile.answers(server, query, peer)


class Flooded:
    """A world whose upstreams are a group on the world's clock, and a flood of strangers to them."""

    def __init__(self, here: World, *servers: HostileUpstream) -> None:
        self.here = here
        self.flood: list[bytes] = []  # what it got
        self._sent = 0
        self.group = UpstreamGroup(
            [server.where for server in servers], LIMITS, clock=lambda: here.now_s, load=here.pressure.load
        )
        here.upstreams[0] = self.group  # type: ignore[call-overload]  # a real one in its place

    async def __aenter__(self) -> Flooded:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.group.close()

    def send(self, response: bytes, address: object) -> None:
        """Where answers to the flood arrive (``turn.Sender``)."""
        self.flood.append(response)

    def step(self) -> None:
        """Time passes, and the flood goes on."""
        self.here.now_s += STEP_S
        for _ in range(FLOOD_A_STEP):
            self._sent += 1
            host = f"10.2.{self._sent % 200}.{1 + self._sent // 200 % 200}"
            name = f"x.{FLOOD.decode()}-{self._sent}.example"
            now = self.here.pipeline.answer(ask(name), host, Transport.UDP, self, "flood")
            if now is not None:
                self.flood.append(now)

    async def ask(self, name: str) -> Said:
        """What an honest client is told."""
        self.here.sent.clear()
        now = self.here.pipeline.answer(ask(name), HEALTH_CLIENT, Transport.UDP, self.here, "client")
        if now is None:
            await hostile.until(lambda: bool(self.here.sent))
            now = self.here.sent.pop()
        return heard(now)


async def test_new_names_are_answered_while_a_flood_in_many_zones_lasts(world: Worlds) -> None:
    async with (
        HostileUpstream(udp=honest_but_to_the_flood) as server,
        Flooded(world(sample_policy()), server) as flooded,
    ):
        for _ in range(PLACES // FLOOD_A_STEP):
            flooded.step()
        assert flooded.group.outstanding == PLACES
        answered = 0
        for number in range(300):
            flooded.step()
            answered += (await flooded.ask(f"www.kantor-{number}.example")).rcode == "NOERROR"
            assert flooded.group.outstanding <= PLACES
        assert answered >= 297
        totals = flooded.group.totals()
        assert totals["evicted"] >= 1_000
        assert {heard(one).ede[0][0] for one in flooded.flood[-100:]} == {23}


async def test_a_flood_faster_than_anyone_is_answered_is_refused(world: Worlds) -> None:
    """Places are not taken from those who have just begun: that would be no place for anybody."""
    async with HostileUpstream(udp=hostile.silent) as server, Flooded(world(sample_policy()), server) as flooded:
        for _ in range(PLACES):
            flooded.step()
            flooded.here.now_s -= STEP_S  # all within an instant
        totals = flooded.group.totals()
        assert (totals["outstanding"], totals["evicted"]) == (PLACES, 0)
        assert totals["overloaded"] == (FLOOD_A_STEP - 1) * PLACES


async def test_who_is_pushed_out_gets_what_is_known_of_old(world: Worlds) -> None:
    here = world(sample_policy())
    async with HostileUpstream(udp=honest_but_to_the_flood) as server, Flooded(here, server) as flooded:
        assert (await flooded.ask("lama.example")).rcode == "NOERROR"
        here.now_s += 400
        server.udp = hostile.silent
        waiting = asyncio.ensure_future(flooded.ask("lama.example"))
        await asyncio.sleep(0)
        while not waiting.done():
            flooded.step()
            await asyncio.sleep(0)
        said = await waiting
        assert (said.rcode, said.addresses, said.ede[0][0]) == ("NOERROR", ("192.0.2.1",), 3)


async def test_a_flood_does_not_hide_that_a_server_is_dead(world: Worlds) -> None:
    """Nobody waits for it long enough to notice, but some are watched."""
    async with (
        HostileUpstream(udp=hostile.silent) as dead,
        HostileUpstream(udp=honest_but_to_the_flood) as well,
        Flooded(world(sample_policy()), dead, well) as flooded,
    ):
        for _ in range(int(LIMITS.attempt_s / STEP_S) + PLACES):
            flooded.step()
        await hostile.until(lambda: not flooded.group.counters()[0]["up"])
        assert (await flooded.ask("www.kantor.example")).rcode == "NOERROR"
        assert len(dead.queries) > len(well.queries) == 1


async def test_who_is_pushed_out_in_the_middle_of_his_next_step_does_not_take_it() -> None:
    """A lost socket tells all who wait on it, one of them asks anew at once, and another's place goes to that."""
    now_s = 100.0
    ends: list[object] = []
    async with HostileUpstream(udp=hostile.silent) as server:
        limits = GroupSettings(max_outstanding=1, jostle_s=0.2)
        group = UpstreamGroup([server.where], limits, clock=lambda: now_s)
        dispatcher = group._dispatcher
        first = dispatcher.ask(say.question("satu.example"), False, False, lambda result, _: ends.append(result))
        assert first is not None
        now_s += 1.0
        assert dispatcher.ask(say.question("dua.example"), False, False, lambda result, _: None) is not None
        assert [str(end) for end in ends] == [str(UpstreamFailure(Reason.EVICTED))]
        sent = group.counters()[0]["sent"]
        dispatcher.perform(first, SEND, now_s)
        dispatcher.perform(first, FINISH, now_s)
        assert (len(ends), group.counters()[0]["sent"], group.outstanding) == (1, sent, 1)
        await group.close()
