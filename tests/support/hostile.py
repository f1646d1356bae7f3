"""An upstream that does what its test says: lies, keeps silent, truncates, answers halves, closes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from resolver.settings import UpstreamServer
from tests.support.dns_messages import a, id_of, question_of, response

UdpBehaviour = Callable[["HostileUpstream", bytes, tuple[str, int]], None]
TcpBehaviour = Callable[["HostileUpstream", bytes, asyncio.StreamWriter], None]


def honest(query: bytes, address: str = "192.0.2.1") -> bytes:
    """What an honest server would say to ``query``."""
    question = question_of(query)
    return response(question, id_of(query), answer=(a("honest.example", address),))


def answers(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(honest(query), peer)


def silent(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    pass


def truncates(server: HostileUpstream, query: bytes, peer: tuple[str, int]) -> None:
    server.send(response(question_of(query), id_of(query), flags=0x8380), peer)


def answers_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(frame(honest(query, "192.0.2.80")))


def closes_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


def silent_tcp(server: HostileUpstream, query: bytes, writer: asyncio.StreamWriter) -> None:
    pass


async def until(condition: Callable[[], bool], patience_s: float = 10.0) -> None:
    """Lets the loop run until ``condition`` holds; fails the test where it does not in time."""
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - what is waited for is a state of the code under test, not an event
            await asyncio.sleep(0.001)


def frame(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


@dataclass
class HostileUpstream:
    """Listens by UDP and TCP (with ``tls``: TLS) on one port of ``address`` and remembers what it was asked."""

    udp: UdpBehaviour = answers
    tcp: TcpBehaviour | None = answers_tcp
    address: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    queries: list[bytes] = field(default_factory=list)
    peers: list[tuple[str, int]] = field(default_factory=list)
    tcp_queries: list[bytes] = field(default_factory=list)
    connections: int = 0
    _transport: asyncio.DatagramTransport | None = None
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def where(self) -> UpstreamServer:
        return UpstreamServer(self.address, self.port)

    async def __aenter__(self) -> HostileUpstream:
        loop = asyncio.get_running_loop()
        for _ in range(50):
            transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), (self.address, self.port))
            port = transport.get_extra_info("sockname")[1]
            if self.tcp is not None:
                try:
                    self._server = await asyncio.start_server(self._serve, self.address, port, ssl=self.tls)
                except OSError:
                    transport.close()
                    continue
            self.port = port
            self._transport = transport
            return self
        raise AssertionError("no port is free for UDP and TCP")

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def send(self, message: bytes, peer: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(message, peer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                query = await reader.readexactly(size)
                self.tcp_queries.append(query)
                self.asked.set()
                assert self.tcp is not None
                self.tcp(self, query, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: HostileUpstream) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.queries.append(data)
        self._server.peers.append(addr)
        self._server.asked.set()
        self._server.udp(self._server, data, addr)
