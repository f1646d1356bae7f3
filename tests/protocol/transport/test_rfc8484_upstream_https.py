"""DNS over HTTPS towards upstreams (RFC 8484), against a server that follows HTTP and not always DNS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from resolver.settings import UpstreamServer
from resolver.upstream.failure import Reason
from tests.support import dns_messages as say
from tests.support.certificates import Authority, Certificate
from tests.support.hostile import honest
from tests.support.http2_server import TYPE, Answering, HttpsUpstream
from tests.support.upstream_groups import SHORT, MakeGroup, ask, failure

ADDRESS = bytes((192, 0, 2, 44))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("dns.test.example", "127.0.0.1")


async def test_queries_are_posts_on_one_connection(
    group: MakeGroup, authority: Authority, certificate: Certificate
) -> None:
    async with HttpsUpstream(certificate.server_context("h2")) as server:
        upstreams = group(server.where, ca_file=str(authority.ca_file))
        answers = await asyncio.gather(*(ask(upstreams, f"n{number}.example") for number in range(20)))
        assert {one.answer.addresses for one in answers} == {(ADDRESS,)}
        assert server.connections == 1
        headers = server.headers[0]
        assert (headers[":method"], headers[":path"]) == ("POST", "/dns-query")
        assert headers[":authority"] == f"dns.test.example:{server.port}"
        assert (headers["content-type"], headers["accept"]) == (TYPE, TYPE)
        assert all(query[:2] == b"\0\0" for query in server.queries), "RFC 8484 4.1: ID 0"
        assert all(len(query) % 128 == 0 for query in server.queries), "RFC 8467"


async def test_more_than_the_server_takes_at_a_time_goes_by_further_connections(
    group: MakeGroup, authority: Authority, certificate: Certificate
) -> None:
    async with HttpsUpstream(certificate.server_context("h2"), max_streams=100) as server:
        upstreams = group(server.where, ca_file=str(authority.ca_file))
        await asyncio.gather(*(ask(upstreams, f"n{number}.example") for number in range(150)))
        assert server.connections == 2


REFUSALS: list[tuple[str, Callable[[Answering, int, bytes], None]]] = [
    ("status_500", lambda to, stream, query: to.respond(stream, honest(query), "500")),
    ("status_302", lambda to, stream, query: to.respond(stream, b"", "302", [("location", "https://evil.example/")])),
    (
        "content_type",
        lambda to, stream, query: to.respond(stream, honest(query), headers=[("content-type", "text/html")]),
    ),
    ("no_message", lambda to, stream, query: to.respond(stream, b"")),
    ("no_message", lambda to, stream, query: to.respond(stream, b"\1\2" + honest(query)[2:])),
]


@pytest.mark.parametrize(("why", "behaviour"), REFUSALS)
async def test_what_is_no_answer_costs_the_server_its_turn(
    group: MakeGroup,
    authority: Authority,
    certificate: Certificate,
    why: str,
    behaviour: Callable[[Answering, int, bytes], None],
) -> None:
    async with (
        HttpsUpstream(certificate.server_context("h2"), behaviour) as bad,
        HttpsUpstream(certificate.server_context("h2")) as good,
    ):
        upstreams = group(bad.where, good.where, ca_file=str(authority.ca_file))
        assert (await ask(upstreams)).upstream == 2
        assert upstreams.counters()[0]["refused"] == {why: 1}


async def test_the_question_has_to_be_the_one_that_was_asked(
    group: MakeGroup, authority: Authority, certificate: Certificate
) -> None:
    def other(to: Answering, stream: int, query: bytes) -> None:
        to.respond(stream, say.response(say.question("evil.example"), answer=(say.a("evil.example"),)))

    async with HttpsUpstream(certificate.server_context("h2"), other) as server:
        upstreams = group(server.where, ca_file=str(authority.ca_file))
        assert (await failure(upstreams)).reason == Reason.MALFORMED


# RFC 8484 5.1: what an HTTP cache has kept for a while has so much less to live.
async def test_the_age_of_a_response_is_taken_from_its_ttls(
    group: MakeGroup, authority: Authority, certificate: Certificate
) -> None:
    def aged(to: Answering, stream: int, query: bytes) -> None:
        to.respond(stream, honest(query, "192.0.2.44"), headers=[("content-type", TYPE), ("age", "250")])

    async with HttpsUpstream(certificate.server_context("h2"), aged) as server:
        answer = (await ask(group(server.where, ca_file=str(authority.ca_file)))).answer
        assert (answer.ttl_s, answer.ttls[0][1]) == (50, 50)


async def test_a_connection_that_is_closed_by_goaway_is_followed_by_another(
    group: MakeGroup, authority: Authority, certificate: Certificate
) -> None:
    def last(to: Answering, stream: int, query: bytes) -> None:
        to.respond(stream, honest(query, "192.0.2.44"))
        to.http.close_connection()
        to.flush()

    async with HttpsUpstream(certificate.server_context("h2"), last) as server:
        upstreams = group(server.where, ca_file=str(authority.ca_file))
        for number in range(3):
            assert (await ask(upstreams, f"n{number}.example")).answer.addresses == (ADDRESS,)
        assert server.connections == 3


async def test_a_server_without_http2_or_under_another_name_is_told_nothing(
    group: MakeGroup, authority: Authority, certificate: Certificate
) -> None:
    async with HttpsUpstream(certificate.server_context("http/1.1")) as server:
        where = server.where
        upstreams = group(where, ca_file=str(authority.ca_file), settings=SHORT)
        assert (await failure(upstreams)).reason in (Reason.UNTRUSTED, Reason.NETWORK)
        other = UpstreamServer("127.0.0.1", where.port, "https", "other.test.example", "/dns-query")
        assert (await failure(group(other, ca_file=str(authority.ca_file)))).reason == Reason.UNTRUSTED
        assert server.queries == []
