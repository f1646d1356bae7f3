"""Several servers at a time: hedging and races, what they cost, and what the slower ones are known for afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import time

from dnswire.name import from_text
from resolver.settings import UpstreamServer
from resolver.upstream.carrier import Straggler
from resolver.upstream.exchange import Exchange
from resolver.upstream.failure import UpstreamFailure
from resolver.upstream.group import UpstreamGroup
from resolver.upstream.limits import GroupSettings
from resolver.upstream.ports import Port
from tests.support import dns_messages as say
from tests.support import hostile
from tests.support.hostile import HostileUpstream
from tests.support.ports import free_port
from tests.support.upstream_groups import LONG, MakeGroup, ask

UDP_ADDRESS = bytes((192, 0, 2, 1))


def known_as(upstreams: UpstreamGroup, *rtts_s: float) -> None:
    """As if the servers had answered a while at these speeds."""
    for server, rtt_s in zip(upstreams._dispatcher._servers, rtts_s, strict=True):
        for _ in range(32):
            server.health.measured(rtt_s)


def down(upstreams: UpstreamGroup) -> list[bool]:
    return [not row["up"] for row in upstreams.counters()]


async def test_where_the_fastest_is_late_a_second_one_is_asked_and_its_answer_taken(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as late, HostileUpstream() as other:
        settings = GroupSettings(attempt_s=5.0, deadline_s=10.0, hedge_share=0.5)
        upstreams = group(late, other, settings=settings, strategy="fastest")
        known_as(upstreams, 0.02, 0.04)
        began_s = time.monotonic()
        for number in range(4):
            assert (await ask(upstreams, f"n{number}.example")).upstream == 2
            assert upstreams.outstanding == 0
        assert time.monotonic() - began_s < 2.0, "not the five seconds' patience with the first"
        assert (len(late.queries), len(other.queries)) == (4, 4), "both were asked each time but for the budget"


async def test_the_late_reply_tells_how_slow_its_server_is(group: MakeGroup) -> None:
    held: list[tuple[bytes, tuple[str, int]]] = []

    def hold(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        held.append((query, peer))

    async with HostileUpstream(udp=hold) as late, HostileUpstream() as other:
        upstreams = group(late, other, settings=GroupSettings(hedge_share=0.5), strategy="fastest")
        known_as(upstreams, 0.01, 0.02)
        for number in range(2):
            await ask(upstreams, f"n{number}.example")
        answers = upstreams.counters()[0]["answers"]
        for query, peer in held:
            late.send(hostile.honest(query), peer)
        await hostile.until(lambda: upstreams.counters()[0]["answers"] == answers + 2)
        rtt_ms = upstreams.counters()[0]["rtt_ms"]
        assert isinstance(rtt_ms, float)
        assert rtt_ms > 10.0
        assert upstreams.counters()[0]["near_misses"] == {}


async def test_one_that_never_answers_goes_down_although_others_answer_in_its_stead(group: MakeGroup) -> None:
    settings = GroupSettings(attempt_s=0.06, deadline_s=2.0, hedge_share=0.5, first_backoff_s=60.0)
    async with HostileUpstream(udp=hostile.silent) as silent, HostileUpstream() as other:
        upstreams = group(silent, other, settings=settings, strategy="race")
        for number in range(4):
            assert (await ask(upstreams, f"n{number}.example")).upstream == 2
        await hostile.until(lambda: down(upstreams)[0])
        asked = len(silent.queries)
        for number in range(4):
            await ask(upstreams, f"later{number}.example")
        assert len(silent.queries) == asked, "one that is down takes no part in a race"


async def test_hedges_stay_within_their_share(group: MakeGroup) -> None:
    """Both servers become slow: a second question for each query would slow them down further."""

    def slow(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        asyncio.get_running_loop().call_later(0.08, server.send, hostile.honest(query), peer)

    async with HostileUpstream(udp=slow) as one, HostileUpstream(udp=slow) as two:
        settings = GroupSettings(attempt_s=5.0, deadline_s=10.0, hedge_share=0.05)
        upstreams = group(one, two, settings=settings, strategy="fastest")
        known_as(upstreams, 0.01, 0.02)
        await asyncio.gather(*(ask(upstreams, f"n{number}.example") for number in range(200)))
        assert 10 <= upstreams.totals()["hedges"] <= 20, "ten saved up, and a twentieth of 200"


async def test_no_hedge_to_a_server_that_is_down_or_by_a_group_of_one(group: MakeGroup) -> None:
    async with HostileUpstream() as only:
        upstreams = group(only, strategy="fastest")
        assert upstreams._dispatcher.strategy.hedges is None
        dead = UpstreamServer("127.0.0.1", free_port())
        upstreams = group(only, dead, strategy="fastest", settings=GroupSettings(hedge_share=0.5))
        known_as(upstreams, 0.01, 0.02)
        upstreams._dispatcher._servers[1].health.down = True
        await asyncio.gather(*(ask(upstreams, f"n{number}.example") for number in range(20)))
        assert upstreams.totals()["hedges"] == 0


async def test_a_race_asks_so_many_at_once_and_takes_the_first_answer(group: MakeGroup) -> None:
    async with (
        HostileUpstream(udp=hostile.silent) as one,
        HostileUpstream() as two,
        HostileUpstream(udp=hostile.silent) as three,
    ):
        upstreams = group(one, two, three, strategy="race", settings=GroupSettings(attempt_s=5.0, racers=2))
        assert (await ask(upstreams)).upstream == 2
        assert [len(server.queries) for server in (one, two, three)] == [1, 1, 0]
        ids = [say.id_of(one.queries[0]), say.id_of(two.queries[0])]
        assert ids[0] != ids[1] or one.peers[0][1] != two.peers[0][1]


async def test_a_refusal_does_not_win_a_race(group: MakeGroup) -> None:
    held: list[tuple[bytes, tuple[str, int]]] = []

    def servfail(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        server.send(say.response(say.question_of(query), say.id_of(query), rcode=2), peer)
        honest.send(hostile.honest(held[0][0]), held[0][1])

    def hold(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        held.append((query, peer))

    async with HostileUpstream(udp=hold) as honest, HostileUpstream(udp=servfail) as quick:
        upstreams = group(honest, quick, strategy="race")
        exchanged = await ask(upstreams)
        assert (exchanged.upstream, exchanged.answer.rcode) == (1, 0)


async def test_where_one_racer_cannot_be_reached_the_other_goes_on(group: MakeGroup) -> None:
    async with HostileUpstream() as good:
        upstreams = group(UpstreamServer("127.0.0.1", free_port()), good, strategy="race", settings=LONG)
        for number in range(5):
            assert (await ask(upstreams, f"n{number}.example")).answer.addresses == (UDP_ADDRESS,)


async def test_a_near_miss_of_one_racer_costs_the_other_nothing(group: MakeGroup) -> None:
    def forged(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        wrong = ((say.id_of(query) + 1) & 0xFFFF).to_bytes(2, "big")
        server.send(wrong + hostile.honest(query, "203.0.113.66")[2:], peer)

    async with HostileUpstream(udp=forged, tcp=hostile.silent_tcp) as bad, HostileUpstream(udp=hostile.silent) as other:
        upstreams = group(bad, other, strategy="race")
        asked = asyncio.ensure_future(ask(upstreams))
        await hostile.until(lambda: bool(bad.tcp_queries) and bool(other.queries))
        other.send(hostile.honest(other.queries[0]), other.peers[0])
        assert ((await asked).answer.addresses, (await asked).upstream) == ((UDP_ADDRESS,), 2)


async def test_every_tenth_datagram_lost_and_none_of_five_hundred_questions(group: MakeGroup) -> None:
    source = random.Random(7)

    def lossy(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        # Lost on the way there or back: to the one who asks it is the same.
        if source.random() >= 0.19:
            server.send(hostile.honest(query), peer)

    # Long enough for a busy machine to be no loss of its own.
    settings = GroupSettings(attempt_s=0.25, deadline_s=30.0, failures_to_down=1_000)
    async with HostileUpstream(udp=lossy) as one, HostileUpstream(udp=lossy) as two:
        for strategy in ("strict", "fastest", "race"):
            upstreams = group(one, two, settings=settings, strategy=strategy)
            names = [from_text(f"{strategy}{number}.example") for number in range(500)]
            asked = (upstreams.exchange(name, 1, 1, False, False) for name in names)
            results = await asyncio.gather(*asked, return_exceptions=True)
            lost = [result for result in results if isinstance(result, BaseException)]
            assert lost == [], strategy
            assert upstreams.outstanding == 0


async def test_what_has_ended_is_freed_though_the_collector_does_not_know_attempts() -> None:
    """A port knows its exchanges, an exchange its attempts, an attempt its port: that circle is broken by hand."""

    def alive() -> int:
        gc.collect()
        return sum(isinstance(found, Exchange | Port | Straggler) for found in gc.get_objects())

    before = alive()
    async with HostileUpstream(udp=hostile.silent) as silent, HostileUpstream() as other:
        settings = GroupSettings(attempt_s=0.05, deadline_s=10.0)
        for strategy in ("strict", "race"):
            upstreams = UpstreamGroup((silent.where, other.where), settings, strategy)
            for number in range(4):
                assert (await ask(upstreams, f"n{number}.example")).upstream == 2
            waiting = asyncio.ensure_future(ask(upstreams, "menunggu.example"))
            await asyncio.sleep(0)
            await upstreams.close()
            with contextlib.suppress(UpstreamFailure):
                await waiting
            del upstreams, waiting
    assert alive() == before
