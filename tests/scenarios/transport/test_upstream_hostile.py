"""Upstreams that are dead, slow, lying, truncating or broken: what the group makes of them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from dnswire.name import from_text
from resolver.settings import UpstreamServer
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.upstream.limits import GroupSettings
from tests.support import dns_messages as say
from tests.support import hostile
from tests.support.hostile import HostileUpstream
from tests.support.ports import free_port
from tests.support.upstream_groups import LONG, SHORT, MakeGroup, ask, failure, near_misses

UDP_ADDRESS = bytes((192, 0, 2, 1))
TCP_ADDRESS = bytes((192, 0, 2, 80))


def first_then(
    first: Callable[[HostileUpstream, bytes, tuple[str, int]], None],
) -> Callable[[HostileUpstream, bytes, tuple[str, int]], None]:
    """Each query: first the forgery, then the truth."""

    def behave(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        first(server, query, peer)
        server.send(hostile.honest(query), peer)

    return behave


async def test_an_honest_server_is_believed(group: MakeGroup) -> None:
    async with HostileUpstream() as server:
        upstreams = group(server)
        exchanged = await ask(upstreams)
        assert exchanged.answer.addresses == (UDP_ADDRESS,)
        assert exchanged.upstream == 1
        assert upstreams.outstanding == 0
        assert len(server.queries) == 1


def forged_id(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    wrong = ((say.id_of(query) + 1) & 0xFFFF).to_bytes(2, "big")
    server.send(wrong + hostile.honest(query, "203.0.113.66")[2:], peer)


def forged_question(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    other = say.response(
        say.question("evil.example"), say.id_of(query), answer=(say.a("evil.example", "203.0.113.66"),)
    )
    server.send(other, peer)


def garbage(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(query[:2] + b"\x81\x80garbage", peer)


def one_octet(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(b"\x00", peer)


def echoes(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(query, peer)


def cut(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(hostile.honest(query)[:-3], peer)


@pytest.mark.parametrize(
    ("forgery", "kind"),
    [
        (forged_id, "wrong_id"),
        (forged_question, "wrong_question"),
        (garbage, "malformed"),
        (one_octet, "malformed"),
        (echoes, "not_a_response"),
        (cut, "malformed"),
    ],
)
async def test_after_one_near_miss_the_query_goes_by_tcp_and_no_udp_reply_counts(
    group: MakeGroup, forgery: Callable[[HostileUpstream, bytes, tuple[str, int]], None], kind: str
) -> None:
    # The true reply follows the forged one at once: had it been taken, the attacker's next guess could have been, too.
    async with HostileUpstream(udp=first_then(forgery)) as server:
        upstreams = group(server)
        exchanged = await ask(upstreams)
        assert exchanged.answer.addresses == (TCP_ADDRESS,)
        assert near_misses(upstreams) == {kind: 1}
        assert (len(server.queries), len(server.tcp_queries)) == (1, 1)


async def test_a_reply_from_another_address_never_arrives(group: MakeGroup) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))

        def behave(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
            elsewhere.sendto(hostile.honest(query, "203.0.113.66"), peer)

        async with HostileUpstream(udp=behave, tcp=hostile.silent_tcp) as server:
            upstreams = group(server, settings=SHORT)
            assert (await failure(upstreams)).reason == Reason.TIMEOUT
            assert near_misses(upstreams) == {}


async def test_truncated_goes_by_tcp(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.truncates) as server:
        upstreams = group(server)
        assert (await ask(upstreams)).answer.addresses == (TCP_ADDRESS,)
        assert upstreams.counters()[0]["truncated"] == 1


async def test_queries_by_tcp_share_a_connection_and_come_back_in_any_order(group: MakeGroup) -> None:
    waiting: list[tuple[bytes, asyncio.StreamWriter]] = []

    def backwards(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
        waiting.append((query, writer))
        if len(waiting) == 20:
            for held, where in reversed(waiting):
                where.write(hostile.frame(hostile.honest(held, f"192.0.2.{waiting.index((held, where))}")))

    async with HostileUpstream(udp=hostile.truncates, tcp=backwards) as server:
        upstreams = group(server)
        exchanged = await asyncio.gather(*(ask(upstreams, f"n{n}.example") for n in range(20)))
        for each in exchanged:
            place = next(
                i for i, (query, _) in enumerate(waiting) if say.question_of(query)[:-4].lower() == each.answer.name
            )
            assert each.answer.addresses == (bytes((192, 0, 2, place)),)
        assert server.connections == 1


async def test_tcp_octet_by_octet(group: MakeGroup) -> None:
    def dripping(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
        async def drip() -> None:
            for octet in hostile.frame(hostile.honest(query, "192.0.2.80")):
                writer.write(bytes((octet,)))
                await writer.drain()
                await asyncio.sleep(0)

        server._tasks.add(asyncio.ensure_future(drip()))

    async with HostileUpstream(udp=hostile.truncates, tcp=dripping) as server:
        upstreams = group(server)
        assert (await ask(upstreams)).answer.addresses == (TCP_ADDRESS,)


async def test_truncated_then_tcp_closed_goes_to_the_next_server(group: MakeGroup) -> None:
    async with (
        HostileUpstream(udp=hostile.truncates, tcp=hostile.closes_tcp) as bad,
        HostileUpstream() as good,
    ):
        upstreams = group(bad, good)
        exchanged = await ask(upstreams)
        assert (exchanged.answer.addresses, exchanged.upstream) == ((UDP_ADDRESS,), 2)
        assert bad.connections == 2, "a connection that was open is opened again, once"


async def test_truncated_then_no_tcp_at_all_goes_to_the_next_server(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.truncates, tcp=None) as bad, HostileUpstream() as good:
        upstreams = group(bad, good)
        assert (await ask(upstreams)).upstream == 2


def half(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(hostile.frame(hostile.honest(query))[:20])


def half_then_close(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    half(server, query, writer)
    writer.close()


def wrong_id_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    wrong = ((say.id_of(query) + 1) & 0xFFFF).to_bytes(2, "big")
    writer.write(hostile.frame(wrong + hostile.honest(query)[2:]))


def wrong_question_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(hostile.frame(say.response(say.question("evil.example"), say.id_of(query))))


def short_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x03abc")


def zero_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x00")


@pytest.mark.parametrize(
    "behaviour", [half, half_then_close, wrong_id_tcp, wrong_question_tcp, short_tcp, zero_tcp, hostile.silent_tcp]
)
async def test_nonsense_by_tcp_costs_the_server_its_turn(
    group: MakeGroup, behaviour: Callable[[HostileUpstream, bytes, asyncio.StreamWriter], None]
) -> None:
    async with HostileUpstream(udp=hostile.truncates, tcp=behaviour) as bad, HostileUpstream() as good:
        upstreams = group(bad, good, settings=GroupSettings(attempt_s=0.15, deadline_s=5.0))
        exchanged = await ask(upstreams)
        assert (exchanged.answer.addresses, exchanged.upstream) == ((UDP_ADDRESS,), 2)


async def test_an_idle_connection_is_closed(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.truncates) as server:
        upstreams = group(server, settings=GroupSettings(tcp_idle_s=0.02))
        await ask(upstreams)
        (connection,) = upstreams._dispatcher._servers[0].connections._open
        await hostile.until(lambda: connection.closed)
        await ask(upstreams, "again.example")
        assert server.connections == 2


async def test_a_dead_server_is_noticed_at_once_and_the_next_one_asked(group: MakeGroup) -> None:
    # A closed port answers with ICMP, which a connected socket reports: no deadline has to pass.
    dead = UpstreamServer("127.0.0.1", free_port())
    async with HostileUpstream() as good:
        upstreams = group(dead, good)
        began_s = time.monotonic()
        assert (await ask(upstreams)).upstream == 2
        assert time.monotonic() - began_s < LONG.attempt_s


async def test_all_dead_says_so_and_why(group: MakeGroup) -> None:
    upstreams = group(UpstreamServer("127.0.0.1", free_port()), UpstreamServer("127.0.0.2", free_port("127.0.0.2")))
    failed = await failure(upstreams)
    assert (failed.reason, failed.ede[0]) == (Reason.NETWORK, 23)
    assert "127." not in failed.ede[1], "a client learns nothing of the network behind us"


async def test_all_silent_says_so_and_why(group: MakeGroup) -> None:
    settings = GroupSettings(attempt_s=0.1, deadline_s=0.6, first_backoff_s=60.0)
    async with HostileUpstream(udp=hostile.silent, tcp=hostile.silent_tcp) as server:
        upstreams = group(server, settings=settings)
        failed = await failure(upstreams)
        assert (failed.reason, failed.ede[0]) == (Reason.TIMEOUT, 22)
        assert (len(server.queries), len(server.tcp_queries)) == (2, 1)
        assert len({say.id_of(q) for q in server.queries}) == 2, "each retransmission has an ID of its own"
        assert upstreams.outstanding == 0


async def test_a_silent_server_is_left_for_the_next_and_asked_last_from_then_on(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as silent, HostileUpstream() as good:
        upstreams = group(silent, good, settings=GroupSettings(attempt_s=0.05, deadline_s=2.0, first_backoff_s=60.0))
        for number in range(3):
            assert (await ask(upstreams, f"n{number}.example")).upstream == 2
        assert upstreams.counters()[0]["up"] is False
        asked = len(silent.queries)
        began_s = time.monotonic()
        assert (await ask(upstreams, "after.example")).upstream == 2
        assert time.monotonic() - began_s < 0.05
        assert len(silent.queries) == asked


async def test_a_server_that_comes_back_is_found_by_a_probe_of_our_own(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as first, HostileUpstream() as second:
        upstreams = group(first, second, settings=GroupSettings(attempt_s=0.03, deadline_s=2.0, first_backoff_s=0.03))
        for number in range(3):
            await ask(upstreams, f"n{number}.example")
        assert upstreams.counters()[0]["up"] is False
        first.udp = hostile.answers
        await hostile.until(lambda: upstreams.counters()[0]["up"] is True)
        probe = first.queries[-1]
        assert say.question_of(probe) == say.question(".", 2), "the root's NS: no client's name is spent on probing"
        assert (await ask(upstreams, "back.example")).upstream == 1


async def test_a_late_reply_is_taken_while_the_next_server_is_asked(group: MakeGroup) -> None:
    held: list[tuple[bytes, tuple[str, int]]] = []

    async with HostileUpstream() as slow, HostileUpstream() as silent:

        def hold(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
            held.append((query, peer))

        def release(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
            slow.send(hostile.honest(held[0][0]), held[0][1])

        slow.udp = hold
        silent.udp = release
        upstreams = group(slow, silent, settings=GroupSettings(attempt_s=0.05, deadline_s=5.0))
        exchanged = await ask(upstreams)
        assert exchanged.upstream == 1
        assert near_misses(upstreams) == {}


async def test_a_reply_that_comes_twice_is_no_attack(group: MakeGroup) -> None:
    def twice(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        server.send(hostile.honest(query), peer)
        server.send(hostile.honest(query), peer)

    async with HostileUpstream(udp=twice) as server:
        upstreams = group(server, settings=GroupSettings(port_pool_size=1))
        for number in range(5):
            await ask(upstreams, f"n{number}.example")
        assert near_misses(upstreams) == {}
        assert server.tcp_queries == []


async def test_a_server_without_edns_is_asked_without_and_remembered(group: MakeGroup) -> None:
    def formerr(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        if query[10:12] == b"\x00\x01":
            server.send(query[:2] + b"\x81\x81" + bytes(8), peer)
        else:
            server.send(hostile.honest(query), peer)

    async with HostileUpstream(udp=formerr) as server:
        upstreams = group(server)
        await ask(upstreams)
        await ask(upstreams, "second.example")
        assert [q[10:12] for q in server.queries] == [b"\x00\x01", b"\x00\x00", b"\x00\x00"]


async def test_servfail_is_asked_elsewhere_and_passed_on_only_if_all_say_so(group: MakeGroup) -> None:
    def servfail(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        server.send(say.response(say.question_of(query), say.id_of(query), rcode=2), peer)

    async with HostileUpstream(udp=servfail) as bad, HostileUpstream() as good:
        upstreams = group(bad, good)
        assert (await ask(upstreams)).upstream == 2
        upstreams = group(bad)
        assert (await ask(upstreams)).answer.rcode == 2


async def test_over_the_limit_it_fails_at_once_and_sends_nothing(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as server:
        upstreams = group(server, settings=GroupSettings(attempt_s=5, deadline_s=10, max_outstanding=3))
        waiting = [asyncio.ensure_future(ask(upstreams, f"n{n}.example")) for n in range(3)]
        await hostile.until(lambda: len(server.queries) == 3)
        assert (await failure(upstreams, "fourth.example")).reason == Reason.OVERLOADED
        assert upstreams.totals()["overloaded"] == 1
        await upstreams.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [r.reason for r in results if isinstance(r, UpstreamFailure)] == [Reason.CLOSED] * 3
        assert (await failure(upstreams)).reason == Reason.CLOSED


async def test_the_same_question_is_asked_once_for_all_and_do_is_another_question(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as server:
        upstreams = group(server)
        name = from_text("popular.example")
        waiting = [asyncio.ensure_future(upstreams.exchange(name, 1, 1, False, False)) for _ in range(50)]
        waiting.append(asyncio.ensure_future(upstreams.exchange(name, 1, 1, True, False)))
        waiting.append(asyncio.ensure_future(upstreams.exchange(name, 1, 1, False, True)))
        await hostile.until(lambda: len(server.queries) == 3)
        for query, peer in zip(server.queries, server.peers, strict=True):
            server.send(hostile.honest(query), peer)
        assert all(e.answer.addresses == (UDP_ADDRESS,) for e in await asyncio.gather(*waiting))
        assert len(server.queries) == 3
        assert upstreams.totals()["coalesced"] == 49


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as server:
        upstreams = group(server)
        impatient, patient = (asyncio.ensure_future(ask(upstreams)) for _ in range(2))
        await server.asked.wait()
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        server.send(hostile.honest(server.queries[0]), server.peers[0])
        assert (await patient).upstream == 1
        assert upstreams.outstanding == 0


async def test_a_callers_own_deadline_may_be_shorter(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as server:
        upstreams = group(server)
        with pytest.raises(UpstreamFailure) as caught:
            await upstreams.exchange(from_text("slow.example"), 1, 1, False, False, deadline_s=0.02)
        assert caught.value.reason == Reason.TIMEOUT


async def test_a_name_that_just_failed_is_not_asked_again_at_once(group: MakeGroup) -> None:
    upstreams = group(UpstreamServer("127.0.0.1", free_port()))
    assert (await failure(upstreams)).reason == Reason.NETWORK
    sent = upstreams.counters()[0]["sent"]
    assert (await failure(upstreams)).reason == Reason.NETWORK
    assert upstreams.counters()[0]["sent"] == sent
    assert upstreams.totals()["failures_remembered"] == 1
    assert (await failure(upstreams, "other.example")).reason == Reason.NETWORK
    assert upstreams.counters()[0]["sent"] != sent


async def test_without_any_upstream_it_says_so(group: MakeGroup) -> None:
    upstreams = group()
    assert (await failure(upstreams)).reason == Reason.NO_UPSTREAM


async def test_draining_waits_for_what_is_under_way_and_no_longer_than_told(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as server:
        upstreams = group(server)
        waiting = asyncio.ensure_future(ask(upstreams))
        await server.asked.wait()
        draining = asyncio.ensure_future(upstreams.drain(30.0))
        await asyncio.sleep(0)
        server.send(hostile.honest(server.queries[0]), server.peers[0])
        await draining
        assert (await waiting).upstream == 1

        upstreams = group(server)
        waiting = asyncio.ensure_future(ask(upstreams, "never.example"))
        await asyncio.sleep(0)
        await upstreams.drain(0.02)
        with pytest.raises(UpstreamFailure):
            await waiting


async def test_over_ipv6(group: MakeGroup) -> None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with HostileUpstream(udp=hostile.truncates, address="::1") as server:
        upstreams = group(server)
        assert (await ask(upstreams)).answer.addresses == (TCP_ADDRESS,)


async def test_what_udp_has_lost_goes_by_tcp(group: MakeGroup) -> None:
    async with HostileUpstream(udp=hostile.silent) as server:
        upstreams = group(server, settings=SHORT)
        assert (await ask(upstreams)).answer.addresses == (TCP_ADDRESS,)
        assert (len(server.queries), len(server.tcp_queries)) == (1, 1)
        for number in range(3):
            await ask(upstreams, f"n{number}.example")
        assert upstreams.counters()[0]["up"] is False, "that it is well by TCP does not hide it"


async def test_a_datagram_that_is_late_is_sent_again_before_the_servers_time_is_over(group: MakeGroup) -> None:
    def second_only(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        if len(server.queries) == 2:
            server.send(hostile.honest(query), peer)

    async with HostileUpstream(udp=second_only) as server:
        upstreams = group(server)
        began_s = time.monotonic()
        assert (await ask(upstreams)).answer.addresses == (UDP_ADDRESS,)
        assert time.monotonic() - began_s < LONG.attempt_s
        assert say.id_of(server.queries[0]) != say.id_of(server.queries[1]) or server.peers[0] != server.peers[1]
        assert upstreams.counters()[0]["failures"] == 0
