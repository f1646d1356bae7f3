"""The shape of ``saring.toml``: every key with its type, its default and what would be right.

A field's ``description`` completes the sentence "<key> must be ..." and is what a person reads when the value is
wrong. ``default.toml`` says the same in comments and is tested to hold exactly these defaults.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from saring.config_section import (
    GIB,
    KIB,
    MIB,
    Cidr,
    DatabaseUrl,
    ListenAddress,
    Name,
    NodeName,
    Section,
    TimeOfDay,
    Zone,
)
from saring.config_upstream import LocalSection, RebindingSection, UpstreamSection
from saring.endpoint import Endpoint


class NodeSection(Section):
    """Who this machine is among several."""

    name: NodeName = Field(
        default="",
        description='a text of letters, digits and hyphens, such as "dns1" ("" = this machine\'s host name)',
    )


class DnsSection(Section):
    """Where queries come in, and how much of each."""

    listen: tuple[ListenAddress, ...] = Field(
        default=(Endpoint("127.0.0.1", 5335), Endpoint("::1", 5335)),
        description='a list of addresses with ports, such as ["0.0.0.0:53", "[::]:53"]',
        strict=False,
        min_length=1,
        max_length=64,
    )
    workers: int = Field(default=0, ge=0, le=256, description="a whole number from 0 (one per core) to 256")
    allow_from: tuple[Cidr, ...] = Field(
        default=(),
        description='a list of networks such as ["10.0.0.0/8", "fd00::/8"], without host bits '
        "([] = every source, and the policy's unknown_clients decides)",
        strict=False,
        max_length=1_000,
    )
    receive_buffer_bytes: int = Field(
        default=4 * MIB,
        ge=64 * KIB,
        le=1 * GIB,
        description="a whole number of bytes from 65536 to 1073741824",
    )
    tcp_max_connections: int = Field(
        default=1_000, ge=1, le=100_000, description="a whole number from 1 to 100000 (each worker)"
    )
    tcp_idle_s: float = Field(default=10.0, ge=0.1, le=3_600, description="seconds from 0.1 to 3600")
    cookies: bool = Field(default=True, description="true or false (DNS cookies, RFC 7873)")
    cookie_secret: str = Field(
        default="",
        pattern=r"^([0-9a-fA-F]{32,128})?$",
        description='32 to 128 hexadecimal digits, the same on all nodes of one address ("" = one of this node\'s own)',
        repr=False,
    )
    proxy_from: tuple[Cidr, ...] = Field(
        default=(),
        description='a list of networks such as ["10.20.0.53/32"], without host bits, of load balancers that speak the '
        "PROXY protocol, version 2",
        strict=False,
        max_length=100,
    )


class LimitsSection(Section):
    """What one client, or the names of one zone, may take of each worker."""

    client_qps: float = Field(
        default=0.0, ge=0, le=1_000_000, description="queries a second from 0 to 1000000 (0 = no limit)"
    )
    prefix_qps: float = Field(
        default=0.0, ge=0, le=1_000_000, description="queries a second from 0 to 1000000 (0 = no limit)"
    )
    burst_s: float = Field(default=5.0, ge=0.1, le=60, description="seconds from 0.1 to 60")
    slip: int = Field(default=2, ge=0, le=100, description="a whole number from 0 (never) to 100")
    unlimited_from: tuple[Cidr, ...] = Field(
        default=(),
        description='a list of networks such as ["10.20.0.1/32"], without host bits, that no rate holds for',
        strict=False,
        max_length=1_000,
    )
    responses_per_s: float = Field(
        default=0.0,
        ge=0,
        le=1_000_000,
        description="answers of one kind to one network a second, from 0 to 1000000 (0 = no limit)",
    )
    client_pending: int = Field(default=1_000, ge=1, le=100_000, description="a whole number from 1 to 100000")
    zone_outstanding: int = Field(
        default=256, ge=0, le=100_000, description="a whole number from 0 (no limit) to 100000"
    )


class CacheSection(Section):
    """What each worker remembers of upstream answers."""

    size_bytes: int = Field(
        default=64 * MIB,
        ge=1 * MIB,
        le=64 * GIB,
        description="a whole number of bytes from 1048576 to 68719476736 (each worker)",
    )
    min_ttl_s: int = Field(default=0, ge=0, le=3_600, description="whole seconds from 0 to 3600")
    max_ttl_s: int = Field(default=86_400, ge=1, le=604_800, description="whole seconds from 1 to 604800")
    negative_max_ttl_s: int = Field(default=3_600, ge=0, le=86_400, description="whole seconds from 0 to 86400")
    stale_max_s: int = Field(
        default=86_400,
        ge=0,
        le=604_800,
        description="whole seconds from 0 to 604800 (0: an expired answer is never given out)",
    )
    refresh: bool = Field(
        default=True, description="true or false (true: popular answers are fetched anew before they expire)"
    )
    keep_over_restart: bool = Field(default=True, description="true or false")


class StorageSection(Section):
    """Where everything that outlives a restart is kept."""

    state_dir: Annotated[str, Field(min_length=1)] = Field(
        default="var",
        description="a directory; a relative one counts from where saring is started",
    )


class DatabaseSection(Section):
    """The control database: what people edit. The resolver never opens it."""

    url: DatabaseUrl = Field(
        default="",
        description='a URL such as "sqlite:////var/lib/saring/saring.db" or '
        '"postgresql://user:password@host/saring" ("" = SQLite in state_dir)',
        repr=False,
    )


class ApiSection(Section):
    """The admin API."""

    enabled: bool = Field(default=True, description="true or false")
    listen: ListenAddress = Field(
        default=Endpoint("127.0.0.1", 8080),
        description='an address with a port, such as "127.0.0.1:8080"',
    )
    names: tuple[Name, ...] = Field(
        default=(),
        description='a list of names such as ["saring.kab.example"] under which it is reached; nothing may block them',
        strict=False,
        max_length=20,
    )


class ListsSection(Section):
    """When and how lists are fetched."""

    sync_at: TimeOfDay = Field(default="02:30", description='a time of day such as "02:30"')
    zone: Zone = Field(default="Asia/Jakarta", description='an IANA time zone such as "Asia/Jakarta"')
    concurrency: int = Field(default=4, ge=1, le=32, description="a whole number from 1 to 32")
    allow_private: bool = Field(
        default=False, description="true or false (true: lists may be fetched from private addresses)"
    )
    notify_listen: tuple[ListenAddress, ...] = Field(
        default=(),
        description='a list of addresses with ports, such as ["10.0.0.1:5353"], where primaries send NOTIFY '
        "([] = none: zones are asked by their SOA's timers only)",
        strict=False,
        max_length=16,
    )
    notify_allow_from: tuple[Cidr, ...] = Field(
        default=(),
        description='a list of networks such as ["10.0.0.0/28"] whose NOTIFY counts, beside that of each zone\'s '
        "primary",
        strict=False,
        max_length=100,
    )
    zone_gap_s: float = Field(
        default=60.0,
        ge=0,
        le=3_600,
        description="seconds from 0 to 3600 (from one update of zones to the next: each compiles all lists anew)",
    )
    must_resolve: tuple[Name, ...] = Field(
        default=(),
        description='a list of names such as ["bank.example"] that no list may block (an update that would is held)',
        strict=False,
        max_length=10_000,
    )
    keep_versions: int = Field(default=5, ge=2, le=100, description="a whole number from 2 to 100 (each list)")
    quota_bytes: int = Field(
        default=8 * GIB,
        ge=64 * MIB,
        le=4_096 * GIB,
        description="a whole number of bytes from 67108864 to 4398046511104 (all kept versions together)",
    )


class LogSection(Section):
    """The program's own log, and the query log."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description='one of "debug", "info", "warning", "error"'
    )
    format: Literal["auto", "console", "json"] = Field(
        default="auto", description='one of "auto" (console on a terminal, else json), "console", "json"'
    )
    load_interval_s: float = Field(default=2.0, ge=0.1, le=300, description="seconds from 0.1 to 300")
    retention_raw_days: int = Field(default=30, ge=1, le=3_650, description="whole days from 1 to 3650")
    retention_blocked_days: int = Field(default=90, ge=1, le=3_650, description="whole days from 1 to 3650")
    spool_segment_bytes: int = Field(
        default=16 * MIB,
        ge=64 * KIB,
        le=1 * GIB,
        description="a whole number of bytes from 65536 to 1073741824",
    )
    spool_quota_bytes: int = Field(
        default=4 * GIB,
        ge=1 * MIB,
        le=4_096 * GIB,
        description="a whole number of bytes from 1048576 to 4398046511104 (each worker)",
    )


class BootstrapSection(Section):
    """What an empty control database is filled with."""

    document: str = Field(
        default="",
        description="the path of a regency document such as examples/muba/regency.toml "
        '("" = start empty and let people enter everything)',
    )


class Config(Section):
    """The whole configuration, checked."""

    node: NodeSection = NodeSection()
    dns: DnsSection = DnsSection()
    limits: LimitsSection = LimitsSection()
    upstream: UpstreamSection = UpstreamSection()
    rebinding: RebindingSection = RebindingSection()
    local: LocalSection = LocalSection()
    cache: CacheSection = CacheSection()
    storage: StorageSection = StorageSection()
    database: DatabaseSection = DatabaseSection()
    api: ApiSection = ApiSection()
    lists: ListsSection = ListsSection()
    log: LogSection = LogSection()
    bootstrap: BootstrapSection = BootstrapSection()

    @property
    def state_dir(self) -> Path:
        """The state directory, absolute."""
        return Path(self.storage.state_dir).absolute()


SECRET_KEYS: frozenset[tuple[str, str]] = frozenset({("database", "url"), ("dns", "cookie_secret")})
"""Keys whose value is never shown, and which may be given as ``<key>_file``."""
