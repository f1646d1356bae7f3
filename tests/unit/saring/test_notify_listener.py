"""NOTIFY over real sockets: UDP and TCP, what is answered, what is cut off."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from saring import notify_listener
from saring.endpoint import Endpoint
from saring.notify_listener import NotifyListener
from tests.support.ports import free_port


class Answering:
    """Gives back what it got, reversed; nothing for ``b"silence"``."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, str]] = []

    def __call__(self, message: bytes, address: str) -> bytes | None:
        self.seen.append((message, address))
        return None if message == b"silence" else message[::-1]


@asynccontextmanager
async def listening(answering: Answering) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint("127.0.0.1", free_port())
    listener = NotifyListener([endpoint], answering)
    await listener.listen()
    assert listener.missing == []
    try:
        yield endpoint
    finally:
        await listener.close()


async def framed(endpoint: Endpoint, *messages: bytes) -> bytes:
    """All that comes back over one connection."""
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    for message in messages:
        writer.write(len(message).to_bytes(2, "big") + message)
    writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await writer.wait_closed()


def over_udp(endpoint: Endpoint, message: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(message, (endpoint.host, endpoint.port))
        return sock.recv(100)


async def test_a_datagram_is_answered() -> None:
    answering = Answering()
    async with listening(answering) as endpoint:
        assert await asyncio.to_thread(over_udp, endpoint, b"notify") == b"yfiton"
    assert answering.seen == [(b"notify", "127.0.0.1")]


async def test_a_connection_may_carry_several() -> None:
    answering = Answering()
    async with listening(answering) as endpoint:
        assert await framed(endpoint, b"one", b"two") == b"\0\3eno\0\3owt"
    assert answering.seen == [(b"one", "127.0.0.1"), (b"two", "127.0.0.1")]


async def test_a_connection_ends_where_nothing_is_answered_or_too_much_comes() -> None:
    answering = Answering()
    async with listening(answering) as endpoint:
        assert await framed(endpoint, b"silence", b"more") == b""
        assert await framed(endpoint, b"x" * 5000) == b""
    assert answering.seen == [(b"silence", "127.0.0.1")]


async def test_connections_are_few_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify_listener, "_MAX_CONNECTIONS", 1)
    monkeypatch.setattr(notify_listener, "_TCP_TIMEOUT_S", 0.2)
    async with listening(Answering()) as endpoint:
        idle, idle_writer = await asyncio.open_connection(endpoint.host, endpoint.port)
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert await asyncio.wait_for(idle.read(), 5) == b""
        for one in (writer, idle_writer):
            one.close()
            await one.wait_closed()


async def test_an_address_that_is_taken_is_tried_again() -> None:
    port = free_port()
    listener = NotifyListener([Endpoint("127.0.0.1", port)], Answering())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", port))
        await listener.listen()
        assert listener.missing == [Endpoint("127.0.0.1", port)]
    await listener.listen()
    assert listener.missing == []
    await listener.close()
