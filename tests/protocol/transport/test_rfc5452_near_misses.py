"""RFC 5452 and draft-vixie-dnsext-dns0x20: what a forger has to hit, and what one miss costs him."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from resolver.upstream.failure import Reason
from resolver.upstream.limits import GroupSettings
from tests.support import dns_messages as say
from tests.support import hostile
from tests.support.hostile import HostileUpstream
from tests.support.upstream_groups import MakeGroup, ask, failure, near_misses

UDP_ADDRESS = bytes((192, 0, 2, 1))
TCP_ADDRESS = bytes((192, 0, 2, 80))
NAME = "the-name-has-many-letters.example"


def folded(query: bytes) -> bytes:
    """The query as a server sees it that does not keep the case of names."""
    asked = say.question_of(query)
    return query.replace(asked, asked[:-4].lower() + asked[-4:], 1)


def folding(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(hostile.honest(folded(query)), peer)


def folding_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(hostile.frame(hostile.honest(folded(query), "192.0.2.80")))


async def test_the_case_of_each_name_is_drawn_anew_and_the_client_never_sees_it(group: MakeGroup) -> None:
    async with HostileUpstream() as server:
        upstreams = group(server)
        for number in range(8):
            answer = (await ask(upstreams, f"{number}.{NAME}")).answer
            assert answer.name == say.question_of(folded(server.queries[-1]))[:-4]
        asked = [say.question_of(query)[2:-4] for query in server.queries]
        assert len(set(asked)) == 8, "eight times 2^-21 for two alike"
        assert {name.lower() for name in asked} == {asked[0].lower()}
        assert near_misses(upstreams) == {}


async def test_a_reply_in_another_case_is_a_near_miss_and_what_tcp_says_counts(group: MakeGroup) -> None:
    async with HostileUpstream(udp=folding) as server:
        upstreams = group(server)
        exchanged = await ask(upstreams, NAME)
        assert exchanged.answer.addresses == (TCP_ADDRESS,)
        assert near_misses(upstreams) == {"wrong_case": 1}
        # By TCP it has kept the case, so the UDP reply was somebody else's, and so is the next.
        assert (await ask(upstreams, "other-" + NAME)).answer.addresses == (TCP_ADDRESS,)
        assert near_misses(upstreams) == {"wrong_case": 2}
        assert upstreams.counters()[0]["folds_case"] is False


async def test_a_server_that_does_not_keep_case_is_learnt_by_tcp(group: MakeGroup) -> None:
    async with HostileUpstream(udp=folding, tcp=folding_tcp) as server:
        upstreams = group(server)
        assert (await ask(upstreams, NAME)).answer.addresses == (TCP_ADDRESS,)
        assert upstreams.counters()[0]["folds_case"] is True
        for number in range(3):
            assert (await ask(upstreams, f"{number}.{NAME}")).answer.addresses == (UDP_ADDRESS,)
        assert near_misses(upstreams) == {"wrong_case": 1}
        later = [say.question_of(query) for query in server.queries[1:]]
        assert [name[:-4] for name in later] == [name[:-4].lower() for name in later], "no need to vex it further"


async def test_without_tcp_it_is_learnt_by_three_in_a_row(group: MakeGroup) -> None:
    settings = GroupSettings(attempt_s=5.0, deadline_s=10.0, failure_s=0.0)
    async with HostileUpstream(udp=folding, tcp=None) as server:
        upstreams = group(server, settings=settings)
        # A query is asked by UDP twice, and nobody can be reached by TCP.
        assert (await failure(upstreams, NAME)).reason == Reason.NETWORK
        assert near_misses(upstreams) == {"wrong_case": 2}
        assert (await ask(upstreams, NAME)).answer.addresses == (UDP_ADDRESS,)
        assert near_misses(upstreams) == {"wrong_case": 3}


async def test_without_tcp_one_that_has_kept_case_is_never_believed_in_another(group: MakeGroup) -> None:
    settings = GroupSettings(attempt_s=5.0, deadline_s=10.0, failure_s=0.0, failures_to_down=1_000)
    async with HostileUpstream(tcp=None) as server:
        upstreams = group(server, settings=settings)
        await ask(upstreams, NAME)
        server.udp = folding
        for number in range(4):
            assert (await failure(upstreams, f"{number}.{NAME}")).reason == Reason.NETWORK
        server.udp = hostile.answers
        assert (await ask(upstreams, "again-" + NAME)).answer.addresses == (UDP_ADDRESS,)


async def test_an_id_that_is_waited_for_on_another_port(group: MakeGroup) -> None:
    """Somebody knows an ID and is looking for its port: that query goes by TCP, and so does all on the port he hit."""
    waiting: list[tuple[bytes, tuple[str, int]]] = []

    def hold(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        waiting.append((query, peer))

    async with HostileUpstream(udp=hold) as server:
        # One use a port: each query has its own.
        upstreams = group(server, settings=GroupSettings(attempt_s=5.0, deadline_s=10.0, port_max_uses=1))
        asked = [asyncio.ensure_future(ask(upstreams, f"n{number}.example")) for number in range(2)]
        await hostile.until(lambda: len(waiting) == 2)
        (known, _), (_, port) = waiting
        server.send(hostile.honest(known, "203.0.113.66"), port)
        answers = await asyncio.gather(*asked)
        assert [one.answer.addresses for one in answers] == [(TCP_ADDRESS,)] * 2
        assert near_misses(upstreams) == {"wrong_port": 1}


async def test_a_forger_who_guesses_ids_gets_one_try_a_port(group: MakeGroup) -> None:
    """He knows the ports (a side channel told him) and floods each: the first wrong ID sends its query by TCP."""

    def flooded(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        asked = say.question_of(query)
        for guess in range(0, 65_536, 256):
            server.send(say.response(asked, guess, answer=(say.a("x.example", "203.0.113.66"),)), peer)

    async with HostileUpstream(udp=flooded) as server:
        upstreams = group(server)
        answers = await asyncio.gather(*(ask(upstreams, f"n{number}.example") for number in range(20)))
        assert {one.answer.addresses for one in answers} == {(TCP_ADDRESS,)}
        counted = near_misses(upstreams)
        assert isinstance(counted, dict)
        assert set(counted) <= {"wrong_id", "wrong_port"}


@pytest.mark.parametrize(
    "forged",
    [
        lambda query: query[:2] + b"\x81\x81" + bytes(8),  # FORMERR without a question: anybody can say that
        lambda query: say.response(say.question_of(query), say.id_of(query), rcode=1),
        lambda query: say.response(say.question_of(query), say.id_of(query), rcode=4),
    ],
)
async def test_a_server_that_knows_edns_is_not_talked_out_of_it(
    group: MakeGroup, forged: Callable[[bytes], bytes]
) -> None:
    """Without EDNS there is no cookie to guess: who can make us drop it has one lock less to pick."""

    def with_edns(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        answer = (say.a("honest.example"),)
        server.send(
            say.response(say.question_of(query), say.id_of(query), answer=answer, additional=(say.opt(),)), peer
        )

    def attacked(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        server.send(forged(query), peer)
        with_edns(server, query, peer)

    async with HostileUpstream(udp=with_edns) as server:
        upstreams = group(server)
        await ask(upstreams)
        server.udp = attacked
        assert (await ask(upstreams, "attacked.example")).answer.addresses == (TCP_ADDRESS,)
        assert near_misses(upstreams) == {"lost_edns": 1}
        server.udp = with_edns
        await ask(upstreams, "after.example")
        assert server.queries[-1][10:12] == b"\x00\x01"


async def test_formerr_of_a_server_that_knows_edns_is_an_answer_and_others_are_asked(group: MakeGroup) -> None:
    def formerr(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        server.send(say.response(say.question_of(query), say.id_of(query), rcode=1, additional=(say.opt(),)), peer)

    async with HostileUpstream(udp=formerr) as bad, HostileUpstream() as good:
        upstreams = group(bad, good)
        assert (await ask(upstreams)).upstream == 2
        assert len(bad.queries) == 1
        assert near_misses(upstreams) == {}
