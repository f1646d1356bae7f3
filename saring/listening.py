"""The sockets of an instance: bound by us, left by the image before an upgrade, or given by the service manager."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence

from saring.config_schema import Config
from saring.endpoint import Endpoint, parse_endpoint
from saring.handover import Handover
from saring.lineup import Listening
from saring.sockets import WorkerSockets, bind_listener, bind_workers, machine_has_ipv6
from saring.systemd import listening_fds

Warn = Callable[[str], None]


def listen(config: Config, environ: Mapping[str, str], warn: Warn, before: Handover | None = None) -> Listening:
    """All sockets, from wherever they come. Raises ``BindError``."""
    if before is not None:
        return inherited(before, config, warn)
    given = [socket.socket(fileno=number) for number in listening_fds(environ, os.getpid())]
    for one in given:
        one.setblocking(False)
    addresses = usable_addresses(config, warn)
    workers = config.dns.workers or len(os.sched_getaffinity(0))
    api = (
        (_take(given, config.api.listen, socket.SOCK_STREAM) or bind_listener(config.api.listen))
        if config.api.enabled
        else None
    )
    try:
        sockets = _activated(given, addresses, workers, warn) or bind_workers(
            addresses, workers, config.dns.receive_buffer_bytes
        )
    except BaseException:
        if api is not None:
            api.close()
        raise
    for one in given:
        warn(f"the service manager handed over {one.getsockname()}, which no setting names; it is closed")
        one.close()
    return Listening(addresses, sockets, api)


def inherited(before: Handover, config: Config, warn: Warn) -> Listening:
    """The sockets of the image before. Other addresses in the configuration hold after a restart."""
    addresses = tuple(parse_endpoint(text, default_port=None) for text in before.dns)
    if addresses != usable_addresses(config, lambda _: None):
        warn("dns.listen has changed; that holds only after a restart")
    workers = [WorkerSockets(tuple(map(_opened, udp)), tuple(map(_opened, tcp))) for udp, tcp in before.workers]
    return Listening(addresses, workers, _opened(before.api_fd) if before.api_fd >= 0 else None)


def _opened(number: int) -> socket.socket:
    one = socket.socket(fileno=number)
    one.set_inheritable(False)
    one.setblocking(False)
    return one


def _activated(
    given: list[socket.socket], addresses: Sequence[Endpoint], workers: int, warn: Warn
) -> list[WorkerSockets] | None:
    """Sockets that the service manager bound, shared by all workers; None where it bound none of them."""
    udp = [_take(given, address, socket.SOCK_DGRAM) for address in addresses]
    tcp = [_take(given, address, socket.SOCK_STREAM) for address in addresses]
    found = [one for one in (*udp, *tcp) if one is not None]
    if not found:
        return None
    missing = [
        str(address) for address, pair in zip(addresses, zip(udp, tcp, strict=True), strict=True) if None in pair
    ]
    if missing:
        warn(f"the service manager did not hand over both UDP and TCP of {', '.join(missing)}: all are bound anew")
        for one in found:
            one.close()
        return None
    shared = WorkerSockets(tuple(one for one in udp if one is not None), tuple(one for one in tcp if one is not None))
    return [shared] * workers


def _take(given: list[socket.socket], address: Endpoint, kind: socket.SocketKind) -> socket.socket | None:
    """The socket of that address and kind, taken out of ``given``."""
    for one in given:
        host, port = one.getsockname()[:2] if one.family in (socket.AF_INET, socket.AF_INET6) else ("", 0)
        if one.type == kind and (host, port) == (address.host.partition("%")[0], address.port):
            given.remove(one)
            return one
    return None


def usable_addresses(config: Config, warn: Callable[[str], None]) -> tuple[Endpoint, ...]:
    """``dns.listen`` without its IPv6 addresses on a machine that has no IPv6 at all."""
    if machine_has_ipv6():
        return config.dns.listen
    without = tuple(address for address in config.dns.listen if not address.is_ipv6)
    if without != config.dns.listen and without:
        warn("this machine has no IPv6; the IPv6 addresses of dns.listen are left out")
    return without or config.dns.listen
