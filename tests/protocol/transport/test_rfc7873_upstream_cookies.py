"""RFC 7873 and RFC 9018: cookies towards upstreams, against servers of others and against forgers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from dnswire.edns import option, options
from resolver.settings import UpstreamServer
from resolver.upstream.group import UpstreamGroup
from tests.support import dns_messages as say
from tests.support import hostile
from tests.support.hostile import HostileUpstream
from tests.support.nameservers import bind, nsd
from tests.support.upstream_groups import MakeGroup, ask, near_misses

UDP_ADDRESS = bytes((192, 0, 2, 1))
TCP_ADDRESS = bytes((192, 0, 2, 80))
SECRET = bytes(range(16))
COOKIE = 10
BADCOOKIE = 23


def cookie_of(query: bytes) -> bytes:
    """The COOKIE option of a query; empty where it has none."""
    opt = query[12 + len(say.question_of(query)) :]
    return dict(options(opt[11:])).get(COOKIE, b"") if opt else b""


def reply(query: bytes, cookie: bytes | None, rcode: int = 0, address: str = "192.0.2.1") -> bytes:
    extra = option(COOKIE, cookie) if cookie is not None else b""
    answer = (say.a("honest.example", address),) if not rcode else ()
    additional = (say.opt(extra, extended_rcode=rcode >> 4),)
    return say.response(
        say.question_of(query), say.id_of(query), rcode=rcode & 15, answer=answer, additional=additional
    )


def sound(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(reply(query, cookie_of(query)[:8] + SECRET), peer)


def sound_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(hostile.frame(reply(query, cookie_of(query)[:8] + SECRET, address="192.0.2.80")))


def without_tcp_cookie(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(hostile.frame(reply(query, None, address="192.0.2.80")))


async def test_the_servers_cookie_comes_back_with_the_next_query(group: MakeGroup) -> None:
    async with HostileUpstream(udp=sound) as server:
        upstreams = group(server)
        for number in range(3):
            await ask(upstreams, f"n{number}.example")
        first, second, third = (cookie_of(query) for query in server.queries)
        assert (len(first), second, third) == (8, first + SECRET, first + SECRET)
        assert upstreams.counters()[0]["cookies"] is True


async def test_two_servers_cannot_tell_that_it_is_one_client(group: MakeGroup) -> None:
    async with HostileUpstream(udp=sound) as one, HostileUpstream(udp=sound) as other:
        upstreams = group(one, other, strategy="race")
        await ask(upstreams)
        await hostile.until(lambda: bool(one.queries and other.queries))
        assert cookie_of(one.queries[0]) != cookie_of(other.queries[0])


FORGERIES: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("no_cookie", lambda query: reply(query, None, address="203.0.113.66")),
    ("no_cookie", lambda query: say.response(say.question_of(query), say.id_of(query), answer=(say.a("x.example"),))),
    ("wrong_cookie", lambda query: reply(query, bytes(8) + SECRET, address="203.0.113.66")),
    ("wrong_cookie", lambda query: reply(query, cookie_of(query)[:8], address="203.0.113.66")),
    ("wrong_cookie", lambda query: reply(query, cookie_of(query)[:8] + bytes(33), address="203.0.113.66")),
    ("wrong_cookie", lambda query: reply(query, bytes(8) + SECRET, BADCOOKIE)),
]


@pytest.mark.parametrize(("kind", "forgery"), FORGERIES)
async def test_a_reply_without_the_expected_cookie_is_a_near_miss(
    group: MakeGroup, kind: str, forgery: Callable[[bytes], bytes]
) -> None:
    """ID, port, question and case are right: the forger has seen or guessed them all. The cookie he has not."""

    def attacked(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        server.send(forgery(query), peer)
        sound(server, query, peer)

    async with HostileUpstream(udp=sound, tcp=sound_tcp) as server:
        upstreams = group(server)
        await ask(upstreams)
        server.udp = attacked
        assert (await ask(upstreams, "attacked.example")).answer.addresses == (TCP_ADDRESS,)
        assert near_misses(upstreams) == {kind: 1}
        server.udp = sound
        assert (await ask(upstreams, "after.example")).answer.addresses == (UDP_ADDRESS,)


async def test_a_server_that_has_given_cookies_up_is_believed_by_tcp(group: MakeGroup) -> None:
    async with HostileUpstream(udp=sound, tcp=without_tcp_cookie) as server:
        upstreams = group(server)
        await ask(upstreams)
        server.udp = hostile.answers
        assert (await ask(upstreams, "first.example")).answer.addresses == (TCP_ADDRESS,)
        assert (await ask(upstreams, "second.example")).answer.addresses == (UDP_ADDRESS,)
        assert near_misses(upstreams) == {"no_cookie": 1}
        assert upstreams.counters()[0]["cookies"] is False


async def test_badcookie_is_answered_with_the_cookie_it_brings(group: MakeGroup) -> None:
    # RFC 7873 5.2.4 with a server that has changed its secret.
    def strict(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        cookie = cookie_of(query)
        rcode = 0 if cookie[8:] == SECRET else BADCOOKIE
        server.send(reply(query, cookie[:8] + SECRET, rcode), peer)

    async with HostileUpstream(udp=strict) as server:
        upstreams = group(server)
        assert (await ask(upstreams)).answer.addresses == (UDP_ADDRESS,)
        assert [len(cookie_of(query)) for query in server.queries] == [8, 24]
        assert await ask(upstreams, "next.example")
        assert len(server.queries) == 3


async def test_badcookie_again_goes_by_tcp(group: MakeGroup) -> None:
    # RFC 7873 5.3: where the new cookie is not accepted either, the query is asked by TCP.
    def never_content(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        server.send(reply(query, cookie_of(query)[:8] + SECRET, BADCOOKIE), peer)

    async with HostileUpstream(udp=never_content, tcp=sound_tcp) as server:
        upstreams = group(server)
        assert (await ask(upstreams)).answer.addresses == (TCP_ADDRESS,)
        assert (len(server.queries), len(server.tcp_queries)) == (2, 1)


ZONE = "$ORIGIN kantor.example.\n$TTL 300\n@ IN SOA ns admin 1 7200 900 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n"
ZONE += "".join(f"n{number} IN A 192.0.2.{number}\n" for number in range(20))


async def many(upstreams: UpstreamGroup) -> None:
    # One after the other first, so that the server's cookie is known when the others leave.
    await ask(upstreams, "n0.kantor.example")
    answers = await asyncio.gather(*(ask(upstreams, f"n{number}.kantor.example") for number in range(20)))
    assert [one.answer.addresses[0][3] for one in answers] == list(range(20))
    row = upstreams.counters()[0]
    assert (row["cookies"], row["near_misses"], row["sent_tcp"]) == (True, {}, 0)


async def test_nsd_s_cookies(group: MakeGroup, tmp_path: Path) -> None:
    with nsd(
        tmp_path, {"kantor.example": ZONE}, extra=("answer-cookie: yes", f'cookie-secret: "{"00" * 16}"')
    ) as server:
        await many(group(UpstreamServer(server.address, server.port)))


async def test_bind_that_insists_on_cookies(group: MakeGroup, tmp_path: Path) -> None:
    with bind(tmp_path, {"kantor.example": ZONE}, options=("require-server-cookie yes;",)) as server:
        await many(group(UpstreamServer(server.address, server.port)))
