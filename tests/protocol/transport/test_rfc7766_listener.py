"""DNS over TCP towards clients (RFC 7766), and what a hostile client may not hold on to."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from resolver.tcp import TcpLimits, TcpListener
from tests.support.hostile import frame, until
from tests.support.ticking import Clock

LIMITS = TcpLimits(tick_s=0.005)
QUERY = bytes(range(12)) + b"\x01a\x00\x00\x01\x00\x01"

Handler = Callable[[bytes, str], bytes | Awaitable[bytes | None] | None]


def query(number: int) -> bytes:
    return number.to_bytes(2, "big") + QUERY[2:]


def echo(message: bytes, address: str) -> bytes:
    return message


class Waiting:
    """A handler whose answers come when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, asyncio.Future[bytes | None]]] = []

    def __call__(self, message: bytes, address: str) -> asyncio.Future[bytes | None]:
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self.asked.append((message, future))
        return future


class Client:
    """A client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def end(self) -> None:
        self._writer.write_eof()

    async def read(self) -> bytes:
        async with asyncio.timeout(10):
            size = int.from_bytes(await self._reader.readexactly(2), "big")
            return await self._reader.readexactly(size)

    async def ended(self) -> bool:
        """Waits for the server to end the connection; whether it did so without a further octet."""
        try:
            async with asyncio.timeout(10):
                return await self._reader.read() == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._writer.transport.abort()

    def reset(self) -> None:
        """Goes without a farewell (RST): without that, a client that went looks like one that only asks no more."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close()


class Service:
    """A listener, and clients of it that are closed behind the test."""

    def __init__(self) -> None:
        self.clock = Clock(0.0)
        self.clients: list[Client] = []
        self.listener: TcpListener
        self.address: tuple[str, int]

    async def start(self, handler: Handler, limits: TcpLimits = LIMITS, real_clock: bool = False) -> TcpListener:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(256)
        self.address = sock.getsockname()
        if real_clock:
            self.listener = TcpListener([sock], handler, limits)
        else:
            self.listener = TcpListener([sock], handler, limits, clock=self.clock)
        await self.listener.start()
        return self.listener

    async def connect(self, source: str = "127.0.0.1") -> Client:
        client = Client(*await asyncio.open_connection(*self.address, local_addr=(source, 0)))
        self.clients.append(client)
        return client


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    yield made
    for client in made.clients:
        client.close()
    await made.listener.drain(0.0)


# RFC 1035 4.2.2: "The message is prefixed with a two byte length field which gives the message length".
async def test_a_query_and_its_answer(service: Service) -> None:
    await service.start(echo)
    client = await service.connect()
    client.send(frame(QUERY))
    assert await client.read() == QUERY


async def test_the_handler_learns_the_clients_address(service: Service) -> None:
    heard: list[str] = []

    def handler(message: bytes, address: str) -> bytes:
        heard.append(address)
        return message

    await service.start(handler)
    client = await service.connect("127.0.0.9")
    client.send(frame(QUERY))
    await client.read()
    assert heard == ["127.0.0.9"]


async def test_a_message_may_come_octet_by_octet(service: Service) -> None:
    await service.start(echo)
    client = await service.connect()
    for octet in frame(QUERY):
        client.send(bytes((octet,)))
        await asyncio.sleep(0)
    assert await client.read() == QUERY


# RFC 7766 6.2.1.1: "clients SHOULD pipeline their queries"; and 7: servers answer "out of order".
async def test_pipelined_queries_are_answered_as_they_are_ready(service: Service) -> None:
    waiting = Waiting()
    await service.start(waiting)
    client = await service.connect()
    client.send(b"".join(frame(query(n)) for n in range(5)))
    await until(lambda: len(waiting.asked) == 5)
    for number in (3, 0, 4, 2, 1):
        message, future = waiting.asked[number]
        future.set_result(message)
        assert await client.read() == query(number)


async def test_what_needs_no_waiting_overtakes(service: Service) -> None:
    waiting = Waiting()

    def handler(message: bytes, address: str) -> bytes | Awaitable[bytes | None]:
        return waiting(message, address) if message == query(0) else message

    await service.start(handler)
    client = await service.connect()
    client.send(frame(query(0)) + frame(query(1)))
    assert await client.read() == query(1)
    waiting.asked[0][1].set_result(query(0))
    assert await client.read() == query(0)


async def test_a_coroutine_is_a_handler_too(service: Service) -> None:
    async def handler(message: bytes, address: str) -> bytes:
        await asyncio.sleep(0)
        return message

    await service.start(handler)
    client = await service.connect()
    client.send(frame(QUERY))
    assert await client.read() == QUERY


async def test_no_response_leaves_the_connection_as_it_is(service: Service) -> None:
    await service.start(lambda message, address: None if message == query(0) else message)
    client = await service.connect()
    client.send(frame(query(0)) + frame(query(1)))
    assert await client.read() == query(1)


# RFC 7766 8: "DNS clients and servers SHOULD pass the two-octet length field, and the message described by that length
# field, to the TCP layer at the same time".
async def test_the_largest_response_arrives_whole(service: Service) -> None:
    large = bytes(65_535)
    await service.start(lambda message, address: large)
    client = await service.connect()
    client.send(frame(QUERY))
    assert await client.read() == large


# RFC 7766 6.2.4: a client may close its side when it has asked all it wants.
async def test_a_half_closed_connection_is_still_answered(service: Service) -> None:
    waiting = Waiting()
    await service.start(waiting)
    client = await service.connect()
    client.send(frame(query(0)) + frame(query(1)))
    client.end()
    await until(lambda: len(waiting.asked) == 2)
    await asyncio.sleep(0)
    for message, future in waiting.asked:
        future.set_result(message)
        assert await client.read() == message
    assert await client.ended()


async def test_a_client_that_goes_takes_its_queries_along(service: Service) -> None:
    waiting = Waiting()
    listener = await service.start(waiting)
    client = await service.connect()
    client.send(frame(QUERY))
    await until(lambda: len(waiting.asked) == 1)
    client.reset()
    await until(lambda: listener.connections == 0)
    assert waiting.asked[0][1].cancelled()


@pytest.mark.parametrize("size", [0, 1, 11, 4_097, 65_535])
async def test_a_length_that_no_query_has_ends_the_connection(service: Service, size: int) -> None:
    listener = await service.start(echo)
    client = await service.connect()
    client.send(size.to_bytes(2, "big"))
    assert await client.ended()
    assert listener.counters.bad_size == 1


# RFC 7766 6.2.3: "DNS servers MAY use an idle timeout of seconds".
async def test_an_idle_connection_is_closed(service: Service) -> None:
    listener = await service.start(echo)
    client = await service.connect()
    client.send(frame(QUERY))
    await client.read()
    service.clock.now_s += LIMITS.idle_s + 1
    assert await client.ended()
    assert listener.counters.idle == 1


async def test_a_query_renews_the_idle_time(service: Service) -> None:
    await service.start(echo)
    client = await service.connect()
    for _ in range(5):
        service.clock.now_s += LIMITS.idle_s * 0.8
        client.send(frame(QUERY))
        assert await client.read() == QUERY


async def test_a_message_begun_must_be_ended_however_it_drips(service: Service) -> None:
    listener = await service.start(echo)
    client = await service.connect()
    framed = frame(QUERY)
    for octet in framed[:10]:
        client.send(bytes((octet,)))
        service.clock.now_s += LIMITS.partial_s / 8
        await asyncio.sleep(0.002)
    assert await client.ended()
    assert listener.counters.partial == 1


async def test_waiting_for_us_is_not_idleness(service: Service) -> None:
    waiting = Waiting()
    await service.start(waiting)
    client = await service.connect()
    client.send(frame(QUERY))
    await until(lambda: len(waiting.asked) == 1)
    for _ in range(3):
        service.clock.now_s += LIMITS.idle_s
        await asyncio.sleep(0.02)
    waiting.asked[0][1].set_result(QUERY)
    assert await client.read() == QUERY


async def test_a_query_that_is_never_answered_is_given_up(service: Service) -> None:
    waiting = Waiting()
    listener = await service.start(waiting, replace(LIMITS, answer_s=0.02))
    client = await service.connect()
    client.send(frame(QUERY))
    await until(lambda: listener.counters.unanswered == 1)
    assert waiting.asked[0][1].cancelled()
    client.send(frame(query(7)))
    await until(lambda: len(waiting.asked) == 2)
    waiting.asked[1][1].set_result(query(7))
    assert await client.read() == query(7)


async def test_more_queries_than_the_limit_wait_unread_and_are_all_answered(service: Service) -> None:
    waiting = Waiting()
    await service.start(waiting, replace(LIMITS, max_outstanding=8))
    client = await service.connect()
    client.send(b"".join(frame(query(n)) for n in range(100)))
    await until(lambda: len(waiting.asked) == 8)
    await asyncio.sleep(0.01)
    assert len(waiting.asked) == 8
    for number in range(100):
        await until(lambda: len(waiting.asked) > number)  # noqa: B023 - awaited at once
        assert len(waiting.asked) <= number + 8
        message, future = waiting.asked[number]
        future.set_result(message)
        assert await client.read() == query(number)


async def test_past_the_limit_of_an_address_a_connection_is_refused(service: Service) -> None:
    listener = await service.start(echo, replace(LIMITS, max_per_address=2))
    kept = [await service.connect() for _ in range(2)]
    await until(lambda: listener.connections == 2)
    refused = await service.connect()
    assert await refused.ended()
    other = await service.connect("127.0.0.2")
    other.send(frame(QUERY))
    assert await other.read() == QUERY
    assert listener.counters.refused_per_address == 1
    kept[0].close()
    await until(lambda: listener.connections == 2)
    again = await service.connect()
    again.send(frame(QUERY))
    assert await again.read() == QUERY


# RFC 7766 6.2.3: a server short of resources may close idle connections.
async def test_when_full_the_longest_idle_connection_makes_room(service: Service) -> None:
    listener = await service.start(echo, replace(LIMITS, max_connections=3))
    clients = []
    for _ in range(3):
        clients.append(await service.connect())
        clients[-1].send(frame(QUERY))
        await clients[-1].read()
    clients[0].send(frame(QUERY))
    await clients[0].read()
    new = await service.connect()
    new.send(frame(QUERY))
    assert await new.read() == QUERY
    assert await clients[1].ended()
    clients[0].send(frame(QUERY))
    assert await clients[0].read() == QUERY
    assert listener.counters.closed_for_room == 1
    assert listener.connections == 3


async def test_when_full_of_busy_connections_a_new_one_is_refused(service: Service) -> None:
    waiting = Waiting()
    listener = await service.start(waiting, replace(LIMITS, max_connections=2))
    for _ in range(2):
        (await service.connect()).send(frame(QUERY))
    await until(lambda: len(waiting.asked) == 2)
    refused = await service.connect()
    assert await refused.ended()
    assert listener.counters.refused_full == 1


async def test_a_client_that_does_not_read_is_dropped_and_stops_nobody(service: Service) -> None:
    large = bytes(60_000)
    listener = await service.start(lambda message, address: large if message[0] == 0 else message)
    greedy = socket.socket()
    greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    greedy.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(greedy, service.address)
    await loop.sock_sendall(greedy, b"".join(frame(query(n)) for n in range(200)))

    polite = await service.connect()
    polite.send(frame(query(0x0100)))
    assert await polite.read() == query(0x0100)
    # Either its answers pass the buffer's limit at once, or they fill it in part and it has ``write_s`` to read them.
    await asyncio.sleep(0.02)
    service.clock.now_s += LIMITS.write_s + 0.1
    polite.send(frame(query(0x0101)))
    assert await polite.read() == query(0x0101)
    await until(lambda: listener.counters.slow_readers == 1)
    await until(lambda: listener.connections == 1)
    greedy.close()


async def test_a_handler_that_fails_costs_its_query_only(service: Service) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context["exception"]))

    async def handler(message: bytes, address: str) -> bytes:
        if message == query(0):
            raise RuntimeError("faulty")
        return message

    await service.start(handler)
    client = await service.connect()
    client.send(frame(query(0)) + frame(query(1)))
    assert await client.read() == query(1)
    await until(lambda: len(failures) == 1)


async def test_draining_answers_what_was_asked_and_takes_nothing_new(service: Service) -> None:
    waiting = Waiting()
    listener = await service.start(waiting, real_clock=True)
    busy, idle = await service.connect(), await service.connect()
    busy.send(frame(QUERY))
    await until(lambda: len(waiting.asked) == 1 and listener.connections == 2)
    draining = asyncio.ensure_future(listener.drain(30.0))
    assert await idle.ended()
    with pytest.raises(ConnectionRefusedError):
        await service.connect()
    waiting.asked[0][1].set_result(QUERY)
    assert await busy.read() == QUERY
    assert await busy.ended()
    await draining
    assert listener.counters.cut_by_drain == 0


async def test_draining_does_not_wait_longer_than_told(service: Service) -> None:
    waiting = Waiting()
    listener = await service.start(waiting)
    client = await service.connect()
    client.send(frame(QUERY))
    await until(lambda: len(waiting.asked) == 1)
    await listener.drain(0.01)
    assert await client.ended()
    assert (listener.connections, listener.counters.cut_by_drain) == (0, 1)


async def test_three_hundred_idle_and_dripping_connections_do_not_stop_a_query(service: Service) -> None:
    listener = await service.start(echo, replace(LIMITS, max_per_address=400, max_connections=200))
    for number in range(300):
        client = await service.connect()
        if number % 2:
            client.send(b"\x00")
    client = await service.connect()
    client.send(frame(QUERY))
    assert await client.read() == QUERY
    assert listener.connections <= 200
