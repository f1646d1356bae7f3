"""Limits of a group of upstream servers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Spans in seconds.

    ``attempt_s``: patience with one server before the next is asked; ``deadline_s``: with all of them together.
    ``max_outstanding``: exchanges under way; for one more another has to go that takes longer than ``jostle_s`` and
    than its server usually does, or the new one fails at once (a flood of unique names must not fill memory).
    ``port_pool_size``, ``port_max_uses``, ``port_max_age_s``: docs/adr/0005-upstream-source-ports.md.
    ``tcp_idle_s``, ``sealed_idle_s``: how long a connection without queries is kept, in clear text and encrypted;
    ``sealed_most``: encrypted connections to a server. ``learnt_s``: how long is believed that a server does not know
    EDNS, cookies, or the case of names. ``max_waiting``: clients behind one exchange. ``failure_s``: how long a failure
    answers for itself, ``max_failure_s`` if it goes on (RFC 9520). ``racers``, ``hedge_share``: ``order.py``,
    ``hedge.py``.
    """

    attempt_s: float = 1.5
    deadline_s: float = 4.0
    max_outstanding: int = 4_096
    jostle_s: float = 0.2
    port_pool_size: int = 64
    port_max_uses: int = 128
    port_max_age_s: float = 2.0
    tcp_idle_s: float = 5.0
    tcp_max_pending: int = 1_024
    sealed_idle_s: float = 30.0
    sealed_most: int = 4
    failures_to_down: int = 3
    first_backoff_s: float = 1.0
    max_backoff_s: float = 30.0
    learnt_s: float = 900.0
    max_waiting: int = 256
    failure_s: float = 1.0
    max_failure_s: float = 30.0
    racers: int = 2
    hedge_share: float = 0.05
