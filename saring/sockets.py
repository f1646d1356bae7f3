"""Binds what the program listens on, before any other process starts.

The supervisor owns the sockets for as long as it lives and hands copies to the processes that serve them. A killed
worker's queue therefore waits in the kernel for its successor, and a port that is taken is found out at once.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from saring.endpoint import Endpoint
from saring.ports import holder_of

TCP_BACKLOG = 1_024
RETRY_S = 0.1

_TRANSPORTS = {socket.SOCK_DGRAM: "UDP", socket.SOCK_STREAM: "TCP"}


class BindError(Exception):
    """An address cannot be listened on; the text says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class WorkerSockets:
    """What one worker serves."""

    udp: tuple[socket.socket, ...]
    tcp: tuple[socket.socket, ...]


def machine_has_ipv6() -> bool:
    """Whether ``::1`` exists here: containers often run without IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def bind_workers(
    addresses: tuple[Endpoint, ...], workers: int, receive_buffer_bytes: int, patience_s: float = 1.5
) -> list[WorkerSockets]:
    """Sockets of ``workers`` workers on every address. Raises ``BindError``; nothing stays open then."""
    opened: list[socket.socket] = []
    try:
        for address in addresses:
            _check_free(address, socket.SOCK_DGRAM, patience_s)
            _check_free(address, socket.SOCK_STREAM, patience_s)
        result = []
        for _ in range(workers):
            udp = [_bind(address, socket.SOCK_DGRAM, True, opened) for address in addresses]
            tcp = [_bind(address, socket.SOCK_STREAM, True, opened) for address in addresses]
            for one in udp:
                _enlarge(one, receive_buffer_bytes)
            result.append(WorkerSockets(tuple(udp), tuple(tcp)))
    except BaseException:
        for one in opened:
            one.close()
        raise
    return result


def bind_listener(address: Endpoint, patience_s: float = 1.5) -> socket.socket:
    """A listening TCP socket that nobody shares. Raises ``BindError``."""
    return _patiently(address, socket.SOCK_STREAM, patience_s, lambda: open_socket(address, socket.SOCK_STREAM, False))


def _check_free(address: Endpoint, kind: socket.SocketKind, patience_s: float) -> None:
    # SO_REUSEPORT would let a second instance of the same user share the port in silence and take half of the
    # queries. A probe without it finds any other holder.
    _patiently(address, kind, patience_s, lambda: open_socket(address, kind, False)).close()


def _patiently(
    address: Endpoint, kind: socket.SocketKind, patience_s: float, attempt: Callable[[], socket.socket]
) -> socket.socket:
    """Tries again for a moment: the processes of an instance that was killed may still be on their way out."""
    deadline_s = time.monotonic() + patience_s
    while True:
        try:
            return attempt()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline_s:
                raise _bind_error(address, kind, error) from error
        time.sleep(RETRY_S)


def _bind(address: Endpoint, kind: socket.SocketKind, shared: bool, opened: list[socket.socket]) -> socket.socket:
    try:
        one = open_socket(address, kind, shared)
    except OSError as error:
        raise _bind_error(address, kind, error) from error
    opened.append(one)
    return one


def open_socket(address: Endpoint, kind: socket.SocketKind, shared: bool) -> socket.socket:
    """A bound, non-blocking socket; TCP ones listen. ``shared``: others may bind the same. Raises ``OSError``."""
    family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
    one = socket.socket(family, kind)
    try:
        one.setblocking(False)
        if address.is_ipv6:
            # An IPv6 socket serves IPv6 alone, so that [::]:53 and 0.0.0.0:53 can be listened on side by side.
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        host, _, scope = address.host.partition("%")
        one.bind((host, address.port, 0, socket.if_nametoindex(scope)) if scope else (host, address.port))
        if kind == socket.SOCK_STREAM:
            one.listen(TCP_BACKLOG)
    except BaseException:
        one.close()
        raise
    return one


def _enlarge(one: socket.socket, size_bytes: int) -> None:
    # SO_RCVBUFFORCE may pass net.core.rmem_max, and needs CAP_NET_ADMIN; what the kernel allows is taken otherwise.
    force = getattr(socket, "SO_RCVBUFFORCE", 33)
    try:
        one.setsockopt(socket.SOL_SOCKET, force, size_bytes)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)


def _bind_error(address: Endpoint, kind: socket.SocketKind, error: OSError) -> BindError:
    what = f"cannot listen on {address} ({_TRANSPORTS[kind]})"
    if error.errno == errno.EADDRINUSE:
        holder = holder_of(address.port, kind)
        who = f"it is taken by {holder}" if holder else "it is already taken"
        return BindError(f"{what}: {who}. Stop that process, or choose another port in saring.toml.")
    if error.errno == errno.EACCES:
        return BindError(
            f"{what}: a port below 1024 needs a privilege. Start Saring by its systemd unit, give it "
            "CAP_NET_BIND_SERVICE, or choose a higher port in saring.toml."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return BindError(f"{what}: this machine has no such address. Correct the address in saring.toml.")
    return BindError(f"{what}: {os.strerror(error.errno or 0)}.")
