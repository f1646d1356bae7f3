"""The network around the resolver as workers are told of it, for explanations."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from resolver.local import Identity
from resolver.settings import ServerGroup, WorkerSettings
from resolver.surroundings import Surroundings, SurroundingsKeeper
from saring.config_schema import Config
from saring.resolv_conf import NoUpstreamError
from saring.upstream_groups import local_records, rebinding, routes, server_groups
from saring.version import VERSION


@dataclass(frozen=True, slots=True)
class Network:
    """``groups``: of upstream servers, the default first. ``allow_from``: who may ask at all."""

    groups: tuple[ServerGroup, ...]
    surroundings: Surroundings
    allow_from: tuple[str, ...]
    identity: Identity


def network_of(config: Config) -> Network:
    """As the configuration has it; the hosts file is read anew."""
    try:
        groups = server_groups(config.upstream, config.dns.listen)
    except NoUpstreamError:  # asking them fails, and says so; all else can be explained
        groups = (ServerGroup("default", ()), *(ServerGroup(group.name, ()) for group in config.upstream.group))
    settings = WorkerSettings(
        number=0,
        node="",
        udp_fds=(),
        tcp_fds=(),
        snapshots_root="",
        spool_dir="",
        stats_path="",
        upstreams=groups,
        routes=routes(config.upstream),
        rebinding=rebinding(config.rebinding),
        local_records=local_records(config.local),
        hosts_path=str(Path(config.local.hosts_file).absolute()) if config.local.hosts_file else "",
        hosts_ttl_s=config.local.ttl_s,
    )
    surroundings = SurroundingsKeeper(settings, _settle).current
    return Network(groups, surroundings, tuple(config.dns.allow_from), Identity(VERSION, socket.gethostname()))


async def _settle(_: Surroundings) -> None:
    """Nobody waits for changes: each explanation looks anew."""
