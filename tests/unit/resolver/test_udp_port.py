"""Datagrams over real loopback sockets: batches, replies from the address that was asked, faults of one client."""

from __future__ import annotations

import asyncio
import socket

import pytest

from resolver.stats import Stats
from resolver.turn import Sender
from resolver.udp import BATCH, open_port
from tests.support.needs import missing


def bound(host: str, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.bind((host, 0))
    except OSError as error:
        sock.close()
        missing(f"cannot bind {host}: {error}")
    return sock


def echo(message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
    return b"re:" + message


async def heard(client: socket.socket) -> tuple[bytes, str]:
    client.setblocking(False)
    async with asyncio.timeout(5):
        data, address = await asyncio.get_running_loop().sock_recvfrom(client, 4096)
    return data, address[0]


async def test_a_burst_larger_than_a_batch_is_answered_whole() -> None:
    server, client = bound("127.0.0.1"), bound("127.0.0.2")
    port = open_port(server, echo, Stats())
    for number in range(BATCH * 2 + 3):
        client.sendto(str(number).encode(), server.getsockname())
    loop = asyncio.get_running_loop()
    port.start(loop)
    answers = {(await heard(client))[0] for _ in range(BATCH * 2 + 3)}
    port.stop(loop)
    assert answers == {b"re:" + str(number).encode() for number in range(BATCH * 2 + 3)}
    port.close()
    client.close()


@pytest.mark.parametrize(
    ("wildcard", "family", "asked", "client_host"),
    [
        ("0.0.0.0", socket.AF_INET, "127.0.0.77", "127.0.0.5"),
        ("::", socket.AF_INET6, "::1", "::1"),
    ],
)
async def test_a_wildcard_socket_answers_from_the_address_that_was_asked(
    wildcard: str, family: socket.AddressFamily, asked: str, client_host: str
) -> None:
    """Otherwise a host with several addresses answers from another one, which the client takes for a forgery."""
    server, client = bound(wildcard, family), bound(client_host, family)
    port = open_port(server, echo, Stats())
    loop = asyncio.get_running_loop()
    port.start(loop)
    client.sendto(b"ping", (asked, server.getsockname()[1]))
    assert await heard(client) == (b"re:ping", asked)
    port.stop(loop)
    port.close()
    client.close()


async def test_a_late_answer_goes_to_the_address_of_its_query() -> None:
    server, client = bound("0.0.0.0"), bound("127.0.0.5")
    later: list[tuple[Sender, object]] = []

    def wait(message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
        later.append((sender, address))
        client_waits.set()
        return None

    client_waits = asyncio.Event()
    port = open_port(server, wait, Stats())
    loop = asyncio.get_running_loop()
    port.start(loop)
    client.sendto(b"ping", ("127.0.0.9", server.getsockname()[1]))
    async with asyncio.timeout(5):
        await client_waits.wait()
    sender, address = later[0]
    sender.send(b"late", address)
    assert await heard(client) == (b"late", "127.0.0.9")
    port.stop(loop)
    port.close()
    client.close()


async def test_a_response_that_cannot_be_sent_costs_only_its_own_client() -> None:
    """Here one that no datagram can hold (EMSGSIZE); an unroutable client or a full buffer is the same to us."""
    server, client = bound("127.0.0.1"), bound("127.0.0.1")
    stats = Stats()

    def answer(message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
        return bytes(70_000) if message == b"large" else message

    port = open_port(server, answer, stats)
    loop = asyncio.get_running_loop()
    for message in (b"small", b"large", b"small too"):
        client.sendto(message, server.getsockname())
    port.start(loop)
    assert [(await heard(client))[0] for _ in range(2)] == [b"small", b"small too"]
    assert stats.send_failures == 1
    port.stop(loop)
    port.close()
    client.close()


async def test_an_empty_response_is_not_sent() -> None:
    server, client = bound("127.0.0.1"), bound("127.0.0.1")

    def drop(message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
        return b"" if message == b"drop" else message

    port = open_port(server, drop, Stats())
    loop = asyncio.get_running_loop()
    port.start(loop)
    client.sendto(b"drop", server.getsockname())
    client.sendto(b"keep", server.getsockname())
    assert (await heard(client))[0] == b"keep"
    port.stop(loop)
    port.close()
    client.close()
