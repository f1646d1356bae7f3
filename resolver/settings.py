"""All that one worker process is told: plain values, so that they pass through JSON from the supervisor.

A worker reads no configuration file. The supervisor reads it, checks it, binds the sockets and hands the
result over, so that a mistake in the file is reported once, before any worker starts, and all workers agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from resolver.sources import NO_LIMITS, SourceLimits


class SettingsError(ValueError):
    """The JSON handed to a worker is not a ``WorkerSettings``; says which field is wrong."""


@dataclass(frozen=True, slots=True)
class UpstreamServer:
    """One server that Saring asks: a literal IPv4 or IPv6 address, and its port."""

    address: str
    port: int = 53


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What one worker process is made of. Sizes in bytes, spans in seconds.

    ``udp_fds`` and ``tcp_fds`` are bound (and, TCP, listening) non-blocking sockets that the supervisor
    opened and the worker inherits. Both belong to this worker alone (``SO_REUSEPORT``); the supervisor keeps
    them open, so that what is queued outlives a killed worker.
    ``cache_path`` is where the cache outlives a restart, ``cache_orders_path`` where people have answers forgotten;
    empty: neither. ``allow_from`` are CIDRs; a query from elsewhere is dropped or refused before its identity is looked
    at.
    """

    number: int
    node: str
    udp_fds: tuple[int, ...]
    tcp_fds: tuple[int, ...]
    snapshots_root: str
    spool_dir: str
    stats_path: str
    upstreams: tuple[UpstreamServer, ...]
    cache_size_bytes: int = 64 * 1024 * 1024
    min_ttl_s: int = 0
    max_ttl_s: int = 86_400
    negative_max_ttl_s: int = 3_600
    stale_max_s: int = 86_400
    cache_refresh: bool = True
    cache_path: str = ""
    cache_orders_path: str = ""
    upstream_timeout_s: float = 1.5
    query_deadline_s: float = 4.0
    spool_segment_bytes: int = 16 * 1024 * 1024
    spool_quota_bytes: int = 4 * 1024 * 1024 * 1024
    tcp_max_connections: int = 1_000
    tcp_idle_s: float = 10.0
    version: str = ""
    hostname: str = ""
    allow_from: tuple[str, ...] = ()
    source_limits: SourceLimits = NO_LIMITS
    zone_max_outstanding: int = 256


def encode_settings(settings: WorkerSettings) -> bytes:
    """``settings`` as one line of JSON."""
    return msgspec.json.encode(settings)


def decode_settings(data: bytes | str) -> WorkerSettings:
    """The settings in ``data``; raises ``SettingsError`` naming the field that is missing or mistyped."""
    try:
        return msgspec.json.decode(data, type=WorkerSettings)
    except msgspec.MsgspecError as error:
        raise SettingsError(f"the worker's settings are not valid: {error}") from error
