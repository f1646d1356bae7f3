"""From the configuration to what workers are told of the servers and the network around them."""

from __future__ import annotations

from collections.abc import Iterable

from resolver.settings import LocalRecord, RebindingSettings, Route, ServerGroup, UpstreamServer
from saring.config_upstream import DEFAULT_GROUP, GroupTable, LocalSection, RebindingSection, UpstreamSection
from saring.endpoint import Endpoint
from saring.resolv_conf import resolve_upstreams
from saring.upstream_address import SecureServer


def server_groups(upstream: UpstreamSection, own: Iterable[Endpoint]) -> tuple[ServerGroup, ...]:
    """All groups, the default one first. Raises ``NoUpstreamError`` where one has nobody to ask but ourselves (``own``:
    the addresses that we listen on).
    """
    ours = tuple(own)
    groups = [_group(DEFAULT_GROUP, upstream, upstream, ours)]
    groups += [_group(group.name, group, upstream, ours) for group in upstream.group]
    return tuple(groups)


def _group(
    name: str, group: UpstreamSection | GroupTable, default: UpstreamSection, own: tuple[Endpoint, ...]
) -> ServerGroup:
    servers = resolve_upstreams(group.servers, own)
    return ServerGroup(
        name=name,
        servers=tuple(one for server in servers for one in _addresses(server)),
        strategy=group.strategy or default.strategy,
        internal=group.internal,
        timeout_s=default.timeout_s if group.timeout_s is None else group.timeout_s,
        deadline_s=default.deadline_s if group.deadline_s is None else group.deadline_s,
        racers=group.racers or default.racers,
        hedge_share=default.hedge_share if group.hedge_share is None else group.hedge_share,
        ca_file=default.ca_file if group.ca_file is None else group.ca_file,
    )


def _addresses(server: Endpoint | SecureServer) -> list[UpstreamServer]:
    """Each address is a server of its own: it has a health, a speed and a connection of its own."""
    if isinstance(server, Endpoint):
        return [UpstreamServer(server.host, server.port)]
    return [
        UpstreamServer(address, server.port, server.transport, server.name, server.path, server.pins)
        for address in server.addresses
    ]


def routes(upstream: UpstreamSection) -> tuple[Route, ...]:
    """One for each suffix."""
    return tuple(Route(suffix, route.group, route.agency) for route in upstream.route for suffix in route.suffixes)


def rebinding(section: RebindingSection) -> RebindingSettings:
    """What guards answers."""
    return RebindingSettings(section.enabled, section.allow, section.networks, section.nat64_prefixes)


def local_records(section: LocalSection) -> tuple[LocalRecord, ...]:
    """One for each value."""
    return tuple(
        LocalRecord(record.name, record.type, value, section.ttl_s if record.ttl_s is None else record.ttl_s)
        for record in section.record
        for value in record.value
    )
