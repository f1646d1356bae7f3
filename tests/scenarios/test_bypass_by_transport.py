"""Nobody slips through, whatever carries the answer from its upstream and the question from its client.

Real sockets both ways: upstreams asked by UDP, TCP, TLS and HTTPS, clients behind a proxy that speaks for them (PROXY
protocol, version 2) by UDP and TCP. Each trick of ``tests/support/tricks.py`` meets each of them. More ways into the
cache and out of it are in ``test_bypass_matrix.py``.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address

import pytest

from dnswire import name as wire
from policy.model import Network, Policy
from querylog.record import Transport
from resolver.fast_lane import FastLane
from resolver.proxy_protocol import SIGNATURE, Proxies
from resolver.settings import ServerGroup, UpstreamServer
from resolver.stats import Stats
from resolver.tcp import TcpListener
from resolver.udp import BATCHED, open_port
from resolver.udp_door import UdpDoor
from resolver.upstream.group import UpstreamGroup
from resolver.upstream.trust import identities
from tests.support import dns_messages as say
from tests.support import hostile
from tests.support.certificates import Authority
from tests.support.dns import ask
from tests.support.fixtures_world import Worlds
from tests.support.hostile import HostileUpstream
from tests.support.http2_server import Answering, HttpsUpstream
from tests.support.tricks import BAD, TRICKS, TTL_S, Internet, Trick, leaks, policies
from tests.support.upstream_groups import LONG
from tests.support.world import HEALTH, HEALTH_CLIENT, SCHOOLS_CLIENT, SOCIAL_LIST, Upstream, World

NAME = "dns.test.example"
LISTS = {SOCIAL_LIST: [f"*.{BAD}"]}
PATIENCE_S = 10.0


class Said:
    """What the servers say: to the trick's question, echoed as it was put, its records; to any other NXDOMAIN."""

    def __init__(self) -> None:
        self.trick = TRICKS["plainly"]
        self.times = 0

    def to(self, query: bytes) -> bytes:
        """The response."""
        self.times += 1
        question = say.question_of(query)
        known = wire.lower(question[:-4]) == wire.lower(wire.from_text(self.trick.qname))
        if known:
            return say.response(question, say.id_of(query), answer=tuple(self.trick.said))
        return say.response(question, say.id_of(query), rcode=3, authority=(say.soa("example"),))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@asynccontextmanager
async def asked_by(transport: str, said: Said, authority: Authority) -> AsyncIterator[UpstreamGroup]:
    """A group of one server, which says what ``said`` says, by ``transport`` only."""

    def datagram(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
        server.send(said.to(query), peer)

    def stream(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(hostile.frame(said.to(query)))

    def request(to: Answering, number: int, query: bytes) -> None:
        to.respond(number, said.to(query))

    def where(transport: str, port: int) -> UpstreamServer:
        return UpstreamServer("127.0.0.1", port, transport, NAME, "/dns-query" if transport == "https" else "")

    async with AsyncExitStack() as stack:
        if transport == "UDP":
            server = (await stack.enter_async_context(HostileUpstream(udp=datagram, tcp=None))).where
        elif transport == "TCP":
            server = (await stack.enter_async_context(HostileUpstream(udp=hostile.truncates, tcp=stream))).where
        elif transport == "TLS":
            tls = authority.issue(NAME).server_context()
            made = await stack.enter_async_context(HostileUpstream(udp=hostile.silent, tcp=stream, tls=tls))
            server = where("tls", made.port)
        else:
            tls = authority.issue(NAME).server_context("h2")
            server = where("https", (await stack.enter_async_context(HttpsUpstream(tls, request))).port)
        trusted = identities(ServerGroup("test", (server,), ca_file=str(authority.ca_file)))
        group = UpstreamGroup((server,), LONG, identities=trusted)
        stack.push_async_callback(group.close)
        yield group


async def told(here: World, trick: Trick, host: str) -> bytes:
    """What a client gets, now or when the upstream has answered."""
    response = here.raw(ask(trick.qname, trick.rrtype, **trick.query), host)  # type: ignore[arg-type]  # as they are
    if not response:
        await hostile.until(lambda: bool(here.sent), PATIENCE_S)
        response = here.sent.pop()
    return response


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS", "HTTPS"])
async def test_by_whatever_upstreams_are_asked(world: Worlds, authority: Authority, transport: str) -> None:
    said = Said()
    leaked = []
    async with asked_by(transport, said, authority) as group:
        for title, trick in TRICKS.items():
            said.trick = trick
            here = world(policies(trick)[1], LISTS)
            here.upstreams[0] = group  # type: ignore[call-overload]  # a real one in its place
            uncached = await told(here, trick, HEALTH_CLIENT)
            others = await told(here, trick, SCHOOLS_CLIENT)
            assert leaks(others) == trick.reveals, f"{title}: this is no trick: nothing could leak"
            cached = await told(here, trick, HEALTH_CLIENT)
            here.wait(TTL_S + 1)
            here.upstreams[0] = dead = Upstream()
            dead.failing = True
            stale = await told(here, trick, HEALTH_CLIENT)
            if any(map(leaks, (uncached, cached, stale))):
                leaked.append(title)
    assert leaked == []
    assert said.times >= len(TRICKS) // 2, "the answers came this way"


# Clients behind a proxy. Each address is one of loopback; only the first is listed as a proxy.
PROXY, UNLISTED = "127.0.0.53", "127.0.0.54"


def header(host: str, command: int = 0x21) -> bytes:
    """The PROXY header for a client; ``command`` 0x20: the proxy speaks for itself."""
    body = ip_address(host).packed + bytes(4) + (4_711).to_bytes(2, "big") + (53).to_bytes(2, "big")
    return SIGNATURE + bytes((command, 0x11)) + len(body).to_bytes(2, "big") + body


def with_loopback(policy: Policy) -> Policy:
    """The proxy's own address and the unlisted one belong to the agency that may not."""
    own = (Network(f"{PROXY}/32", HEALTH), Network(f"{UNLISTED}/32", HEALTH))
    return replace(policy, networks=(*policy.networks, *own))


class _Later:
    def send(self, response: bytes, address: object) -> None:
        assert isinstance(address, asyncio.Future)
        address.set_result(response)


class Served:
    """A world behind real sockets, as a worker puts them together: fast lane, then the door, then the pipeline."""

    def __init__(self, here: World) -> None:
        self.here = here
        self._loop = asyncio.get_running_loop()
        proxies = here.surroundings.proxies
        self.door = UdpDoor(here.pipeline.answer, proxies, 0, 2, lambda: here.now_s)
        self._udp = _bound(socket.SOCK_DGRAM, "127.0.0.1")
        self.lane = FastLane(here.pipeline) if BATCHED else None
        self._port = open_port(self._udp, self.door.answer, Stats(), self.lane)
        self._tcp = _bound(socket.SOCK_STREAM, "127.0.0.1")
        self._tcp.listen()
        self._where = {Transport.UDP: self._udp.getsockname(), Transport.TCP: self._tcp.getsockname()}
        self.listener = TcpListener([self._tcp], self._answer_tcp, proxies=proxies)

    async def __aenter__(self) -> Served:
        self._port.start(self._loop)
        await self.listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._port.stop(self._loop)
        self._port.close()
        await self.listener.drain(0.0)

    def _answer_tcp(self, message: bytes, host: str) -> bytes | asyncio.Future[bytes] | None:
        waiting: asyncio.Future[bytes] = self._loop.create_future()
        response = self.here.pipeline.answer(message, host, Transport.TCP, _Later(), waiting)
        return waiting if response is None else response or None

    async def ask(self, transport: Transport, peer: str, head: bytes, query: bytes) -> bytes:
        """What comes back to ``peer``; empty where the server is silent."""
        kind = socket.SOCK_DGRAM if transport == Transport.UDP else socket.SOCK_STREAM
        with _bound(kind, peer) as client:
            await self._loop.sock_connect(client, self._where[transport])
            async with asyncio.timeout(PATIENCE_S):
                if transport == Transport.UDP:
                    return await self._datagram(client, peer, head + query)
                return await self._stream(client, head + hostile.frame(query))

    async def _datagram(self, client: socket.socket, peer: str, message: bytes) -> bytes:
        client.send(message)
        got = b""
        for _ in range(2):  # late answers leave in the next turn of the loop: silence ends with the second
            client.send(header(HEALTH_CLIENT) + PING if peer == PROXY else PING)
            while not (response := await self._loop.sock_recv(client, 65_535)).startswith(PING[:2]):
                got += response
        return got

    async def _stream(self, client: socket.socket, octets: bytes) -> bytes:
        await self._loop.sock_sendall(client, octets)
        client.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while octets := await self._loop.sock_recv(client, 65_535):
                got += octets
        except ConnectionResetError:
            return b""
        return got


PING = b"\xff\xfe" + ask("version.bind", "TXT", rrclass="CH")[2:]


def _bound(kind: socket.SocketKind, host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    made.setblocking(False)
    made.bind((host, 0))
    return made


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_a_client_behind_a_proxy_is_itself(world: Worlds, transport: Transport) -> None:
    """What its address may not have it does not get; nor is a header of an unlisted peer worth anything."""
    leaked = []
    for title, trick in TRICKS.items():
        here = world(with_loopback(policies(trick)[1]), LISTS, proxies=Proxies([f"{PROXY}/32"]))
        here.upstreams[0] = here.upstream = Internet(trick)
        query = ask(trick.qname, trick.rrtype, **trick.query)  # type: ignore[arg-type]  # as they are
        async with Served(here) as served:
            answers = [await served.ask(transport, PROXY, header(HEALTH_CLIENT), query)]
            others = [await served.ask(transport, PROXY, header(SCHOOLS_CLIENT), query) for _ in range(3)]
            assert [leaks(one) for one in others] == [trick.reveals] * 3, f"{title}: nothing could leak"
            for _ in range(3):  # known by now, and taught to the fast lane
                answers.append(await served.ask(transport, PROXY, header(HEALTH_CLIENT), query))
                answers.append(await served.ask(transport, PROXY, header(SCHOOLS_CLIENT, command=0x20), query))
            assert all(answers), title
            assert await served.ask(transport, PROXY, b"", query) == b"", "a proxy has to say for whom it asks"
            answers.append(await served.ask(transport, UNLISTED, header(SCHOOLS_CLIENT), query))
            unlisted = await served.ask(transport, UNLISTED, b"", query)
            answers.append(unlisted)
            assert unlisted, "its own address is known, and answered as its agency's"
        if any(map(leaks, answers)):
            leaked.append(title)
    assert leaked == []
