"""Binding: one set of sockets a worker, and messages that say who has the port."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from saring.endpoint import Endpoint
from saring.ports import holder_of
from saring.sockets import BindError, bind_listener, bind_workers, machine_has_ipv6
from tests.support.ports import free_port


def test_each_worker_gets_its_own_socket_of_each_kind() -> None:
    address = Endpoint("127.0.0.1", free_port())
    workers = bind_workers((address,), 3, 256 * 1024)
    sockets = [one for worker in workers for one in (*worker.udp, *worker.tcp)]
    try:
        assert [(len(worker.udp), len(worker.tcp)) for worker in workers] == [(1, 1)] * 3
        assert {one.getsockname() for one in sockets} == {("127.0.0.1", address.port)}
        assert all(not one.getblocking() for one in sockets)
        assert all(not os.get_inheritable(one.fileno()) for one in sockets)
        # Linux doubles what is asked for (socket(7)), up to net.core.rmem_max.
        size_bytes = workers[0].udp[0].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert size_bytes >= 256 * 1024
    finally:
        for one in sockets:
            one.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_taken_port_names_its_holder_and_leaves_nothing_open(kind: socket.SocketKind) -> None:
    port = free_port()
    before = open_files()
    with socket.socket(socket.AF_INET, kind) as taken:
        # Even a socket that would share its port with us is found out.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        with pytest.raises(BindError) as caught:
            bind_workers((Endpoint("127.0.0.1", port),), 1, 65_536, patience_s=0.0)
    said = str(caught.value)
    transport = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    assert f"cannot listen on 127.0.0.1:{port} ({transport}): it is taken by process {os.getpid()} (" in said
    assert "choose another port in saring.toml" in said
    assert open_files() == before


def test_a_free_port_has_no_holder() -> None:
    assert holder_of(free_port(), socket.SOCK_DGRAM) is None


def test_an_address_of_another_machine() -> None:
    with pytest.raises(BindError, match="this machine has no such address"):
        bind_listener(Endpoint("192.0.2.1", free_port()), patience_s=0.0)


def test_ipv4_and_ipv6_wildcards_side_by_side() -> None:
    if not machine_has_ipv6():
        pytest.skip("this machine has no IPv6")
    port = free_port()
    (worker,) = bind_workers((Endpoint("0.0.0.0", port), Endpoint("::", port)), 1, 65_536)
    try:
        assert len(worker.udp) == len(worker.tcp) == 2
    finally:
        for one in (*worker.udp, *worker.tcp):
            one.close()


def test_the_listener_of_the_api_is_shared_with_nobody() -> None:
    address = Endpoint("127.0.0.1", free_port())
    with bind_listener(address) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
        with pytest.raises(BindError, match="taken by process"):
            bind_listener(address, patience_s=0.0)
