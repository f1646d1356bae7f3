"""DNS over TLS towards upstreams: RFC 7858, RFC 8310 (strict profile), RFC 8467 (padding), RFC 7766 (reuse)."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from dnswire.edns import option
from resolver.settings import ServerGroup, UpstreamServer
from resolver.upstream.failure import Reason
from resolver.upstream.limits import GroupSettings
from resolver.upstream.public_key import pin_of
from resolver.upstream.trust import identities
from tests.support import dns_messages as say
from tests.support import hostile
from tests.support.certificates import Authority, Certificate
from tests.support.hostile import HostileUpstream
from tests.support.nameservers import dnsdist, unbound
from tests.support.ports import free_port
from tests.support.upstream_groups import SHORT, MakeGroup, ask, failure, near_misses

NAME = "dns.test.example"
TCP_ADDRESS = bytes((192, 0, 2, 80))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue(NAME, "127.0.0.1")


@pytest.fixture
async def server(certificate: Certificate) -> AsyncIterator[HostileUpstream]:
    """It answers by TLS; by UDP it would too, and the tests see that it is not asked there."""
    async with HostileUpstream(tls=certificate.server_context()) as made:
        yield made
        assert made.queries == [], "something was asked in clear text"


def at(server: HostileUpstream, name: str = NAME, *pins: str) -> UpstreamServer:
    return UpstreamServer(server.address, server.port, "tls", name, "", pins)


async def test_an_answer_by_a_connection_that_is_used_again(
    group: MakeGroup, server: HostileUpstream, authority: Authority
) -> None:
    upstreams = group(at(server), ca_file=str(authority.ca_file))
    answers = await asyncio.gather(*(ask(upstreams, f"n{number}.example") for number in range(20)))
    assert {one.answer.addresses for one in answers} == {(TCP_ADDRESS,)}
    await ask(upstreams, "later.example")
    assert server.connections == 1


async def test_queries_are_padded_and_names_left_as_they_are(
    group: MakeGroup, server: HostileUpstream, authority: Authority
) -> None:
    upstreams = group(at(server), ca_file=str(authority.ca_file))
    for size in (1, 20, 60):
        await ask(upstreams, "x" * size + ".example")
    assert [len(query) for query in server.tcp_queries] == [128] * 3
    assert all(b"\x07example" in query for query in server.tcp_queries), "where nobody can forge, case is no nonce"


@pytest.mark.parametrize("name", ["127.0.0.1", NAME])
async def test_an_address_in_the_certificate_proves_it_as_well(
    group: MakeGroup, server: HostileUpstream, authority: Authority, name: str
) -> None:
    assert (await ask(group(at(server, name), ca_file=str(authority.ca_file)))).answer.addresses == (TCP_ADDRESS,)


async def test_another_name_is_another_server(group: MakeGroup, server: HostileUpstream, authority: Authority) -> None:
    upstreams = group(at(server, "other.test.example"), ca_file=str(authority.ca_file))
    assert (await failure(upstreams)).reason == Reason.UNTRUSTED
    assert "other.test.example" in str(upstreams.counters()[0]["trouble"])
    assert server.tcp_queries == [], "not one question was put to it"


async def test_an_authority_that_nobody_trusts(group: MakeGroup, server: HostileUpstream) -> None:
    upstreams = group(at(server))
    assert (await failure(upstreams)).reason == Reason.UNTRUSTED
    assert "certificate is not accepted" in str(upstreams.counters()[0]["trouble"])
    assert server.tcp_queries == []


async def test_an_expired_certificate(group: MakeGroup, authority: Authority) -> None:
    expired = authority.issue(NAME, days=-1)
    async with HostileUpstream(tls=expired.server_context()) as server:
        upstreams = group(at(server), ca_file=str(authority.ca_file))
        assert (await failure(upstreams)).reason == Reason.UNTRUSTED
        assert "expired" in str(upstreams.counters()[0]["trouble"])
        assert (server.tcp_queries, server.queries) == ([], [])


# RFC 7858 4.2 and RFC 8310 8.2: a pin proves the server by its key; where a name is configured too, both have to hold.
async def test_a_pin_alone_needs_no_authority(
    group: MakeGroup, server: HostileUpstream, certificate: Certificate
) -> None:
    assert (await ask(group(at(server, "", certificate.pin)))).answer.addresses == (TCP_ADDRESS,)
    assert (await ask(group(at(server, "", "A" * 43 + "=", certificate.pin)))).answer.addresses == (TCP_ADDRESS,)


async def test_a_pin_of_another_key(group: MakeGroup, server: HostileUpstream, certificate: Certificate) -> None:
    upstreams = group(at(server, "", "A" * 43 + "="))
    assert (await failure(upstreams)).reason == Reason.UNTRUSTED
    trouble = str(upstreams.counters()[0]["trouble"])
    assert f"sha256/{certificate.pin}" in trouble, "what to configure, if that is the right server"
    assert server.tcp_queries == []


async def test_a_pin_and_a_name_both_have_to_hold(
    group: MakeGroup, server: HostileUpstream, authority: Authority, certificate: Certificate
) -> None:
    ca_file = str(authority.ca_file)
    assert (await ask(group(at(server, NAME, certificate.pin), ca_file=ca_file))).answer.addresses == (TCP_ADDRESS,)
    for name, pin in ((NAME, "A" * 43 + "="), ("other.test.example", certificate.pin)):
        assert (await failure(group(at(server, name, pin), ca_file=ca_file))).reason == Reason.UNTRUSTED


@pytest.mark.parametrize("kind", ["ec", "rsa:2048"])
def test_the_pin_is_what_openssl_makes_of_the_key(authority: Authority, kind: str) -> None:
    certificate = authority.issue("pin.test.example", key=kind)
    der = ssl.PEM_cert_to_DER_cert(certificate.certificate.read_text())
    assert pin_of(der) == certificate.pin
    for size in range(0, 200, 3):
        with pytest.raises(ValueError, match="not a certificate"):
            pin_of(der[:size])


def test_a_server_that_could_be_anybody_is_refused() -> None:
    nobody = ServerGroup("x", (UpstreamServer("192.0.2.1", 853, "tls"),))
    with pytest.raises(ValueError, match="neither a name nor a pin"):
        identities(nobody)


# Never a silent downgrade: whatever is wrong with TLS, nothing is asked without.
async def test_a_server_without_tls_is_no_server(group: MakeGroup, authority: Authority) -> None:
    async with HostileUpstream() as plain:
        upstreams = group(at(plain), ca_file=str(authority.ca_file), settings=SHORT)
        assert (await failure(upstreams)).reason in (Reason.NETWORK, Reason.UNTRUSTED, Reason.TIMEOUT)
        assert (plain.queries, plain.tcp_queries) == ([], [])


async def test_one_that_says_nothing_in_the_handshake_costs_its_turn_and_no_more(
    group: MakeGroup, server: HostileUpstream, authority: Authority
) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    mute = await asyncio.start_server(hang, "127.0.0.1", 0)
    try:
        where = UpstreamServer("127.0.0.1", mute.sockets[0].getsockname()[1], "tls", NAME)
        settings = dataclasses.replace(SHORT, deadline_s=5.0)
        upstreams = group(where, at(server), ca_file=str(authority.ca_file), settings=settings)
        assert (await ask(upstreams)).upstream == 2
    finally:
        mute.close()


async def test_a_session_is_resumed_when_the_server_has_closed(
    group: MakeGroup, certificate: Certificate, authority: Authority
) -> None:
    def once(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
        hostile.answers_tcp(server, query, writer)
        writer.close()

    async with HostileUpstream(tls=certificate.server_context(), tcp=once) as server:
        upstreams = group(at(server), ca_file=str(authority.ca_file))
        for number in range(3):
            assert (await ask(upstreams, f"n{number}.example")).answer.addresses == (TCP_ADDRESS,)
            await hostile.until(lambda: all(c.closed for c in upstreams._dispatcher._servers[0].connections._open))
        row = upstreams.counters()[0]
        assert (row["connections"], row["resumed"], row["failures"]) == (3, 2, 0)


async def test_a_server_that_closes_under_queries_is_asked_again_once(
    group: MakeGroup, certificate: Certificate, authority: Authority
) -> None:
    # RFC 7766 6.2.4 holds for TLS as well.
    async with HostileUpstream(tls=certificate.server_context(), tcp=hostile.closes_tcp) as server:
        upstreams = group(at(server), ca_file=str(authority.ca_file), settings=SHORT)
        assert (await failure(upstreams)).reason == Reason.NETWORK
        assert server.queries == []


# RFC 7828 3.2.2: a client closes before the server's own idle timeout does.
@pytest.mark.parametrize("sealed", [False, True])
async def test_the_server_says_how_long_it_keeps_a_connection(
    group: MakeGroup, certificate: Certificate, authority: Authority, sealed: bool
) -> None:
    def brief(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
        opt = say.opt(option(11, (7).to_bytes(2, "big")))
        answer = (say.a("honest.example", "192.0.2.80"),)
        reply = say.response(say.question_of(query), say.id_of(query), answer=answer, additional=(opt,))
        writer.write(hostile.frame(reply))

    tls = certificate.server_context() if sealed else None
    async with HostileUpstream(udp=hostile.truncates, tls=tls, tcp=brief) as server:
        where = at(server) if sealed else server.where
        upstreams = group(where, ca_file=str(authority.ca_file))
        await ask(upstreams)
        assert b"\x00\x0b\x00\x00" in server.tcp_queries[0], "it was asked"
        (connection,) = upstreams._dispatcher._servers[0].connections._open
        assert connection.idle_s == pytest.approx(0.7)
        assert not any(b"\x00\x0b\x00\x00" in query for query in server.queries), "never over UDP"


async def test_nonsense_within_tls_costs_the_server_its_turn(
    group: MakeGroup, certificate: Certificate, authority: Authority
) -> None:
    def other_id(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(hostile.frame(bytes((query[0], query[1] ^ 1)) + hostile.honest(query)[2:]))

    async with HostileUpstream(tls=certificate.server_context(), tcp=other_id) as server:
        upstreams = group(at(server), ca_file=str(authority.ca_file))
        assert (await failure(upstreams)).reason == Reason.MALFORMED
        counted = near_misses(upstreams)
        assert isinstance(counted, dict)
        assert set(counted) == {"wrong_id"}


# Against servers of others.


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[dict[str, UpstreamServer]]:
    """Unbound, and dnsdist before it, by TLS and HTTPS."""
    data = [f"n{number}.kantor.example. 60 IN A 192.0.2.{number}" for number in range(100)]
    data += [f'big.kantor.example. 60 IN TXT "{"x" * 200}{number:03}"' for number in range(60)]
    ports = {name: free_port() for name in ("unbound-tls", "unbound-https", "dnsdist-tls", "dnsdist-https")}
    pem, key = certificate.certificate, certificate.key
    lines = [
        *(f"interface: 127.0.0.1@{ports[name]}" for name in ("unbound-tls", "unbound-https")),
        f"tls-port: {ports['unbound-tls']}",
        f"https-port: {ports['unbound-https']}",
        f'tls-service-pem: "{pem}"',
        f'tls-service-key: "{key}"',
    ]
    before = [
        f'addTLSLocal("127.0.0.1:{ports["dnsdist-tls"]}", "{pem}", "{key}")',
        f'addDOHLocal("127.0.0.1:{ports["dnsdist-https"]}", "{pem}", "{key}", "/dns-query")',
    ]
    with (
        unbound(tmp_path_factory.mktemp("unbound"), data, lines) as behind,
        dnsdist(tmp_path_factory.mktemp("dnsdist"), behind, before),
    ):
        yield {
            name: UpstreamServer("127.0.0.1", port, name.partition("-")[2], NAME, "/dns-query")
            for name, port in ports.items()
        }


@pytest.mark.parametrize("name", ["unbound-tls", "unbound-https", "dnsdist-tls", "dnsdist-https"])
async def test_servers_of_others(
    group: MakeGroup, real: dict[str, UpstreamServer], authority: Authority, name: str
) -> None:
    upstreams = group(real[name], ca_file=str(authority.ca_file), settings=GroupSettings(attempt_s=5.0, deadline_s=9.0))
    answers = await asyncio.gather(*(ask(upstreams, f"n{number}.kantor.example") for number in range(100)))
    assert [one.answer.addresses[0][3] for one in answers] == list(range(100))
    big = (await ask(upstreams, "big.kantor.example", 16)).answer
    assert (big.ancount, big.arcount) == (60, 0)
    row = upstreams.counters()[0]
    assert (row["near_misses"], row["failures"], row["sent"]) == ({}, 0, 0)
