"""What a TCP client may hold on to, and how often one was stopped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """Limits of a listener. Spans in seconds, sizes in bytes.

    ``idle_s``: without a query (RFC 7766 6.2.3). ``partial_s``: from a message's first octet to its last; a dripping
    client does not gain time with each drop. ``answer_s``: for the handler. ``write_s``: for the client to read what
    it asked for. ``max_outstanding``: queries under way on one connection; more are left unread.
    ``backlog``: connections that wait to be accepted, in the kernel (asyncio calls ``listen`` again, with its own 100).
    ``max_query_bytes``: clients' queries are small; a longer one ends the connection. ``write_buffer_bytes``: answers
    waiting to be read; past it the connection ends.
    """

    max_connections: int = 1_000
    max_per_address: int = 100
    idle_s: float = 10.0
    partial_s: float = 3.0
    answer_s: float = 10.0
    write_s: float = 5.0
    max_outstanding: int = 64
    max_query_bytes: int = 4_096
    write_buffer_bytes: int = 256 * 1024
    tick_s: float = 0.1
    backlog: int = 1_024


@dataclass(slots=True)
class TcpCounters:
    """Since the start."""

    accepted: int = 0
    queries: int = 0
    refused_full: int = 0
    refused_per_address: int = 0
    closed_for_room: int = 0
    idle: int = 0
    partial: int = 0
    bad_size: int = 0
    slow_readers: int = 0
    bad_proxy_headers: int = 0
    unanswered: int = 0
    cut_by_drain: int = 0
