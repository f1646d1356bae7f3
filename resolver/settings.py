"""All that one worker process is told: plain values, so that they pass through JSON from the supervisor.

A worker reads no configuration file. The supervisor reads it, checks it, binds the sockets and hands the
result over, so that a mistake in the file is reported once, before any worker starts, and all workers agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from resolver.sources import NO_LIMITS, SourceLimits

RECORD_TYPES: Final = ("A", "AAAA", "CNAME", "PTR", "TXT", "MX", "SRV")
"""Of records that Saring answers itself."""


class SettingsError(ValueError):
    """The JSON handed to a worker is not a ``WorkerSettings``; says which field is wrong."""


@dataclass(frozen=True, slots=True)
class UpstreamServer:
    """One server that Saring asks: a literal IPv4 or IPv6 address, its port, and how it is spoken to.

    ``transport``: "plain" (UDP, and TCP where that does not do), "tls" (RFC 7858) or "https" (RFC 8484). ``name``: what
    the server's certificate must be for; empty, with ``pins``: any. ``pins``: base64 of the SHA-256 of public keys
    (RFC 7858 4.2), one of which must be the server's. ``path``: of the https URL.
    """

    address: str
    port: int = 53
    transport: str = "plain"
    name: str = ""
    path: str = ""
    pins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """Servers that know the same, so that any may answer for any other. Spans in seconds.

    ``strategy``: "strict" asks in the order given, "fastest" by measured times with hedging, "race" ``racers`` at once.
    ``hedge_share``: of the queries, how many may be put to a second server. ``internal``: it knows names of our own
    networks, so private addresses in its answers are right, and reverse zones of private addresses may be routed to it.
    ``ca_file``: certificates that servers' must rest on; empty: the system's.
    """

    name: str
    servers: tuple[UpstreamServer, ...]
    strategy: str = "strict"
    internal: bool = False
    timeout_s: float = 1.5
    deadline_s: float = 4.0
    racers: int = 2
    hedge_share: float = 0.05
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Questions for ``suffix`` and names below it go to ``group``; with ``agency`` (its code), only that one's."""

    suffix: str
    group: str
    agency: str = ""


@dataclass(frozen=True, slots=True)
class RebindingSettings:
    """Whether private addresses in answers from outside are kept from clients.

    ``allow``: suffixes of which they are right. ``networks``: CIDRs that count as private beside the well-known ones.
    ``nat64``: prefixes, beside 64:ff9b::/96, behind which an address may hide another (RFC 6052).
    """

    enabled: bool = True
    allow: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    nat64: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalRecord:
    """A record that Saring answers itself: ``type`` as text ("A", "MX", ...), ``value`` in presentation form."""

    name: str
    type: str
    value: str
    ttl_s: int = 300


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What one worker process is made of. Sizes in bytes, spans in seconds.

    ``udp_fds`` and ``tcp_fds`` are bound (and, TCP, listening) non-blocking sockets that the supervisor
    opened and the worker inherits. Both belong to this worker alone (``SO_REUSEPORT``); the supervisor keeps
    them open, so that what is queued outlives a killed worker.
    ``upstreams``: groups of servers; the first is asked where no route says otherwise.
    ``hosts_path``: a file like /etc/hosts; empty: none.
    ``cache_path`` is where the cache outlives a restart, ``cache_orders_path`` where people have answers forgotten;
    empty: neither. ``ready_path``: where it writes its process number once it answers. ``spool_number``: under what
    number its records go, -1 its own; two workers that relieve each other must not share one. ``allow_from`` are CIDRs;
    a query from elsewhere is dropped or refused before its identity is looked at. ``cookie_secret``: hexadecimal, empty
    for no DNS cookies. ``proxy_from``: CIDRs of load balancers that put a PROXY header before what they pass on.
    ``responses_per_s``: response rate limiting, 0 for none.
    """

    number: int
    node: str
    udp_fds: tuple[int, ...]
    tcp_fds: tuple[int, ...]
    snapshots_root: str
    spool_dir: str
    stats_path: str
    upstreams: tuple[ServerGroup, ...]
    routes: tuple[Route, ...] = ()
    rebinding: RebindingSettings = RebindingSettings()
    local_records: tuple[LocalRecord, ...] = ()
    hosts_path: str = ""
    hosts_ttl_s: int = 300
    cache_size_bytes: int = 64 * 1024 * 1024
    min_ttl_s: int = 0
    max_ttl_s: int = 86_400
    negative_max_ttl_s: int = 3_600
    stale_max_s: int = 86_400
    cache_refresh: bool = True
    cache_path: str = ""
    ready_path: str = ""
    spool_number: int = -1
    cache_orders_path: str = ""
    spool_segment_bytes: int = 16 * 1024 * 1024
    spool_quota_bytes: int = 4 * 1024 * 1024 * 1024
    tcp_max_connections: int = 1_000
    tcp_idle_s: float = 10.0
    version: str = ""
    hostname: str = ""
    allow_from: tuple[str, ...] = ()
    source_limits: SourceLimits = NO_LIMITS
    zone_max_outstanding: int = 256
    cookie_secret: str = ""
    proxy_from: tuple[str, ...] = ()
    responses_per_s: float = 0.0


def encode_settings(settings: WorkerSettings) -> bytes:
    """``settings`` as one line of JSON."""
    return msgspec.json.encode(settings)


def decode_settings(data: bytes | str) -> WorkerSettings:
    """The settings in ``data``; raises ``SettingsError`` naming the field that is missing or mistyped."""
    try:
        return msgspec.json.decode(data, type=WorkerSettings)
    except msgspec.MsgspecError as error:
        raise SettingsError(f"the worker's settings are not valid: {error}") from error
