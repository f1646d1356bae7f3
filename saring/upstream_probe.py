"""Asking each upstream server once, as a worker would: by its own transport, verified as configured."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass

from dnswire.constants import RRClass, RRType
from dnswire.name import ROOT
from resolver.settings import ServerGroup, UpstreamServer
from resolver.upstream.failure import UpstreamFailure
from resolver.upstream.group import UpstreamGroup

PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of it. ``failure``: in words, "" where the server answered; ``took_s``: seconds until it did."""

    group: str
    server: str
    failure: str
    took_s: float


async def probe_servers(groups: Sequence[ServerGroup]) -> list[Probe]:
    """One probe for each server, all at the same time, in order."""
    return await asyncio.gather(*(_probe(group, server) for group in groups for server in group.servers))


async def _probe(group: ServerGroup, server: UpstreamServer) -> Probe:
    shown = describe(server)
    alone = dataclasses.replace(
        group, servers=(server,), strategy="strict", timeout_s=PATIENCE_S, deadline_s=PATIENCE_S
    )
    begun_s = time.monotonic()
    upstream = UpstreamGroup.from_settings(alone, asyncio.get_running_loop(), 0)
    try:
        # The root's NS: every resolver and every authoritative server has something to say to it.
        await upstream.exchange(ROOT, RRType.NS, RRClass.IN, False, False)
    except UpstreamFailure as failure:
        trouble = upstream.counters()[0]["trouble"]
        return Probe(group.name, shown, f"does not answer ({trouble or failure})", 0.0)
    finally:
        await upstream.close()
    return Probe(group.name, shown, "", time.monotonic() - begun_s)


def describe(server: UpstreamServer) -> str:
    """A server in one word."""
    host = f"[{server.address}]" if ":" in server.address else server.address
    if server.transport == "plain":
        return f"{host}:{server.port}"
    name = f"#{server.name}" if server.name and server.name != server.address else ""
    return f"{server.transport}://{host}:{server.port}{server.path}{name}"
