"""One upstream server: its address, what is known of it, and the sockets towards it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from resolver.upstream.health import Health
from resolver.upstream.ports import PortPool
from resolver.upstream.stream import Stream
from resolver.wheel import Timed


class ServerAddress(Protocol):
    """Where a server is: what ``settings.UpstreamServer`` says."""

    @property
    def address(self) -> str:
        """A literal IPv4 or IPv6 address."""

    @property
    def port(self) -> int:
        """UDP and TCP port."""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Limits of a group of servers. Spans in seconds.

    ``attempt_s``: patience with one server before the next is asked; ``deadline_s``: with all of them together.
    ``max_outstanding``: exchanges under way; one more fails at once (a flood of unique names must not fill memory).
    ``port_pool_size``, ``port_max_uses``, ``port_max_age_s``: docs/adr/0005-upstream-source-ports.md.
    ``plain_s``: how long a server that does not know EDNS is asked without it. ``max_waiting``: clients behind one
    exchange. ``failure_s``: how long a failure answers for itself (RFC 9520).
    """

    attempt_s: float = 1.5
    deadline_s: float = 4.0
    max_outstanding: int = 4_096
    port_pool_size: int = 64
    port_max_uses: int = 32
    port_max_age_s: float = 2.0
    tcp_idle_s: float = 5.0
    tcp_max_pending: int = 1_024
    failures_to_down: int = 3
    first_backoff_s: float = 1.0
    max_backoff_s: float = 30.0
    plain_s: float = 900.0
    max_waiting: int = 256
    failure_s: float = 1.0


class Prober(Protocol):
    """Whom a server tells that it is time to ask it whether it is back."""

    def probe(self, index: int, now_s: float) -> None:
        """Sends one query to the server with this index."""


class Server(Timed):
    """One server of a group; as a ``Timed`` it waits for its next probe.

    ``index``: in its group, from 0. ``number``: among all servers of the configuration, from 1.
    """

    __slots__ = (
        "_prober",
        "address",
        "answers",
        "failures",
        "health",
        "index",
        "near_misses",
        "number",
        "ports",
        "sent",
        "sent_tcp",
        "stream",
        "truncated",
    )

    def __init__(
        self, prober: Prober, index: int, number: int, address: tuple[str, int], health: Health, ports: PortPool
    ) -> None:
        super().__init__()
        self._prober = prober
        self.index = index
        self.number = number
        self.address = address
        self.health = health
        self.ports = ports
        self.stream: Stream | None = None
        self.sent = 0
        self.sent_tcp = 0
        self.answers = 0
        self.failures = 0
        self.truncated = 0
        self.near_misses: dict[str, int] = {}

    def expired(self, now_s: float) -> None:
        """Time to probe."""
        self._prober.probe(self.index, now_s)

    def stats(self) -> dict[str, object]:
        """What ``saring status`` shows of this server; counters since the start."""
        return {
            "number": self.number,
            "address": self.address[0],
            "port": self.address[1],
            "up": not self.health.down,
            "rtt_ms": round(self.health.rtt_s * 1_000, 3),
            "sent": self.sent,
            "sent_tcp": self.sent_tcp,
            "answers": self.answers,
            "failures": self.failures,
            "truncated": self.truncated,
            "late": self.ports.late,
            "ports_opened": self.ports.opened,
            "near_misses": dict(self.near_misses),
        }


def literal(server: ServerAddress) -> tuple[str, int]:
    """Address and port, checked. Raises ``ValueError`` for a host name: looking it up would need a resolver."""
    try:
        address = ip_address(server.address)
    except ValueError:
        raise ValueError(
            f"upstream {server.address!r} is not an IPv4 or IPv6 address; write the address, for example 9.9.9.9"
        ) from None
    if not 0 < server.port < 65_536:
        raise ValueError(f"upstream {server.address} has port {server.port}; ports are 1 to 65535, DNS's is 53")
    return str(address), server.port
