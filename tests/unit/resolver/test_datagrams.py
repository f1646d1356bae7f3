"""Datagrams on a connected socket, several a system call (compiled) or one (interpreted): to callers it is the same."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from resolver.upstream.datagrams import Datagrams


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        yield sock


@pytest.fixture
def client(server: socket.socket) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect(server.getsockname())
        yield sock


def received(datagrams: Datagrams, sock: socket.socket, waiting: int) -> list[bytes]:
    """All that has come."""
    found: list[bytes] = []
    while some := datagrams.receive(sock, waiting):
        found += some
    return found


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_all_are_sent_in_order(server: socket.socket, client: socket.socket, count: int) -> None:
    messages = [b"query %d" % number for number in range(count)]
    Datagrams().send(client, messages)
    assert [server.recv(512) for _ in messages] == messages


@pytest.mark.parametrize("waiting", [0, 1, 5, 16, 100])
def test_all_are_received_in_order_however_many_are_waited_for(
    server: socket.socket, client: socket.socket, waiting: int
) -> None:
    messages = [b"reply %d" % number * (number + 1) for number in range(20)]
    for message in messages:
        server.sendto(message, client.getsockname())
    assert received(Datagrams(), client, waiting) == messages


def test_no_more_at_a_time_than_are_waited_for(server: socket.socket, client: socket.socket) -> None:
    for _ in range(9):
        server.sendto(b"reply", client.getsockname())
    assert len(Datagrams().receive(client, 3)) in (1, 3)  # interpreted, compiled


def test_nothing_has_come(client: socket.socket) -> None:
    assert Datagrams().receive(client, 1) == []


def test_nothing_of_a_message_before_is_in_a_shorter_one(server: socket.socket, client: socket.socket) -> None:
    datagrams = Datagrams()
    for message in (b"x" * 2_000, b"", b"short"):
        server.sendto(message, client.getsockname())
        assert datagrams.receive(client, 1) == [message]


# A server that ignores the 1,232 octets announced is heard up to 4,096; what is longer is cut, and does not parse.
def test_a_message_too_long_is_cut(server: socket.socket, client: socket.socket) -> None:
    datagrams = Datagrams()
    server.sendto(b"y" * 4_096, client.getsockname())
    server.sendto(b"z" * 9_000, client.getsockname())
    assert received(datagrams, client, 2) == [b"y" * 4_096, b"z" * 4_096]


def test_a_closed_port_is_told_by_the_next_send(server: socket.socket, client: socket.socket) -> None:
    datagrams = Datagrams()
    server.close()
    datagrams.send(client, [b"first"])
    with pytest.raises(ConnectionRefusedError):
        datagrams.send(client, [b"second"])


def test_a_closed_port_is_told_by_receiving(server: socket.socket, client: socket.socket) -> None:
    datagrams = Datagrams()
    server.close()
    datagrams.send(client, [b"first"])
    with pytest.raises(ConnectionRefusedError):
        datagrams.receive(client, 1)


def test_a_message_that_no_datagram_holds_is_refused(client: socket.socket) -> None:
    with pytest.raises(OSError, match="too long"):
        Datagrams().send(client, [b"a" * 70_000])
