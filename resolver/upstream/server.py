"""One upstream server: its address, what is known of it, and the sockets towards it."""

from __future__ import annotations

import asyncio
import functools
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from dnswire.constants import EdnsOption
from dnswire.edns import option
from resolver.upstream.carrier import Events
from resolver.upstream.connection import Connection
from resolver.upstream.connections import Connections
from resolver.upstream.dialect import Dialect
from resolver.upstream.exchange import Exchange
from resolver.upstream.framing import Framing, LengthFraming
from resolver.upstream.health import Health
from resolver.upstream.limits import GroupSettings
from resolver.upstream.message import build_query, padded_opt
from resolver.upstream.ports import PortPool
from resolver.upstream.randomness import Draws
from resolver.upstream.tls import Identity, TlsPipe
from resolver.wheel import Timed

if TYPE_CHECKING:
    from resolver.upstream.http2 import Http2Framing

_HTTPS_PORT = 443
# RFC 7828 3.2.1: with this, empty, a client asks how long the server keeps an idle connection. Never over UDP.
_KEEPALIVE = option(EdnsOption.TCP_KEEPALIVE, b"")


class ServerAddress(Protocol):
    """Where a server is, and how it is spoken to: what ``settings.UpstreamServer`` says."""

    @property
    def address(self) -> str:
        """A literal IPv4 or IPv6 address."""

    @property
    def port(self) -> int:
        """UDP and TCP port."""

    @property
    def transport(self) -> str:
        """ "plain", "tls" or "https"."""

    @property
    def name(self) -> str:
        """What its certificate must be for."""

    @property
    def path(self) -> str:
        """Of the https URL."""


class Prober(Protocol):
    """Whom a server tells that it is time to ask it whether it is back."""

    def probe(self, index: int, now_s: float) -> None:
        """Sends one query to the server with this index."""


class Server(Timed):
    """One server of a group; as a ``Timed`` it waits for its next probe.

    ``index``: in its group, from 0. ``number``: among all servers of the configuration, from 1. ``sealed``: it is
    spoken to by TLS or HTTPS, and in no other way. ``identity``: whom it must prove to be then.
    """

    __slots__ = (
        "_draws",
        "_events",
        "_http2",
        "_loop",
        "_prober",
        "_settings",
        "_where",
        "address",
        "answers",
        "connections",
        "dialect",
        "failures",
        "health",
        "identity",
        "index",
        "near_misses",
        "number",
        "ports",
        "refused",
        "sealed",
        "sent",
        "sent_tcp",
        "truncated",
    )

    def __init__(
        self,
        prober: Prober,
        events: Events,
        loop: asyncio.AbstractEventLoop,
        draws: Draws,
        index: int,
        number: int,
        where: ServerAddress,
        identity: Identity | None,
        settings: GroupSettings,
    ) -> None:
        super().__init__()
        s = settings
        self._prober = prober
        self._events = events
        self._loop = loop
        self._draws = draws
        self._settings = s
        self._where = where
        self.index = index
        self.number = number
        self.address = literal(where)
        self.identity = identity
        self.sealed = where.transport != "plain"
        if self.sealed != (identity is not None):
            raise ValueError(
                f"upstream {where.address}: transport {where.transport} and its identity do not belong together"
            )
        self._http2: type[Http2Framing] | None = None
        if where.transport == "https":
            # Only for whom it is spoken with: loading it is a twentieth of a worker's start.
            from resolver.upstream.http2 import Http2Framing

            self._http2 = Http2Framing
        self.health = Health(s.failures_to_down, s.first_backoff_s, s.max_backoff_s)
        self.dialect = Dialect(draws.octets, s.learnt_s)
        self.ports = PortPool(loop, events, self.address, index, s.port_pool_size, s.port_max_uses, s.port_max_age_s)
        self.connections = Connections(self._dial, s.sealed_most if self.sealed else 1)
        self.sent = 0
        self.sent_tcp = 0
        self.answers = 0
        self.failures = 0
        self.truncated = 0
        self.refused: dict[str, int] = {}  # HTTP: by status or reason
        self.near_misses: dict[str, int] = {}

    def expired(self, now_s: float) -> None:
        """Time to probe."""
        self._prober.probe(self.index, now_s)

    def send_udp(self, exchange: Exchange, now_s: float) -> None:
        """Sends the exchange's question by UDP, at the end of this turn of the loop. Raises ``OSError`` where there is
        no port; that it cannot leave there is told later, as ``lost``.
        """
        self.sent += 1
        bits = self._draws.bits32()
        port = self.ports.of_turn(bits >> 16, now_s)
        message_id = bits & 0xFFFF
        while message_id in port.table:
            message_id = self._draws.bits32() & 0xFFFF
        dialect = self.dialect
        asked = exchange.question if dialect.folds_case(now_s) else exchange.cased
        opt = dialect.opt(exchange.do, port.local, now_s) if self._with_edns(exchange, now_s) else b""
        self.ports.post(port, build_query(message_id, asked, exchange.cd, opt))
        port.expect(message_id, exchange)

    def send_stream(self, exchange: Exchange, now_s: float) -> bool:
        """Sends the exchange's question by a connection; False where all are full."""
        connection = self.connections.take()
        if connection is None:
            return False
        self.sent_tcp += 1
        framing = connection.framing
        key = framing.key(self._draw_id, connection.table)
        keepalive = b"" if self._where.transport == "https" else _KEEPALIVE
        if self.sealed:
            asked = exchange.question
            opt = padded_opt(asked, exchange.do, keepalive)
        else:
            dialect = self.dialect
            asked = exchange.question if dialect.folds_case(now_s) else exchange.cased
            opt = dialect.tcp_opt(exchange.do, keepalive) if self._with_edns(exchange, now_s) else b""
        connection.send(key, build_query(framing.message_id(key), asked, exchange.cd, opt), exchange)
        return True

    def count_near_miss(self, kind: str) -> None:
        """One more of this kind."""
        self.near_misses[kind] = self.near_misses.get(kind, 0) + 1

    def close(self) -> list[Connection]:
        """Closes every socket; the connections are to be waited for."""
        self.ports.close()
        return self.connections.close()

    def stats(self, now_s: float) -> dict[str, object]:
        """What ``saring status`` shows of this server; counters since the start."""
        row: dict[str, object] = {
            "number": self.number,
            "address": self.address[0],
            "port": self.address[1],
            "transport": self._where.transport,
            "up": not self.health.down,
            "rtt_ms": round(self.health.rtt_s * 1_000, 3),
            "p95_ms": round(self.health.latency.p95_s * 1_000, 3),
            "sent": self.sent,
            "sent_tcp": self.sent_tcp,
            "answers": self.answers,
            "failures": self.failures,
            "truncated": self.truncated,
            "connections": self.connections.dialled,
            "near_misses": dict(self.near_misses),
            "trouble": self.connections.why,
        }
        if self.sealed:
            row |= {"resumed": self.connections.resumptions, "refused": dict(self.refused)}
        else:
            row |= {"late": self.ports.late, "ports_opened": self.ports.opened} | self.dialect.stats(now_s)
        return row

    def _draw_id(self) -> int:
        return self._draws.bits32() & 0xFFFF

    def _with_edns(self, exchange: Exchange, now_s: float) -> bool:
        if exchange.plain >> self.index & 1:
            return False
        if self.dialect.edns(now_s):
            return True
        exchange.plain |= 1 << self.index
        return False

    def _dial(self, session: ssl.SSLSession | None) -> Connection:
        s = self._settings
        make = functools.partial(Connection, self._loop, self._events, self.address, self.index)
        if self.identity is None:
            return make(LengthFraming(s.tcp_max_pending), None, s.tcp_idle_s, s.tcp_max_pending)
        return make(self._framing(), TlsPipe(self.identity, session), s.sealed_idle_s, s.tcp_max_pending)

    def _framing(self) -> Framing:
        if self._http2 is None:
            return LengthFraming(self._settings.tcp_max_pending)
        host = self._where.name or self.address[0]
        host = f"[{host}]" if ":" in host else host
        authority = host if self.address[1] == _HTTPS_PORT else f"{host}:{self.address[1]}"
        return self._http2(authority, self._where.path, self.refused)


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
