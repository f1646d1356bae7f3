"""From a configuration to the processes that run it: one spec each, and the order in which they stop."""

from __future__ import annotations

import dataclasses
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from resolver.settings import ServerGroup, WorkerSettings
from resolver.sources import SourceLimits
from saring.child import ChildSpec
from saring.config_schema import Config, LimitsSection
from saring.endpoint import Endpoint
from saring.orders import Orders, command_of, encode_orders
from saring.own_secret import own_secret
from saring.sockets import WorkerSockets
from saring.state_dir import StateDir
from saring.upstream_groups import local_records, rebinding, routes, server_groups
from saring.version import VERSION

# A worker gives its TCP connections and its upstream queries five seconds each.
WORKER_STOP_S = 12.0
# A start costs half a second of a core. A worker that dies again and again may cost that much, so that its clients
# never wait for longer than it takes them to ask again.
WORKER_RESTART_S = 1.0
LOADER_STOP_S = 20.0
OTHER_STOP_S = 5.0

NO_SLOTS: Final[Mapping[str, int]] = MappingProxyType({})
# More than there are workers: the log tells apart what two of the same number wrote at the same time.
SLOT_NUMBERS: Final = 1_000

_ONLY_AT_START = (("dns", "listen"), ("dns", "workers"), ("dns", "receive_buffer_bytes"), ("api", "listen"))


@dataclass(frozen=True, slots=True)
class Listening:
    """What the supervisor bound: the DNS addresses, each worker's sockets, the API's socket if there is one."""

    dns: tuple[Endpoint, ...]
    workers: list[WorkerSockets]
    api: socket.socket | None

    def close(self) -> None:
        """Closes all of it."""
        for worker in self.workers:
            for one in (*worker.udp, *worker.tcp):
                one.close()
        if self.api is not None:
            self.api.close()


class Lineup:
    """The processes of one configuration on bound sockets."""

    def __init__(self, config: Config, path: Path | None, state: StateDir, listening: Listening) -> None:
        self._config = config
        self._path = path
        self._state = state
        self._listening = listening

    def orders(self) -> Orders:
        """What every process is told."""
        return Orders(
            parent_pid=os.getpid(),
            log_level=self._config.log.level,
            log_format=_format(self._config.log.format),
            state_dir=str(self._state.root),
            config=self._config.model_dump_json(),
            config_path=str(self._path) if self._path is not None else "",
        )

    def workers(self, slots: Mapping[str, int] = NO_SLOTS) -> list[ChildSpec]:
        """One process each set of sockets. Raises ``NoUpstreamError``.

        ``slots``: by name, 1 for workers that relieve others (and 0 for those that relieve them): while both answer,
        each has a spool of its own.
        """
        groups = server_groups(self._config.upstream, self._listening.dns)
        numbers = range(len(self._listening.workers))
        return [self._worker(number, groups, slots.get(f"worker-{number}", 0)) for number in numbers]

    def api(self) -> list[ChildSpec]:
        """The API if it is enabled."""
        if self._listening.api is None:
            return []
        descriptor = self._listening.api.fileno()
        orders = dataclasses.replace(self.orders(), listen_fd=descriptor)
        return [dataclasses.replace(_spec("api", orders, OTHER_STOP_S), fds=(descriptor,))]

    def background(self) -> list[ChildSpec]:
        """The loader and the scheduler."""
        return [_spec("loader", self.orders(), LOADER_STOP_S), _spec("sync", self.orders(), OTHER_STOP_S)]

    def stop_stages(self) -> list[list[str]]:
        """Workers (and the scheduler, which they do not notice), then the loader's last run, then the API."""
        workers = [f"worker-{number}" for number in range(len(self._listening.workers))]
        return [[*workers, "sync"], ["loader"], ["api"]]

    def _worker(self, number: int, upstreams: tuple[ServerGroup, ...], slot: int) -> ChildSpec:
        sockets = self._listening.workers[number]
        udp_fds = tuple(one.fileno() for one in sockets.udp)
        tcp_fds = tuple(one.fileno() for one in sockets.tcp)
        hostname = socket.gethostname()
        settings = WorkerSettings(
            number=number,
            node=self._config.node.name or hostname,
            udp_fds=udp_fds,
            tcp_fds=tcp_fds,
            snapshots_root=str(self._state.snapshots),
            spool_dir=str(self._state.spool_of(number, slot)),
            spool_number=number + SLOT_NUMBERS * slot,
            ready_path=str(self._state.ready_of(number, slot)),
            stats_path=str(self._state.stats_of(number)),
            upstreams=upstreams,
            routes=routes(self._config.upstream),
            rebinding=rebinding(self._config.rebinding),
            local_records=local_records(self._config.local),
            hosts_path=str(Path(self._config.local.hosts_file).absolute()) if self._config.local.hosts_file else "",
            hosts_ttl_s=self._config.local.ttl_s,
            cache_size_bytes=self._config.cache.size_bytes,
            min_ttl_s=self._config.cache.min_ttl_s,
            max_ttl_s=self._config.cache.max_ttl_s,
            negative_max_ttl_s=self._config.cache.negative_max_ttl_s,
            stale_max_s=self._config.cache.stale_max_s,
            cache_refresh=self._config.cache.refresh,
            cache_path=str(self._state.cache_of(number)) if self._config.cache.keep_over_restart else "",
            cache_orders_path=str(self._state.cache_orders),
            spool_segment_bytes=self._config.log.spool_segment_bytes,
            spool_quota_bytes=self._config.log.spool_quota_bytes,
            tcp_max_connections=self._config.dns.tcp_max_connections,
            tcp_idle_s=self._config.dns.tcp_idle_s,
            version=VERSION,
            hostname=hostname,
            allow_from=self._config.dns.allow_from,
            source_limits=_source_limits(self._config.limits),
            zone_max_outstanding=self._config.limits.zone_outstanding,
            cookie_secret=self._cookie_secret(),
            proxy_from=self._config.dns.proxy_from,
            responses_per_s=self._config.limits.responses_per_s,
        )
        # A worker reads no configuration: an edit that does not concern it leaves its spec, and so itself, alone.
        orders = dataclasses.replace(self.orders(), config="", config_path="", worker=settings)
        spec = _spec(f"worker-{number}", orders, WORKER_STOP_S)
        command = command_of("worker", str(number))
        return dataclasses.replace(spec, command=command, fds=udp_fds + tcp_fds, restart_within_s=WORKER_RESTART_S)

    def _cookie_secret(self) -> str:
        dns = self._config.dns
        if not dns.cookies:
            return ""
        return dns.cookie_secret or own_secret(self._state.cookie_secret)


def _source_limits(limits: LimitsSection) -> SourceLimits:
    return SourceLimits(
        client_qps=limits.client_qps,
        prefix_qps=limits.prefix_qps,
        burst_s=limits.burst_s,
        slip=limits.slip,
        max_pending=limits.client_pending,
        exempt=limits.unlimited_from,
    )


def needs_restart(old: Config, new: Config) -> list[str]:
    """Keys that changed and are looked at only when the program starts."""
    found = [
        f"{section}.{key}"
        for section, key in _ONLY_AT_START
        if getattr(getattr(old, section), key) != getattr(getattr(new, section), key)
    ]
    if old.api.enabled != new.api.enabled:
        found.append("api.enabled")
    if old.state_dir != new.state_dir:
        found.append("storage.state_dir")
    return found


def _spec(name: str, orders: Orders, stop_s: float) -> ChildSpec:
    return ChildSpec(name, command_of(name), encode_orders(orders), (), stop_s)


def _format(form: str) -> str:
    # Children write into a pipe: whether lines are for a person is ours to see.
    if form != "auto":
        return form
    return "console" if sys.stderr.isatty() else "json"
